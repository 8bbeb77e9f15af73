"""DNS records of VMs: which there may be, and what is to be done about them."""
