"""One VM as the store has it, and the count of those that ended on absence or suspicion alone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vmpooler_common.model.vm import VmState

PROVIDER = "cloud"
"""That all pools have."""
NEVER = datetime.max.replace(tzinfo=UTC)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
TEN_MINUTES = timedelta(minutes=10)


class SafetyCount:
    """Counts the VMs that end for being absent or unknown, as the store must: so many in ten minutes."""

    def __init__(self) -> None:
        self._times: dict[str, list[datetime]] = {}

    def forget(self) -> None:
        """Count anew: an operator resumed deletion, the data is lost, or the clock was set."""
        self._times.clear()

    def add(self, kind: str, now: datetime, bound: int) -> None:
        """Count one more; it must be within the bound."""
        recent = [at for at in self._times.get(kind, []) if now - at < TEN_MINUTES]
        assert len(recent) < bound, f"more VMs ended as {kind} than may in ten minutes"
        self._times[kind] = [*recent, now]


@dataclass(frozen=True, slots=True)
class Record:
    """One VM as the store has it."""

    name: str
    pool: str
    provider: str
    state: VmState
    attempt: str
    provider_id: str
    reason: str
    suspect: bool
    stale: bool
    untagged: bool
    ends: datetime
    lease: datetime
    """While pending or being destroyed: when another manager may take over."""
