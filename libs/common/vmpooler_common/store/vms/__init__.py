"""What users change of their running VMs."""
