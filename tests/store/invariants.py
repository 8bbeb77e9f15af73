"""What holds of the data whatever was done, and of every step from one data set to the next."""

import json
from collections import Counter
from collections.abc import Sequence

from tests.store.dataset import LIVE, SET_ASIDE, Dataset
from vmpooler_common.model.events import EventName
from vmpooler_common.model.vm import MOVES, VmState

Move = tuple[VmState | None, VmState]

_EVENT_OF = {
    "pending": EventName.VM_RESERVED,
    "ready": EventName.VM_READY,
    "running": EventName.VM_CHECKED_OUT,
    "destroying": EventName.VM_DESTROYING,
    "gone": EventName.VM_DESTROYED,
}
_EVENT_OF_COMPLETED = {
    "pending": EventName.VM_RETIRED,
    "ready": EventName.VM_RETIRED,
    "running": EventName.VM_RETURNED,
    "gone": EventName.VM_ADOPTED,
    None: EventName.VM_ADOPTED,
}
_MOVE_EVENTS = {*_EVENT_OF.values(), *_EVENT_OF_COMPLETED.values()}


def moves_between(before: Dataset, after: Dataset) -> set[Move]:
    """Give the moves that one verb made, after checking that each is legal and told by an event."""
    assert before.states.keys() <= after.states.keys(), "a record went away"
    moved: dict[str, Move] = {}
    for vm, state in after.states.items():
        old = before.states.get(vm)
        if state != old:
            moved[vm] = (VmState(old) if old else None, VmState(state))
    assert set(moved.values()) <= MOVES, moved
    told = Counter(after.events[len(before.events) :])
    expected = Counter((str(_event_of(move)), after.records[vm]["pool"], vm) for vm, move in moved.items())
    assert expected - told == Counter()
    surplus = {(name, vm) for name, _, vm in told - expected if name in _MOVE_EVENTS}
    # A cleared suspect is ready again, and a clone that is found late is adopted in the state it is in.
    states = {"vm.ready": ("ready",), "vm.adopted": ("completed", "destroying")}
    assert all(
        before.states.get(vm) == after.states.get(vm) and after.states[vm] in states.get(name, ())
        for name, vm in surplus
    ), surplus
    return set(moved.values())


def _event_of(move: Move) -> EventName:
    old, new = move
    return _EVENT_OF_COMPLETED[old] if new is VmState.COMPLETED else _EVENT_OF[new]


def check_soundness(data: Dataset, pools: Sequence[str]) -> None:
    """Check everything that must hold between two verbs."""
    _check_membership(data, pools)
    for vm, state in data.states.items():
        assert data.entries[f"vm:{vm}"].expires == (state == "gone"), vm
    assert all(data.states[vm] == "pending" for vm in data.members("slots"))
    for pool in pools:
        running = data.members("running", pool)
        assert data.members("untagged", pool).keys() <= running.keys()
        assert running == {vm: float(data.records[vm]["ends"] or "inf") for vm in running}
    _check_tasks(data)
    held = {
        (record["client"], vm)
        for vm, record in data.records.items()
        if record["state"] == "running" and record.get("client")
    }
    assert held == {
        (name.removeprefix("taken:"), vm)
        for name, entry in data.entries.items()
        if name.startswith("taken:")
        for vm in entry.value
    }
    known = data.entries.get("pools")
    used = {record["pool"] for record in data.records.values() if record["state"] != "gone"}
    assert used <= (set(known.value) if known else set()), "a pool with a VM isn't known"


def _check_tasks(data: Dataset) -> None:
    """Tasks wait of running VMs only, and somebody looks after them; one at a time is worked on."""
    waiting = {
        vm
        for vm, record in data.records.items()
        for field, text in record.items()
        if field.startswith("task:") and json.loads(text)["state"] == "pending"
    }
    assert waiting == data.members("tasks_due").keys()
    assert all(data.states[vm] == "running" for vm in waiting)
    assert {vm for vm, record in data.records.items() if "work" in record} <= waiting


def _check_membership(data: Dataset, pools: Sequence[str]) -> None:
    """A VM with a live record is in exactly one set, that of its state, and no set has other members."""
    for vm, record in data.records.items():
        state, pool = record["state"], record["pool"]
        allowed: dict[str, list[list[str]]] = {
            "ready": [[f"{index}:{pool}"] for index in ("ready", *SET_ASIDE)],
            "gone": [[]],
        }
        assert data.memberships(vm) in allowed.get(state, [[f"{state}:{pool}"]]), vm
    members = sum(len(data.members(kind, pool)) for kind in (*LIVE, *SET_ASIDE) for pool in pools)
    for pool in pools:
        entry = data.entries.get(f"unmade:{pool}")
        assert (set(entry.value) if entry else set()) == {
            vm
            for vm, record in data.records.items()
            if record["pool"] == pool
            and record["state"] in ("completed", "destroying")
            and not record.get("id")
        }
    assert members == sum(state != "gone" for state in data.states.values())
