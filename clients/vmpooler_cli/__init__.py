"""The command `vmpooler`."""
