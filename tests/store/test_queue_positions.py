"""Where a request is told to stand is where it stands, among other requests and waiting checkouts."""

import random
from collections.abc import Sequence

import pytest

from tests.store.fleet import Fleet, want
from tests.store.ondemand import OnDemand, of_a_user
from tests.store.queued_checkouts import QueuedCheckouts

USERS = ("alice", "bob", "carol")
ROUNDS = 40


async def places(fleet: Fleet, request: str) -> list[int]:
    """Give, of each VM that the request waits for in pool `one`, how many others go before."""
    standing = await fleet.store.positions.look_up(request)
    assert standing is not None
    return list(standing.pools["one"].ahead.values())


async def queue_up(fleet: Fleet, chance: random.Random) -> Sequence[str]:
    """Have requests of several users and checkouts come in any order, and some VMs be ready for the latter.

    Gives the requests.
    """
    line, demand = QueuedCheckouts(fleet), OnDemand(fleet)
    await line.coming("one", count=100)
    requests = []
    for number in range(6):
        count = chance.randint(1, 3)
        if chance.random() < 0.5:
            await line.ask(f"checkout-{number}", want("one", count))
        else:
            requests.append(f"request-{number}")
            await of_a_user(demand, requests[-1], chance.choice(USERS), *["one"] * count)
        if chance.random() < 0.4:
            await demand.booted("one", f"early-{number}")
    return requests


@pytest.mark.parametrize("seed", range(8))
async def test_a_request_gets_its_vms_when_as_many_have_booted_as_it_was_told(
    fleet: Fleet, seed: int
) -> None:
    requests = await queue_up(fleet, random.Random(seed))
    told = {}
    for request in requests:
        if (await OnDemand(fleet).seen(request)).status == "open":
            told[request] = await places(fleet, request)
    served = await OnDemand(fleet).served("one", ROUNDS)
    for request, expected in told.items():
        assert [number for number, to in enumerate(served) if to == request] == expected


async def test_at_most_a_thousand_vms_are_counted_for_checkouts(fleet: Fleet) -> None:
    line = QueuedCheckouts(fleet)
    for number in range(6):
        await line.ask(f"checkout-{number}", want("one", 199), sizes={"one": 200})
    await OnDemand(fleet).accepted("r", "one")
    standing = await fleet.store.positions.look_up("r")
    assert standing is not None
    assert standing.pools["one"].owed == 1000
