"""Setting sizes, templates and clone targets through the API, and draining pools."""

import pytest

from tests.store.dataset import ask
from tests.store.fleet import LEASE, MANAGER, PROVIDER, Fleet, attempt_of, reservation
from tests.store.ondemand import OnDemand
from vmpooler_common.model.overrides import NO_OVERRIDES, PoolOverrides, Property
from vmpooler_common.model.pool import Snapshot
from vmpooler_common.model.vm import Guard, VmState
from vmpooler_common.store.core.errors import NotOwner, UnknownToken
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.pools.overrides import Permission, PoolChange
from vmpooler_common.store.retirement.retirement import Condition, Outcome

ANYBODY = Permission()


async def override(
    fleet: Fleet, what: Property, *changes: PoolChange, permission: Permission = ANYBODY
) -> list[str]:
    done = await fleet.store.overrides.override(
        what, changes, permission=permission, operation=new_operation()
    )
    return list(done.before)


async def observe(fleet: Fleet, *, size: int = 5, is_configured: bool = True) -> Snapshot:
    snapshot, _ = await fleet.store.views.observe(
        "one", PROVIDER, size=size, ready_ttl=LEASE, listed=[], is_configured=is_configured
    )
    return snapshot


async def retire(
    fleet: Fleet, vm: str, state: VmState, *, guard: Guard = Guard.STALE, bound: int = 0
) -> Outcome:
    return await fleet.store.retirement.retire(
        vm, state, operation=new_operation(), reason="test", condition=Condition(guard, bound)
    )


async def reserve(fleet: Fleet, *vms: str, size: int, in_round: int = 0) -> list[str]:
    return await fleet.store.clones.reserve(
        reservation("one", size=size, in_round=in_round),
        [(vm, attempt_of(vm)) for vm in vms],
        operation=new_operation(),
        manager=MANAGER,
        lease=LEASE,
    )


async def test_what_was_set_is_seen_with_the_pool(fleet: Fleet) -> None:
    await override(fleet, Property.SIZE, PoolChange("one", "5", "2"), PoolChange("two", "5", "3"))
    await override(fleet, Property.TEMPLATE, PoolChange("one", "old/one", "new/one"))
    await override(fleet, Property.CLONE_TARGET, PoolChange("one", "", "cluster"))
    assert (await observe(fleet)).overrides == PoolOverrides(2, "new/one", "cluster")
    assert (await fleet.store.overrides.current()).of("two") == PoolOverrides(size=3)
    assert (await fleet.store.views.counts(["one"])).pools["one"].size_or(5) == 2


async def test_a_pool_that_has_left_the_configuration_goes_by_nothing_that_was_set(fleet: Fleet) -> None:
    await override(fleet, Property.SIZE, PoolChange("one", "5", "2"))
    assert (await observe(fleet, is_configured=False)).overrides == NO_OVERRIDES


async def test_each_change_answers_what_counted_before(fleet: Fleet) -> None:
    assert await override(fleet, Property.SIZE, PoolChange("one", "5", "2"), PoolChange("two", "7", "7")) == [
        "5",
        "7",
    ]
    assert await override(fleet, Property.SIZE, PoolChange("one", "5", "4")) == ["2"]
    assert await override(fleet, Property.SIZE, PoolChange("one", "5", "")) == ["4"]
    assert await override(fleet, Property.SIZE, PoolChange("one", "5", "")) == ["5"]


async def test_what_is_taken_back_is_gone_also_when_it_was_what_is_configured(fleet: Fleet) -> None:
    await override(fleet, Property.SIZE, PoolChange("one", "5", "2"))
    await override(fleet, Property.SIZE, PoolChange("one", "5", "5"))
    assert (await fleet.store.overrides.current()).sizes == {"one": "5"}
    await override(fleet, Property.SIZE, PoolChange("one", "5", ""))
    assert (await fleet.store.overrides.current()).sizes == {}


async def test_only_changes_are_told_by_events(fleet: Fleet) -> None:
    await override(fleet, Property.SIZE, PoolChange("one", "5", "5"), PoolChange("two", "5", "2"))
    assert (await fleet.dataset()).events == [("pool.changed", "two", "")]


