"""Clouds that VMs come from: the contract, and the drivers that ship with vmpooler."""
