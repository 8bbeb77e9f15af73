"""Tasks on running VMs, and the leases under which managers do them."""