async def test_who_may_not_changes_nothing(fleet: Fleet) -> None:
    await fleet.token("secret", "alice")
    before = await fleet.dataset()
    for permission, refusal in (
        (Permission(None, needs_token=True), UnknownToken),
        (Permission("forged", needs_token=True), UnknownToken),
        (Permission("secret", needs_token=True, admins=("bob", "carol"), only_admins=True), NotOwner),
        (Permission("secret", needs_token=True, only_admins=True), NotOwner),
    ):
        with pytest.raises(refusal):
            await override(fleet, Property.SIZE, PoolChange("one", "5", "2"), permission=permission)
        with pytest.raises(refusal):
            await fleet.store.overrides.drain(["one"], permission=permission, operation=new_operation())
        with pytest.raises(refusal):
            await fleet.store.overrides.check(permission)
    assert await fleet.dataset() == before


@pytest.mark.parametrize(
    "permission",
    [
        Permission("secret", needs_token=True),
        Permission("secret", needs_token=True, admins=("bob", "alice"), only_admins=True),
    ],
)
async def test_who_may_has_the_use_of_the_token_noted(fleet: Fleet, permission: Permission) -> None:
    await fleet.token("secret", "alice")
    await override(fleet, Property.SIZE, PoolChange("one", "5", "2"), permission=permission)
    assert (await fleet.store.tokens.look_up("secret")).last_used_at is not None


@pytest.mark.parametrize("what", [Property.TEMPLATE, Property.CLONE_TARGET])
async def test_what_is_made_otherwise_is_drained(fleet: Fleet, what: Property) -> None:
    await fleet.ready("one", "a", "b")
    await fleet.suspect("one", "c")
    await fleet.ready("two", "d")
    await override(fleet, what, PoolChange("one", "x/y", "a/b"), PoolChange("two", "x/y", "x/y"))
    assert (await observe(fleet)).stale == ("a", "b", "c")
    assert (await fleet.dataset()).members("ready", "two").keys() == {"d"}
    await override(fleet, what, PoolChange("one", "x/y", ""))
    assert await fleet.round("one") == 2


