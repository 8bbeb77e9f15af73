"""The verbs that bring a VM from one state to the next, as values that can be done again."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.store.fleet import LEASE, attempt_of
from vmpooler_common.model.pool import UntaggedVm
from vmpooler_common.model.vm import Guard, VmState
from vmpooler_common.store.retirement.retirement import Condition
from vmpooler_common.store.store import Store

Verb = Callable[[Store], Awaitable[Any]]


def begins(vm: str) -> Verb:
    return lambda store: store.clones.begin(vm, operation=f"begin-{vm}", manager="manager-1", lease=LEASE)


def creates(vm: str) -> Verb:
    return lambda store: store.clones.created(
        vm, attempt_of(vm), provider_id=f"id-{vm}", ip=None, host=None, cloned=True
    )


def promotes(vm: str) -> Verb:
    return lambda store: store.clones.promote(vm, attempt_of(vm), operation=f"promote-{vm}")


def retires_as_stale(vm: str, operation: str) -> Verb:
    return lambda store: store.retirement.retire(
        vm, VmState.READY, operation=operation, reason="drained", condition=Condition(Guard.STALE)
    )


def destroys(vm: str) -> Verb:
    return lambda store: store.retirement.destroyed(vm, attempt_of(vm), provider_id=f"id-{vm}")


def notes(pool: str, noted: UntaggedVm) -> Verb:
    return lambda store: store.views.tagged(pool, noted)
