"""How a requested name becomes the pools that may serve it."""
