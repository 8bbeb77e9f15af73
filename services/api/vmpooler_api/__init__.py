"""The HTTP service: checks VMs out, takes them back and tells what the pools hold."""
