"""Values that everything shares: VMs, pools and their overrides. No I/O, no clock."""
