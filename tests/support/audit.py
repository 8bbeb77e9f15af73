"""Compares what Redis holds with what the cloud has, and says in words what is wrong.

What is asked for holds at any moment at which nothing is under way; while something is, the two are
read one after the other and may differ, so a test asks again until a deadline.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tests.providers.cloud_file import CloudFile
from tests.store.dataset import LIVE, SET_ASIDE, Dataset

IN_USE = ("ready", "running")
"""States of VMs that somebody relies on."""


def audit(
    dataset: Dataset,
    table: CloudFile,
    *,
    pools: Mapping[str, int],
    held: Collection[str] = (),
    unclear: int = 0,
    forgotten: Collection[str] = (),
) -> list[str]:
    """List what keeps the installation from being whole, full and at rest; empty when nothing does.

    `pools`: name → size; `held`: VMs that users were told of and haven't given back; `unclear`: the
    most VMs that may have been checked out although no user was told; `forgotten`: provider ids of VMs
    whose records were lost on purpose.
    """
    rows = [row for row in table.vms() if row["id"] not in forgotten]
    return [
        *_against_the_cloud(dataset, rows),
        *_memberships(dataset),
        *_slots(dataset),
        *_users(dataset, held, unclear),
        *_fullness(dataset, pools),
    ]


def _against_the_cloud(dataset: Dataset, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for name, number in Counter(row["name"] for row in rows).items():
        if number > 1:
            yield f"the cloud has {number} VMs called {name}"
    for row in rows:
        record = dataset.records.get(row["name"])
        if record is None:
            yield f"the cloud has {row['name']}, which Redis doesn't know"
        elif record["state"] not in LIVE:
            yield f"the cloud has {row['name']}, which is {record['state']} (reason: {record.get('reason')})"
        elif record.get("id", row["id"]) != row["id"]:
            yield f"the cloud has {row['name']} as {row['id']}, Redis as {record['id']}"
    there = {row["id"]: row for row in rows}
    for name, record in dataset.records.items():
        if record["state"] in IN_USE:
            machine = there.get(record.get("id", ""))
            if machine is None:
                yield f"{name} is {record['state']}, and the cloud doesn't have it"
            elif not machine["powered_on"]:
                yield f"{name} is {record['state']}, and switched off"


def _memberships(dataset: Dataset) -> Iterator[str]:
    places: dict[str, list[str]] = {}
    for key, entry in dataset.entries.items():
        stem, _, pool = key.partition(":")
        if pool and stem in (*LIVE, *SET_ASIDE):
            for name in entry.value:
                places.setdefault(name, []).append(key)
    for name, record in dataset.records.items():
        state, pool, found = record["state"], record["pool"], places.pop(name, [])
        wanted = [[f"{state}:{pool}"]] if state in LIVE else [[]]
        if state == "ready":
            wanted += [[f"{index}:{pool}"] for index in SET_ASIDE]
        if found not in wanted:
            yield f"the record of {name} says {state} in {pool}, and it is in {found or 'no set'}"
    for name, found in places.items():
        yield f"{name} has no record, and is in {found}"
    for key, entry in dataset.entries.items():
        if key.startswith("untagged:"):
            for name in entry.value:
                if dataset.states.get(name) != "running":
                    yield f"{name} is {dataset.states.get(name)}, and its owner is to be noted"


def _slots(dataset: Dataset) -> Iterator[str]:
    for name in dataset.members("slots"):
        if dataset.states.get(name) != "pending":
            yield f"{name} is {dataset.states.get(name)}, and holds a clone slot"


def _users(dataset: Dataset, held: Collection[str], unclear: int) -> Iterator[str]:
    for name in sorted(held):
        if dataset.states.get(name) != "running":
            reason = dataset.records.get(name, {}).get("reason")
            yield f"a user has {name}, which is {dataset.states.get(name)} (reason: {reason})"
    unknown = sorted(set(_in_state(dataset, "running")) - set(held))
    if len(unknown) > unclear:
        yield f"nobody was told of running VMs, at most {unclear} expected: {', '.join(unknown)}"


def _fullness(dataset: Dataset, pools: Mapping[str, int]) -> Iterator[str]:
    for pool, size in pools.items():
        ready = len(dataset.members("ready", pool))
        if ready != size:
            yield f"pool {pool} has {ready} ready VMs of {size}"
        for state in ("pending", *SET_ASIDE, "completed", "destroying"):
            for name in dataset.members(state, pool):
                yield f"{name} is still {state}"
    for provider, reason in _hash(dataset, "deletion_paused").items():
        yield f"deletion at {provider} is paused: {reason}"


def _in_state(dataset: Dataset, state: str) -> Iterable[str]:
    return (name for name, is_in in dataset.states.items() if is_in == state)


def _hash(dataset: Dataset, key: str) -> Mapping[str, str]:
    entry = dataset.entries.get(key)
    return dict(entry.value) if entry else {}
