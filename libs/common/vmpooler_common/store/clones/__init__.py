"""New VMs, from a reserved name to a VM that is ready."""
