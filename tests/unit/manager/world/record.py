"""One VM in the store of the small world."""

from dataclasses import dataclass
from datetime import UTC, datetime

from vmpooler_common.model.vm import MOVES, ClonePhase, VmState

START = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass
class Record:
    """A VM's record and its place in the sorted sets."""

    name: str
    pool: str
    provider: str
    state: VmState
    attempt: str
    manager: str = ""
    phase: ClonePhase = ClonePhase.RESERVED
    provider_id: str = ""
    cloned: bool = False
    suspect: bool = False
    stale: bool = False
    """Ready when its pool was drained."""
    revision: int = 0
    untagged: bool = False
    reserved: datetime = START
    lease: datetime = START
    """While pending or being destroyed: when another manager may take over."""
    ready: datetime = START
    ends: datetime = NEVER
    completed: datetime = START
    gone: datetime | None = None
    reason: str = ""

    def move(self, state: VmState) -> None:
        """Change the state by a legal move."""
        assert (self.state, state) in MOVES, f"{self.name}: {self.state} -> {state}"
        self.state = state
