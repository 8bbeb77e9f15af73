"""DNS records of VMs: the contract of plug-ins, their registry, the shipped ones, and their suite."""
