"""Who holds VMs back: named to admins and to the holder, a number to everybody else."""

from typing import Any

import pytest

from tests.api.in_process import Api
from tests.store.fleet import want
from tests.store.ondemand import OnDemand
from tests.store.queued_checkouts import QueuedCheckouts

HERE, THERE = "127.0.0.1", "192.0.2.7"
ROOT, BOB, NOBODY = {"X-AUTH-TOKEN": "roots"}, {"X-AUTH-TOKEN": "bobs"}, dict[str, str]()
ALICE = {"X-AUTH-TOKEN": "good"}


@pytest.fixture
async def holding(secured_api: Api) -> Api:
    """Return an API where alice, somebody here and somebody there hold a VM of pool1 each."""
    fleet = secured_api.fleet
    await fleet.token("roots", "root")
    await fleet.token("bobs", "bob")
    line = QueuedCheckouts(fleet)
    await line.coming("pool1", "pool2")
    orders = {"alices": "good", "heres": None, "theres": None}
    for operation, token in orders.items():
        await line.ask(operation, want("pool1"), want("pool2", 5), token=token)
    await fleet.ready("pool1", "a", "b", "c", "d")
    tickets = {"alices": THERE, "heres": HERE, "theres": THERE}
    await fleet.store.checkouts.renew(tickets, pools=["pool1", "pool2"])
    return secured_api


def names(held_by: list[dict[str, Any]] | None) -> list[tuple[str | None, str]]:
    return [(one.get("user"), one["address"]) for one in held_by or ()]


SEEN = [
    (ROOT, [("alice", THERE), (None, HERE), (None, THERE)]),
    (ALICE, [("alice", THERE), (None, HERE)]),
    (BOB, [(None, HERE)]),
    (NOBODY, [(None, HERE)]),
    ({"X-AUTH-TOKEN": "bad"}, [(None, HERE)]),
]


@pytest.mark.parametrize(("headers", "expected"), SEEN)
async def test_status_and_explanations_name_them_to_those_who_may_know(
    holding: Api, headers: dict[str, str], expected: list[tuple[str | None, str]]
) -> None:
    client = holding.client
    await OnDemand(holding.fleet).accepted("r", "pool1")
    status = (await client.get("/api/v3/status", headers=headers)).json()["pools"]["pool1"]
    assert (status["held"], status["holders"]) == (3, 3)
    assert names(status["held_by"]) == expected
    pool = (await client.get("/api/v3/pool/pool1/explain", headers=headers)).json()
    assert (pool["held"], names(pool["held_by"])) == (3, expected)
    request = (await client.get("/api/v3/ondemandvm/r/explain", headers=headers)).json()
    line = request["pools"]["pool1"]
    assert (line["owed"], names(line["held_by"])) == (3, expected)
    for summary in (pool["summary"], request["summary"]):
        assert any(THERE in text for text in summary) == (("alice", THERE) in expected and headers == ROOT)
        assert any("alice" in text for text in summary) == (("alice", THERE) in expected)


async def test_where_nobody_holds_anything_nothing_is_told(api: Api) -> None:
    await api.fleet.ready("pool1", "a")
    pool = (await api.client.get("/api/v3/status")).json()["pools"]["pool1"]
    assert not {"held", "holders", "held_by"} & pool.keys()


async def test_naming_them_costs_no_round_trip(holding: Api) -> None:
    for path in ("/api/v3/status", "/api/v3/pool/pool1/explain"):
        before = holding.metric("redis_round_trips_total")
        await holding.client.get(path, headers=ROOT)
        assert holding.metric("redis_round_trips_total") - before == 1
