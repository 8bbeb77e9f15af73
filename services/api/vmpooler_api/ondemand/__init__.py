"""VMs on demand."""