async def test_a_size_drains_nothing(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b")
    await override(fleet, Property.SIZE, PoolChange("one", "2", "1"))
    assert (await observe(fleet, size=2)).stale == ()


async def test_drained_vms_neither_count_nor_are_handed_out(fleet: Fleet) -> None:
    await fleet.stale("one", "a", "b")
    sizes = (await observe(fleet)).sizes
    assert (sizes.ready, sizes.stale) == (0, 2)
    numbers = (await fleet.store.views.counts(["one"])).pools["one"]
    assert (numbers.ready, numbers.leaving) == (0, 2)


@pytest.mark.parametrize("guard", [Guard.STALE, Guard.NONE])
async def test_drained_vms_are_retired_for_good(fleet: Fleet, guard: Guard) -> None:
    await fleet.stale("one", "a", "b")
    assert await retire(fleet, "a", VmState.READY, guard=guard) is Outcome.OK
    data = await fleet.dataset()
    assert (data.memberships("a"), data.memberships("b")) == (["completed:one"], ["stale:one"])


async def test_running_vms_outlast_a_drain(fleet: Fleet) -> None:
    await fleet.running("one", "a")
    await fleet.drain("one")
    assert await fleet.state("a") == "running"
    assert (await fleet.dataset()).members("running", "one").keys() == {"a"}


async def test_a_pool_is_drained_once_by_an_operation(fleet: Fleet) -> None:
    for _ in range(2):
        await fleet.store.overrides.drain(["one"], permission=ANYBODY, operation="same")
    assert await fleet.round("one") == 1


async def test_what_was_pending_when_the_pool_was_drained_does_not_become_ready(fleet: Fleet) -> None:
    await fleet.created("one", "a")
    await fleet.drain("one")
    assert await fleet.store.clones.promote("a", attempt_of("a"), operation="promote") is None
    record, _ = await fleet.store.checkouts.look_up("a")
    assert record is not None
    assert (record.state, record.reason) == (VmState.COMPLETED, "drained")


async def test_what_was_pending_when_the_pool_was_drained_still_goes_to_a_request(fleet: Fleet) -> None:
    await fleet.created("one", "a")
    await OnDemand(fleet).accepted("wanted", "one")
    await fleet.drain("one")
    promotion = await fleet.store.clones.promote("a", attempt_of("a"), operation="promote")
    assert promotion is not None
    assert promotion.request == "wanted"


async def test_pending_vms_are_retired_as_stale_except_as_many_as_requests_wait_for(fleet: Fleet) -> None:
    await fleet.creating("one", "a", "b", "c")
    await OnDemand(fleet).accepted("wanted", "one", "one")
    await fleet.drain("one")
    outcomes = [await retire(fleet, vm, VmState.PENDING) for vm in ("c", "b", "a")]
    assert outcomes == [Outcome.OK, Outcome.REFUSED, Outcome.REFUSED]


async def test_vms_of_the_new_round_are_not_retired_as_stale(fleet: Fleet) -> None:
    await fleet.drain("one")
    await fleet.ready("one", "a")
    await fleet.creating("one", "b")
    assert await retire(fleet, "a", VmState.READY) is Outcome.REFUSED
    assert await retire(fleet, "b", VmState.PENDING) is Outcome.REFUSED


async def test_a_manager_that_has_not_seen_the_drain_reserves_nothing(fleet: Fleet) -> None:
    """It would make its VMs from the old template."""
    await fleet.drain("one")
    assert await reserve(fleet, "a", size=5, in_round=0) == []
    assert await reserve(fleet, "a", size=5, in_round=1) == ["a"]


async def test_a_manager_that_has_not_seen_a_smaller_size_does_not_overfill_the_pool(fleet: Fleet) -> None:
    await override(fleet, Property.SIZE, PoolChange("one", "5", "2"))
    assert await reserve(fleet, "a", "b", "c", size=5) == ["a", "b"]


async def test_a_manager_that_has_not_seen_a_larger_size_retires_no_excess(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b")
    await override(fleet, Property.SIZE, PoolChange("one", "1", "2"))
    assert await retire(fleet, "a", VmState.READY, guard=Guard.EXCESS, bound=1) is Outcome.REFUSED
    await override(fleet, Property.SIZE, PoolChange("one", "1", ""))
    assert await retire(fleet, "a", VmState.READY, guard=Guard.EXCESS, bound=1) is Outcome.OK


async def test_what_was_set_keeps_no_vm_of_a_pool_that_has_left_the_configuration(fleet: Fleet) -> None:
    await fleet.left("one", "a")
    await override(fleet, Property.SIZE, PoolChange("one", "1", "2"))
    assert await retire(fleet, "a", VmState.READY, guard=Guard.LEFT) is Outcome.OK


async def test_a_forgotten_pool_keeps_what_was_set(fleet: Fleet) -> None:
    """It counts again when the pool returns."""
    await fleet.gone("one", "a")
    await override(fleet, Property.SIZE, PoolChange("one", "1", "2"))
    await fleet.store.views.mark_template_ready("one", "a/b")
    assert await fleet.store.leases.forget("one")
    current = await fleet.store.overrides.current()
    assert (current.sizes, current.prepared) == ({"one": "2"}, {})


async def test_a_pool_with_stale_vms_is_not_forgotten(fleet: Fleet) -> None:
    await fleet.stale("one", "a")
    assert not await fleet.store.leases.forget("one")


@pytest.mark.parametrize("stored", ["", "0x10", "-1", "3.7", "10001", "1" * 400, "٣"])
async def test_a_stored_size_that_makes_no_sense_counts_as_none(fleet: Fleet, stored: str) -> None:
    await ask(fleet.client, "HSET", f"{fleet.prefix}:size", "one", stored)
    assert (await observe(fleet)).overrides == NO_OVERRIDES
    assert (await fleet.store.overrides.current()).of("one") == NO_OVERRIDES
