"""Which DNS records of ours belong to no VM any more. Pure: what it remembers is passed in and out.

Nothing is concluded from one look: records are orphans when two looks that are far enough apart find no VM
for them in the store; then its provider is asked, and has the last word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from vmpooler_common.model.pool import Classification
from vmpooler_manager.dns.types import OwnedRecords


@dataclass(frozen=True, slots=True)
class SweepRules:
    """Which records are looked at."""

    installation: str
    generation: str
    """Of the data set; records of another one are only reported, unless `is_sole`."""
    is_sole: bool
    """Whether the installation's name was chosen, so that no other one has it: then the generation, which
    changes when Redis is emptied, doesn't matter."""
    apart: timedelta
    """Between the two looks at least."""


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What one look found."""

    suspects: tuple[OwnedRecords, ...] = ()
    """Their providers are to be asked for the VM; without one the records are to be removed."""
    seen: Mapping[str, datetime] = field(default_factory=dict)
    """Attempt of each record without a VM -> the first look that found it."""
    ours: int = 0
    foreign: tuple[str, ...] = ()
    """Names of another data set of this installation."""


def plan_sweep(
    rules: SweepRules,
    owned: Sequence[OwnedRecords],
    records: Mapping[str, Classification],
    now: datetime,
    *,
    seen: Mapping[str, datetime],
) -> SweepPlan:
    """Compare a zone with the store. `records` are those of the VMs, `seen` is the last plan's."""
    own = [one for one in owned if one.owner.installation == rules.installation]
    ours = [one for one in own if rules.is_sole or one.owner.generation == rules.generation]
    lone = [one for one in ours if not _has_vm(one, records[one.owner.vm])]
    first = {one.owner.attempt: seen.get(one.owner.attempt, now) for one in lone}
    return SweepPlan(
        suspects=tuple(
            one for one in lone if one.owner.attempt in seen and now - first[one.owner.attempt] >= rules.apart
        ),
        seen=first,
        ours=len(ours),
        foreign=tuple(sorted(one.name for one in own if one not in ours)),
    )


def _has_vm(one: OwnedRecords, record: Classification) -> bool:
    """Whether the store knows the VM and will have the records removed with it."""
    return record.attempt == one.owner.attempt and (record.state not in (None, "gone") or record.has_records)
