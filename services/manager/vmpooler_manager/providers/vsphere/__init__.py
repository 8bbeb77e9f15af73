"""The driver for VMware vCenter, on pyVmomi: see docs/vsphere.md.

From the bottom: `faults` and `retrieval`, then `session`, `tasks`, `watcher`; `placement`, `hosts`,
`cloning`, `disks`, `snapshots` and `folders` do one thing each in vCenter's terms; `provider` is the
contract.
"""
