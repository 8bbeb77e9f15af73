"""The end of a VM, and the limits of what may be destroyed."""
