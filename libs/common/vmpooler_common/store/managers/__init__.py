"""The managers that live, and the pools that each of them holds."""
