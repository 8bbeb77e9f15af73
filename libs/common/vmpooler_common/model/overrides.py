"""What operators set through the API in place of the configuration. Values only: no I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

LARGEST_SIZE = 10_000
"""VMs of a pool that may be asked for through the API: a slip of the finger must not fill a cloud."""
_DIGITS = re.compile(r"0*([0-9]{1,9})")


class Property(StrEnum):
    """What can be set of a pool. VMs are made otherwise when its template or its clone target changes."""

    SIZE = "size"
    TEMPLATE = "template"
    CLONE_TARGET = "clone_target"


@dataclass(frozen=True, slots=True)
class PoolOverrides:
    """What goes before the configuration of one pool; None where nothing does."""

    size: int | None = None
    template: str | None = None
    clone_target: str | None = None


NO_OVERRIDES = PoolOverrides()


def read_size(text: str) -> int | None:
    """Read a size of 0 to LARGEST_SIZE from decimal digits; None when it is something else."""
    found = _DIGITS.fullmatch(text)
    size = int(found[1]) if found else None
    return size if size is not None and size <= LARGEST_SIZE else None


def stored_overrides(*, size: str = "", template: str = "", clone_target: str = "") -> PoolOverrides:
    """Take what is stored, each empty where nothing is. A size that makes no sense counts as none."""
    return PoolOverrides(read_size(size), template or None, clone_target or None)


@dataclass(frozen=True, slots=True)
class CurrentOverrides:
    """What is set of all pools at one moment, also of pools that have left the configuration."""

    sizes: Mapping[str, str]
    templates: Mapping[str, str]
    clone_targets: Mapping[str, str]
    prepared: Mapping[str, str]
    """Pool -> template that its manager makes VMs from."""

    def of(self, pool: str) -> PoolOverrides:
        """Give what is set of one pool."""
        return stored_overrides(
            size=self.sizes.get(pool, ""),
            template=self.templates.get(pool, ""),
            clone_target=self.clone_targets.get(pool, ""),
        )
