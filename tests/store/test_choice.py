"""Which pools a checkout takes from: what can be met is met, and weights decide where there is a choice."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.dataset import ask
from tests.store.fleet import Fleet, want
from vmpooler_common.store.checkout.values import LineItem
from vmpooler_common.store.core.errors import NoneReady

POOLS = ("one", "two", "three", "four")
DRAWS = 300
_numbers = itertools.count()

stocks = st.fixed_dictionaries({pool: st.integers(0, 3) for pool in POOLS})
wishes = st.lists(
    st.tuples(st.sets(st.sampled_from(POOLS), min_size=1), st.integers(1, 4)), min_size=1, max_size=5
)


def can_be_met(stock: Mapping[str, int], wanted: Sequence[tuple[set[str], int]]) -> bool:
    """Say whether there is an assignment (Hall): no group of names wants more than its pools have."""
    return all(
        sum(count for _, count in group) <= sum(stock[pool] for pool in set().union(*(p for p, _ in group)))
        for size in range(1, len(wanted) + 1)
        for group in itertools.combinations(wanted, size)
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stock=stocks, wanted=wishes)
async def test_whatever_mix_can_be_met_is_met_and_no_other(
    stock: dict[str, int], wanted: list[tuple[set[str], int]], fleet: Fleet
) -> None:
    world = f"world-{next(_numbers)}-"
    for pool, count in stock.items():
        if count:
            await fleet.ready(world + pool, *(f"{world}{pool}-{number}" for number in range(count)))
    wants = [
        want(f"name-{number}", count, *(world + pool for pool in sorted(pools)))
        for number, (pools, count) in enumerate(wanted)
    ]
    try:
        checkout = await fleet.store.checkouts.check_out(wants, operation=world, lifetime=None)
    except NoneReady:
        assert not can_be_met(stock, wanted)
        return
    assert can_be_met(stock, wanted)
    assert len({grant.vm for grant in checkout.grants}) == len(checkout.grants)
    allowed = {one.name: {pool for pool, _ in one.pools} for one in wants}
    assert all(grant.pool in allowed[grant.name] for grant in checkout.grants)
    assert Counter(grant.name for grant in checkout.grants) == {one.name: one.count for one in wants}


async def draws(fleet: Fleet, *weights: tuple[str, float]) -> Counter[str]:
    """Take one VM at a time under an alias and give how many came from each pool; each pool has enough."""
    for pool, _ in weights:
        await fleet.ready(pool, *(f"{pool}-{number}" for number in range(DRAWS)))
    taken: Counter[str] = Counter()
    for number in range(DRAWS):
        checkout = await fleet.store.checkouts.check_out(
            [LineItem("alias", 1, weights)], operation=f"take-{number}", lifetime=None
        )
        taken.update(grant.pool for grant in checkout.grants)
    return taken


async def test_equal_weights_draw_evenly(fleet: Fleet) -> None:
    taken = await draws(fleet, ("one", 1), ("two", 1), ("three", 1))
    # 100 each is expected; the bounds lie seven standard deviations away.
    assert all(43 <= taken[pool] <= 157 for pool in ("one", "two", "three"))


async def test_weights_decide_how_often_a_pool_is_drawn(fleet: Fleet) -> None:
    taken = await draws(fleet, ("one", 4), ("two", 1))
    # 60 of 300 are expected from the lighter one, with a standard deviation of 7.
    assert 11 <= taken["two"] <= 109


async def test_a_fraction_is_a_weight_too(fleet: Fleet) -> None:
    taken = await draws(fleet, ("one", 0.4), ("two", 0.1))
    assert 11 <= taken["two"] <= 109


async def test_a_pool_of_weight_zero_is_only_a_last_resort(fleet: Fleet) -> None:
    taken = await draws(fleet, ("one", 0), ("two", 1))
    assert taken == {"two": DRAWS}
    checkout = await fleet.store.checkouts.check_out(
        [LineItem("alias", DRAWS, (("one", 0), ("two", 1)))], operation="rest", lifetime=None
    )
    assert {grant.pool for grant in checkout.grants} == {"one"}


async def test_pools_that_all_weigh_nothing_are_drawn_evenly(fleet: Fleet) -> None:
    taken = await draws(fleet, ("one", 0), ("two", 0))
    assert 90 <= taken["one"] <= 210


async def test_an_empty_pool_is_passed_over_whatever_its_weight(fleet: Fleet) -> None:
    await fleet.ready("two", "a")
    checkout = await fleet.store.checkouts.check_out(
        [LineItem("alias", 1, (("one", 1000), ("two", 1)))], operation="take", lifetime=None
    )
    assert [grant.vm for grant in checkout.grants] == ["a"]


@pytest.mark.parametrize("ring", range(5))
async def test_earlier_names_make_room_for_later_ones(ring: int, fleet: Fleet) -> None:
    """Twelve pools in a ring, a name for each pair of neighbours, one VM for each name.

    Every second name draws first. The others fit only if all of those happened to draw the same side, one
    case of thirty-two: else names served earlier must be moved.
    """
    pools = [f"pool-{ring}-{number}" for number in range(12)]
    for pool in pools:
        await fleet.ready(pool, f"vm-of-{pool}")
    order = [*range(0, 12, 2), *range(1, 12, 2)]
    wants = [want(f"alias-{at}", 1, pools[at], pools[(at + 1) % 12]) for at in order]
    checkout = await fleet.store.checkouts.check_out(wants, operation=f"take-{ring}", lifetime=None)
    assert {grant.pool for grant in checkout.grants} == set(pools)
    allowed = {one.name: {pool for pool, _ in one.pools} for one in wants}
    assert all(grant.pool in allowed[grant.name] for grant in checkout.grants)


async def test_the_draw_is_part_of_the_operation_and_not_made_again(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b")
    await fleet.ready("two", "c", "d")
    wanted = [want("alias", 2, "one", "two")]
    first = await fleet.store.checkouts.check_out(wanted, operation="take", lifetime=None)
    for _ in range(10):
        assert await fleet.store.checkouts.check_out(wanted, operation="take", lifetime=None) == first
    assert await ask(fleet.client, "EXISTS", f"{fleet.prefix}:op:take") == 1
