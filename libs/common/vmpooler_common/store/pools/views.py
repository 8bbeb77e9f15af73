"""Looking at pools: a manager's observation and the numbers that the API shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmpooler_common.model.overrides import stored_overrides
from vmpooler_common.model.pool import (
    Classification,
    DeletionPause,
    DnsVm,
    PendingVm,
    Sizes,
    Snapshot,
    UntaggedVm,
)
from vmpooler_common.model.problem import Problem, read_pause, read_problem
from vmpooler_common.model.vm import ClonePhase
from vmpooler_common.store.checkout.holders import Holders, show_holders
from vmpooler_common.store.core.connection import Command, Reply
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.core.scripts import Scripts, read_named
from vmpooler_common.store.core.times import duration_ms, from_ms, from_ms_or_none, to_ms
from vmpooler_common.store.pools.counts import (
    Managers,
    PoolStanding,
    StatusCounts,
    count_pools,
    show_managers,
    show_pool,
)
from vmpooler_common.store.pools.statistics import durations_by_pool

_MOST = 500
"""VMs of a kind that one observation gives in detail; the next pass sees the others."""
_NAMES_PER_CALL = 1000


@dataclass(frozen=True, slots=True)
class Durations:
    """Statistics of one day in seconds; all zero when count is."""

    count: int
    total: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Today:
    """How long clones and boots of this UTC day took, in all pools."""

    clones: Durations
    boots: Durations


class Views:
    """Reads only; each method is one round trip."""

    def __init__(self, scripts: Scripts, keys: Keys) -> None:
        self._scripts = scripts
        self._keys = keys

    async def observe(
        self,
        pool: str,
        provider: str,
        *,
        size: int,
        ready_ttl: timedelta,
        listed: Sequence[str] | None,
        is_configured: bool = True,
    ) -> tuple[Snapshot, Mapping[str, Classification]]:
        """See a pool. With the names of a listing: in full, and what the records say of these names.

        `size` is the configured one. What was set through the API counts for a configured pool only.
        """
        full = listed is not None
        names = list(listed or ())
        commands = [
            self._scripts.command(
                "observe",
                pool,
                provider,
                size,
                duration_ms(ready_ttl),
                int(full),
                _MOST,
                int(is_configured),
            ),
            *self._classify(names),
        ]
        first, *rest = await self._scripts.run_all(commands)
        return _snapshot(read_named(first)), _classifications(names, rest)

    async def classify(self, names: Sequence[str]) -> Mapping[str, Classification]:
        """Say what the records say of these VMs; nothing is asked when there are none."""
        if not names:
            return {}
        return _classifications(names, await self._scripts.run_all(self._classify(names)))

    async def counts(self, pools: Sequence[str]) -> StatusCounts:
        """Count the VMs of these pools."""
        return await count_pools(self._scripts, pools)

    async def holders(self, pools: Sequence[str], *, token: str | None) -> Holders:
        """Tell which waiting checkouts hold VMs of these pools back, and whose this token is."""
        return await show_holders(self._scripts, pools, token=token)

    async def managers(self) -> Managers:
        """Tell which managers live, and where deletion is paused."""
        return await show_managers(self._scripts)

    async def standing(self, pool: str) -> PoolStanding:
        """Tell of one pool who holds it and who waits."""
        return await show_pool(self._scripts, pool)

    async def today(self) -> Today:
        """Add up the statistics of today: eight fields for each pool, so it is dearer than counting."""
        found = await self._scripts.fetch("today")
        return Today(clones=_durations(list(found["clones"])), boots=_durations(list(found["boots"])))

    async def mark_broken(self, pool: str, reason: str) -> None:
        """Tell everyone that this pool can't work, and why; an empty reason: it works again."""
        await self._scripts.run_named("mark_broken", pool=pool, reason=reason)

    async def mark_backing_off(self, pool: str, reason: str) -> None:
        """Tell everyone why clones of this pool are held back for now; an empty reason: they are not."""
        key = self._keys("backing_off")
        command = ("HSET", key, pool, reason) if reason else ("HDEL", key, pool)
        await self._scripts.run_all([command])

    async def mark_problem(self, pool: str, problem: Problem | None) -> None:
        """Tell everyone what is wrong with this pool; None: nothing."""
        key = self._keys("problems")
        command = ("HSET", key, pool, problem.encode()) if problem else ("HDEL", key, pool)
        await self._scripts.run_all([command])

    async def mark_template_ready(self, pool: str, template: str) -> None:
        """Tell everyone that this pool's VMs are made from this template from now on."""
        await self._scripts.run_all([("HSET", self._keys("template_ready"), pool, template)])

    async def remember_place(self, pool: str, place: str) -> None:
        """Write down where this pool's VMs are, for managers that don't know it from their configuration."""
        await self._scripts.run_all([("HSET", self._keys("places"), pool, place)])

    async def tagged(self, pool: str, vm: UntaggedVm) -> bool:
        """Note that the cloud knows this of a VM. False: it has another end by now, or was given back."""
        ends = "" if vm.ends_at is None else to_ms(vm.ends_at)
        return bool(await self._scripts.run_named("note_tagged", pool=pool, vm=vm.name, ends=ends))

    def _classify(self, names: Sequence[str]) -> list[Command]:
        return [
            self._scripts.command_named("classify", vms=names[at : at + _NAMES_PER_CALL])
            for at in range(0, len(names), _NAMES_PER_CALL)
        ]


