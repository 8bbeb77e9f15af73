"""Says in words what is wrong with the on-demand requests that Redis holds, at a moment of rest."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tests.store.dataset import Dataset

OVER = ("failed", "deleted")
WAITING = ("open", "unaccepted", "backlogs", "backlog", "queue", "turns", "requests", "wanted")
"""Stems of the keys that are empty when nobody waits for anything."""


def audit_requests(
    dataset: Dataset,
    asked: Mapping[str, Mapping[str, int]],
    *,
    deleted: Collection[str],
    may_fail: bool,
) -> list[str]:
    """List what is not as it should be when every request is over; empty when nothing is.

    `asked`: request → pool → number of VMs; `deleted`: those that their users wanted no more;
    `may_fail`: whether the others may end with a reason in place of VMs.
    """
    return [
        complaint
        for found in (
            *(_one_request(dataset, request, pools) for request, pools in asked.items()),
            _unexpected(dataset, asked, deleted, may_fail=may_fail),
            _running_vms(dataset, asked),
            _grants(dataset),
            _remains(dataset),
        )
        for complaint in found
    ]


def ready_requests(dataset: Dataset) -> dict[str, list[str]]:
    """Give the names of the VMs of every request that is ready."""
    return {
        name.removeprefix("request:"): [want["vm"] for want in _wants(dataset, name.removeprefix("request:"))]
        for name, entry in dataset.entries.items()
        if name.startswith("request:") and entry.value["status"] == "ready"
    }


def _unexpected(
    dataset: Dataset, asked: Collection[str], deleted: Collection[str], *, may_fail: bool
) -> Iterator[str]:
    for request in asked:
        entry = dataset.entries.get(f"request:{request}")
        status = entry.value["status"] if entry else None
        if request in deleted and status != "deleted":
            yield f"request {request} was deleted and is {status}"
        if request not in deleted and status == "deleted":
            yield f"request {request} is deleted, and nobody did that"
        if entry and status == "failed" and not (may_fail and entry.value.get("reason")):
            yield f"request {request} failed: {entry.value.get('reason')}"


def _one_request(dataset: Dataset, request: str, asked: Mapping[str, int]) -> Iterator[str]:
    entry = dataset.entries.get(f"request:{request}")
    if entry is None:
        yield f"request {request} is lost"
        return
    record, wants = entry.value, _wants(dataset, request)
    status = record["status"]
    if status in OVER:
        yield from _is_over(dataset, request)
        return
    if Counter(want["pool"] for want in wants) != asked:
        yield f"request {request} asked for {dict(asked)} and wants {wants}"
    if status == "open":
        yield f"request {request} is still open, {record['granted']} of {record['total']} granted"
        return
    if status == "ready" and not record["granted"] == record["total"] == str(sum(asked.values())):
        yield f"request {request} is ready with {record['granted']} VMs of {record['total']}"
    vms = [want["vm"] for want in wants]
    runs = any(dataset.states.get(vm) == "running" for vm in vms)
    if entry.expires == runs or dataset.entries[f"items:{request}"].expires == runs:
        yield f"request {request} is ready, its VMs {'run' if runs else 'are gone'}, and it is kept otherwise"
    yield from _its_vms(dataset, request, vms)


def _is_over(dataset: Dataset, request: str) -> Iterator[str]:
    """It has failed or was deleted: its outcome is kept for a while, and none of its VMs."""
    if not dataset.entries[f"request:{request}"].expires:
        yield f"request {request} is over, and kept for ever"
    if left := [key for key in (f"items:{request}", f"request_vms:{request}") if key in dataset.entries]:
        yield f"request {request} is over, and {left} are left"
    for name, record in dataset.records.items():
        if record.get("request") == request and dataset.states[name] in ("pending", "ready", "running"):
            yield f"request {request} is over, and its VM {name} is {dataset.states[name]}"


def _its_vms(dataset: Dataset, request: str, names: list[str]) -> Iterator[str]:
    for name in names:
        state = dataset.states.get(name)
        if state != "running":
            yield f"request {request} is ready with {name or 'a VM that is missing'}, which is {state}"


def _running_vms(dataset: Dataset, asked: Collection[str]) -> Iterator[str]:
    owners = Counter(want["vm"] for request in asked for want in _wants(dataset, request) if want["vm"])
    for name, number in owners.items():
        if number > 1:
            yield f"{name} was granted to {number} wants"
    for name, record in dataset.records.items():
        if record["state"] == "running" and record.get("request") and not owners[name]:
            yield f"{name} runs for request {record['request']}, which doesn't name it"


def _grants(dataset: Dataset) -> Iterator[str]:
    for name, number in Counter(vm for kind, _, vm in dataset.events if kind == "vm.checked_out").items():
        if number > 1:
            yield f"{name} was granted {number} times"


def _remains(dataset: Dataset) -> Iterator[str]:
    for name, entry in dataset.entries.items():
        if name.split(":")[0] in WAITING and entry.value:
            yield f"nobody waits any more, and {name} holds {entry.value}"


def _wants(dataset: Dataset, request: str) -> list[dict[str, Any]]:
    entry = dataset.entries.get(f"items:{request}")
    return [json.loads(text) for text in entry.value.values()] if entry else []
