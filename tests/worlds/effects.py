"""What an action may have changed in the store, whatever plan it came from and however old that is.

The scripts check again what a plan relied on; here the same is checked from outside, on what was there
before.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.store.dataset import LIVE, SET_ASIDE, Dataset
from tests.worlds.record import PROVIDER, Record
from tests.worlds.records import Records
from vmpooler_common.model.vm import Guard, VmState
from vmpooler_manager.planning.actions import Retire


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store held of one pool at one moment."""

    vms: Mapping[str, Record]
    size: int | None
    """As an operator set it."""
    alive: int
    pending: int
    backlog: int
    released: frozenset[str]
    """VMs that an operator has released from the safety limits."""
    is_paused: bool
    """Whether deletion is paused at the provider."""


def facts(records: Records, pool: str) -> Facts:
    """Read what the functions here compare."""
    entries = records.data.entries
    released = entries.get(f"released:{PROVIDER}")
    return Facts(
        vms=records.by_name,
        size=records.size_of(pool),
        alive=records.alive(pool),
        pending=len(records.data.members("pending", pool)),
        backlog=records.backlog(pool),
        released=released.value if released else frozenset(),
        is_paused=records.is_paused,
    )


def judge_retirement(action: Retire, records: Records, before: Facts) -> None:
    """Hold the retirement of a VM to its guard; none when it was refused."""
    was, now = before.vms.get(action.name), records.by_name.get(action.name)
    if was is None or now is None or was.state is now.state:
        return
    assert was.state is action.state, f"{was.name} was retired when {was.state}, not {action.state}"
    match action.guard:
        case Guard.EXCESS | Guard.LEFT:
            size = 0
            if action.guard is Guard.EXCESS:
                assert isinstance(action.bound, int)
                size = action.bound if before.size is None else before.size
            assert before.alive > size + before.backlog, "a VM retired as surplus that isn't"
        case Guard.STALE if action.state is VmState.PENDING:
            assert before.pending > before.backlog, "a VM drained that a request waits for"
        case Guard.ENDED:
            assert was.ends <= records.now, "a lifetime ended that isn't over"
        case Guard.UNSEEN:
            assert isinstance(action.bound, int)
            assert was.suspect, "a VM given up that is no suspect"
            _judge_bound("absent", was.name, records, action.bound, before)


def judge_adoption(name: str, generation: str, bound: int, records: Records, before: Facts) -> None:
    """Hold the adoption of an orphan to what makes one, and to its bound."""
    assert name not in before.vms, f"{name} was adopted, and there was a record of it"
    assert generation == records.generation, f"{name} was adopted, and is of another data set"
    _judge_bound("orphan", name, records, bound, before)


def _judge_bound(kind: str, name: str, records: Records, bound: int, before: Facts) -> None:
    assert not before.is_paused, f"{name} was ended as {kind} while deletion was paused"
    if name not in before.released:
        records.safety.add(kind, records.now, bound)


def judge_memberships(data: Dataset) -> None:
    """Hold the store to D1: each VM is in one state, and in the one set of it."""
    for name, record in data.records.items():
        state, pool = record["state"], record["pool"]
        stems = ("ready", *SET_ASIDE) if state == "ready" else (state,) if state in LIVE else ()
        found = data.memberships(name)
        assert len(found) == bool(stems), f"{name} is {state}, and in {found}"
        assert set(found) <= {f"{stem}:{pool}" for stem in stems}, f"{name} is {state}, and in {found}"
