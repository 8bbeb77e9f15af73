"""Checking VMs out and releasing them."""