def _snapshot(found: Mapping[str, Any]) -> Snapshot:
    pause = found["deletion_paused"]
    return Snapshot(
        now=from_ms(found["now"]),
        generation=found["generation"],
        deletion_pause=DeletionPause(*pause.split(" ", 2)) if pause else None,
        broken=found["broken"],
        backing_off=found["backing_off"],
        problem=read_problem(found["problem"]),
        pause=read_pause(found["paused"]),
        request_slots_in_use=found["request_slots"],
        pool_slots_in_use=found["pool_slots"],
        backlog=found["backlog"],
        clones=found["clones"],
        sizes=Sizes(**found["sizes"]),
        pending=tuple(_pending(one) for one in found["pending"]),
        expired_ready=tuple(found["expired"]),
        excess_ready=tuple(found["excess"]),
        ended_running=tuple(found["ended"]),
        to_destroy=tuple(found["due"]),
        untagged=tuple(_untagged(one) for one in found["untagged"]),
        ready=_since(found["ready"]),
        suspects=_since(found["suspects"]),
        next_due=from_ms_or_none(found["next_due"]),
        overrides=stored_overrides(
            size=found["size"], template=found["template"], clone_target=found["clone_target"]
        ),
        revision=int(found["revision"]),
        template_ready=found["template_ready"],
        stale=tuple(found["stale"]),
        owed=found["owed"],
        held=found["held"],
        place=found["place"],
        dns_due=tuple(DnsVm(*one) for one in found["dns_due"]),
        unsettled=found["unsettled"],
    )


def _since(flat: Sequence[str]) -> dict[str, datetime]:
    return {flat[at]: from_ms(flat[at + 1]) for at in range(0, len(flat), 2)}


def _pending(values: Sequence[str]) -> PendingVm:
    name, provider, phase, reserved, lease, attempt, provider_id, cloned, revision, dns_tried = values
    return PendingVm(
        name=name,
        provider=provider,
        phase=ClonePhase(phase),
        reserved_at=from_ms(reserved),
        lease_ends_at=from_ms(lease),
        attempt=attempt,
        provider_id=provider_id,
        cloned=bool(cloned),
        revision=int(revision or 0),
        dns_tried_at=from_ms_or_none(dns_tried),
    )


def _untagged(values: Sequence[str]) -> UntaggedVm:
    name, provider, provider_id, attempt, user, ends = values
    return UntaggedVm(name, provider, provider_id, attempt, user or None, from_ms_or_none(ends))


def _classifications(names: Sequence[str], replies: Sequence[Reply]) -> dict[str, Classification]:
    found = (one for reply in replies for one in read_named(reply))
    return {
        name: Classification(
            state=one["state"] or None,
            attempt=one["attempt"],
            provider=one["provider"],
            provider_id=one["provider_id"],
            gone_at=from_ms_or_none(one["gone"]),
            ip=one["ip"],
            host=one["host"],
            has_records=bool(one["dns"]),
        )
        for name, one in zip(names, found, strict=True)
    }


def _durations(flat: Sequence[str]) -> Durations:
    """Add up the pools' statistics of one day."""
    pools = durations_by_pool(flat).values()
    if not pools:
        return Durations(0, 0.0, 0.0, 0.0)
    return Durations(
        count=sum(pool.times for pool in pools),
        total=sum(pool.total for pool in pools) / 1000,
        least=min(pool.least for pool in pools) / 1000,
        most=max(pool.most for pool in pools) / 1000,
    )
