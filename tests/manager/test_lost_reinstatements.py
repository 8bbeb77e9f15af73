"""A pass fails that was to reinstate VMs: nothing is destroyed before another listing shows them again."""

from datetime import timedelta

import pytest

from tests.manager.site import Site
from tests.support.stores import Tally
from tests.unit.manager.pools import make_pool
from tests.unit.manager.views import INSTALLATION, NOW, PROVIDER, ago, provider_vm, snapshot
from vmpooler_common.model.pool import Classification
from vmpooler_manager.lifecycle.clone_slots import SlotQueue
from vmpooler_manager.lifecycle.inspect import VmInspector
from vmpooler_manager.lifecycle.retire import VmRetirer
from vmpooler_manager.metrics.vms import VmMetrics
from vmpooler_manager.planning.inventory import Listing
from vmpooler_manager.reconcile.listings import PoolListings
from vmpooler_manager.runtime.jobs import Jobs
from vmpooler_manager.runtime.shared_state import SharedState

EPOCH = "server-1 generation-1"


@pytest.fixture
def listings(site: Site) -> PoolListings:
    retirer = VmRetirer(site.store, slots=SlotQueue(), max_retries=3, metrics=VmMetrics(Tally()))
    return PoolListings(
        make_pool(),
        inspector=VmInspector(site.store, retirer=retirer),
        jobs=Jobs(),
        shared=SharedState(data_epoch=EPOCH),
        installation=INSTALLATION,
        check_time=timedelta(minutes=1),
    )


def compare(listings: PoolListings, *, owner: str | None) -> None:
    """Have the next pass see a ready VM on whose tag this owner stands."""
    listings.take()
    vm = provider_vm("a", owner=owner)
    record = Classification("ready", "attempt-of-a", PROVIDER, vm.provider_id, None)
    listings.compare(Listing(NOW, (vm,), EPOCH), snapshot(ready={"a": ago(minutes=9)}), {"a": record})


async def test_a_listing_allows_its_own_pass_to_destroy(listings: PoolListings) -> None:
    compare(listings, owner="ann")
    assert listings.are_compared


async def test_a_pass_that_failed_to_reinstate_stops_destroying_until_the_next_listing(
    listings: PoolListings,
) -> None:
    compare(listings, owner="ann")
    listings.take()
    assert not listings.are_compared
    compare(listings, owner="ann")
    assert listings.are_compared


async def test_a_pass_that_reinstated_goes_on_destroying(listings: PoolListings) -> None:
    compare(listings, owner="ann")
    listings.acted_on()
    listings.take()
    assert listings.are_compared


async def test_a_failed_pass_without_reinstatements_costs_no_listing(listings: PoolListings) -> None:
    compare(listings, owner=None)
    listings.take()
    assert listings.are_compared
