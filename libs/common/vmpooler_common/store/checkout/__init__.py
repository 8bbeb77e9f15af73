"""Checking VMs out, releasing them, and queueing for them."""
