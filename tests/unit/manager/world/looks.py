"""How managers see the store of the small world: what the scripts of views do, on plain dictionaries."""

from datetime import timedelta

from tests.unit.manager.world.records import Records
from vmpooler_common.model.overrides import PoolOverrides
from vmpooler_common.model.pool import Classification, PendingVm, Sizes, Snapshot, UntaggedVm
from vmpooler_common.model.vm import VmState


def observe(
    records: Records,
    pool: str,
    provider: str,
    *,
    size: int,
    ready_ttl: timedelta,
    full: bool,
    is_configured: bool = True,
) -> Snapshot:
    """See a pool as a pass does."""
    pending = sorted(records.of(pool, VmState.PENDING), key=lambda vm: vm.reserved)
    ready = sorted(records.of(pool, VmState.READY), key=lambda vm: vm.ready)
    suspects = [vm for vm in ready if vm.suspect]
    stale = [vm for vm in ready if vm.stale]
    ready = records.to_hand_out(pool)
    running = records.of(pool, VmState.RUNNING)
    completed, destroying = records.of(pool, VmState.COMPLETED), records.of(pool, VmState.DESTROYING)
    backlog = records.requests.backlog(pool)
    override = records.sizes.get(pool) if is_configured else None
    wanted = size if override is None else override
    excess = max(0, len(pending) + len(ready) - wanted - backlog)
    for_requests, for_pools = records.slots_in_use
    return Snapshot(
        now=records.now,
        generation=records.generation,
        deletion_pause=records.halts.get(provider),
        broken="",
        backing_off="",
        request_slots_in_use=for_requests,
        pool_slots_in_use=for_pools,
        backlog=backlog,
        clones=records.clones(pool),
        sizes=Sizes(*(len(of) for of in (pending, ready, suspects, running, completed, destroying, stale))),
        pending=tuple(
            PendingVm(
                vm.name,
                vm.provider,
                vm.phase,
                vm.reserved,
                lease_ends_at=vm.lease,
                attempt=vm.attempt,
                provider_id=vm.provider_id,
                cloned=vm.cloned,
                revision=vm.revision,
            )
            for vm in pending
        ),
        expired_ready=tuple(vm.name for vm in ready if vm.ready <= records.now - ready_ttl),
        excess_ready=tuple(vm.name for vm in ready[:excess]),
        ended_running=tuple(vm.name for vm in running if vm.ends <= records.now),
        to_destroy=tuple(vm.name for vm in (*completed, *destroying) if vm.lease <= records.now),
        untagged=tuple(
            UntaggedVm(vm.name, vm.provider, vm.provider_id, vm.attempt, "ann", vm.ends)
            for vm in running
            if vm.untagged
        ),
        ready={vm.name: vm.ready for vm in ready} if full else {},
        suspects={vm.name: vm.ready for vm in suspects},
        overrides=PoolOverrides(size=override),
        revision=records.rounds[pool],
        stale=tuple(vm.name for vm in stale),
    )


def classify(records: Records, name: str) -> Classification:
    """Say what the record of a VM in a listing says."""
    vm = records.by_name.get(name)
    if vm is None:
        return Classification(None, "", "", "", None)
    return Classification(vm.state, vm.attempt, vm.provider, vm.provider_id, vm.gone)
