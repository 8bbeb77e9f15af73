"""What not every cloud can do. A driver declares what its cloud can; the API refuses the rest at once."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Feature(StrEnum):
    """One capability of a driver beyond making, finding, listing, tagging and destroying VMs."""

    DISKS = "disks"
    """Adds disks to running VMs."""
    SNAPSHOTS = "snapshots"
    """Takes snapshots of running VMs and reverts to them."""
    PREPARATION = "preparation"
    """Checks and prepares what a pool needs before its first clone: template, folder, network."""
    MIGRATION = "migration"
    """Moves running VMs between hosts."""
    PURGE = "purge"
    """Knows the places at which it made VMs for pools that are gone, and removes them."""


LACKING: Mapping[Feature, str] = MappingProxyType(
    {
        Feature.DISKS: "the cloud of this VM can't add disks",
        Feature.SNAPSHOTS: "the cloud of this VM can't take snapshots",
        Feature.PREPARATION: "the cloud has nothing to prepare",
        Feature.MIGRATION: "the cloud can't move VMs between hosts",
        Feature.PURGE: "the cloud doesn't know at which places it made VMs",
    }
)
"""What users and operators are told when a feature is asked for that the driver doesn't declare."""
