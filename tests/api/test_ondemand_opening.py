"""Requesting VMs on demand: what is answered, and that a refusal leaves nothing behind."""

from typing import Any

import pytest

from tests.api.conftest import WithApi
from tests.api.ondemand import BAD, GOOD, PATH, Requester

NOT_PARSED = {"ok": False, "message": "JSON payload could not be parsed"}


async def test_a_request_is_open_until_the_configured_time_is_over(with_api: WithApi) -> None:
    async with with_api(config={"ondemand_request_ttl": 7}) as api:
        request = (await Requester(api).ask({"pool1": 1})).json()["request_id"]
        found = await Requester(api).demand.seen(request)
    assert (found.deadline - found.created).total_seconds() == 7 * 60


async def test_a_huge_body_is_refused(customer: Requester) -> None:
    answer = await customer.ask(b"{" + b" " * 1_000_000 + b"}")
    assert (answer.status_code, answer.json()["message"]) == (400, "the request body is too large")


async def test_an_id_of_another_user_is_told_from_ones_own(secured: Requester) -> None:
    await secured.api.fleet.token("bobs", "bob")
    order = {"request_id": "r", "pool1": 1}
    for token, status in (("good", 201), ("good", 409), ("bobs", 403)):
        answer = await secured.api.client.post(PATH, json=order, headers={"X-AUTH-TOKEN": token})
        assert answer.status_code == status
    message = "request_id 'r' is another user's; choose another one"
    assert answer.json() == {"ok": False, "message": message}


async def test_more_of_all_names_than_allowed_are_forbidden(with_api: WithApi) -> None:
    async with with_api(config={"max_vms_per_request": 5}) as api:
        by_body = await Requester(api).ask({"pool1": 3, "pool2": 3})
        by_path = await api.client.post(f"{PATH}/" + "pool1+pool2+" * 3)
        assert (await Requester(api).ask({"pool1": 3, "pool2": 2})).status_code == 201
    for answer in (by_body, by_path):
        assert (answer.status_code, answer.json()["message"]) == (
            403,
            "at most 5 VMs can be requested at once",
        )


# In the path


async def test_a_path_needs_no_body_and_ignores_one(customer: Requester) -> None:
    assert (await customer.api.client.post(f"{PATH}/pool1", content=b"{bad")).status_code == 201


async def test_a_slash_at_the_end_changes_nothing(customer: Requester) -> None:
    assert (await customer.api.client.post(f"{PATH}/", json={"pool1": 1})).status_code == 201
    assert (await customer.api.client.post(f"{PATH}/pool1/")).status_code == 201


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_without_an_id_there_is_only_opening(customer: Requester, method: str) -> None:
    assert (await customer.api.client.request(method, PATH)).status_code == 404


# Which pool makes the VMs


async def share_of_the_first(
    with_api: WithApi, pools: dict[str, dict[str, Any]], weights: dict[str, int], name: str
) -> float:
    config = {
        "backend_weight": weights,
        "max_ondemand_instances_per_request": 1000,
        "max_vms_per_request": 1000,
    }
    limits = {"anonymous_ondemand_vms": 0}
    async with with_api(pools=pools, config=config, sections={"limits": limits}) as api:
        await Requester(api).ask({"request_id": "r", name: 1000})
        wanted = await Requester(api).wanted("r")
    assert len(wanted) == 1000
    return wanted.count((name, "pool1")) / 1000


def weighted(**aliases: str) -> dict[str, dict[str, Any]]:
    """Return two pools with clone targets of their own."""
    return {
        pool: {"size": 1, "clone_target": f"target-{pool}", "alias": alias} for pool, alias in aliases.items()
    }


async def test_an_alias_without_weights_draws_evenly(with_api: WithApi) -> None:
    share = await share_of_the_first(with_api, weighted(pool1="both", pool2="both"), {}, "both")
    assert 0.4 < share < 0.6


async def test_a_paused_pool_is_not_drawn_beside_one_that_works(with_api: WithApi) -> None:
    pools = weighted(pool1="both", pool2="both")
    pools["pool2"]["paused"] = True
    share = await share_of_the_first(with_api, pools, {"target-pool1": 1, "target-pool2": 99}, "both")
    assert share == 1


async def test_paused_pools_are_drawn_where_there_are_no_others(with_api: WithApi) -> None:
    pools = weighted(pool1="both", pool2="both")
    for pool in pools.values():
        pool["paused"] = True
    assert 0.4 < await share_of_the_first(with_api, pools, {}, "both") < 0.6


# Tokens


async def test_with_a_token_mistakes_are_told(secured: Requester) -> None:
    statuses = [
        (await secured.ask(body, headers=GOOD)).status_code
        for body in (b"{bad", b"null", b'{"nope": 1}', b'{"pool1": 1000}')
    ]
    assert statuses == [400, 404, 404, 403]


async def test_a_vm_of_a_token_is_only_given_back_with_one(secured: Requester) -> None:
    await secured.accepted("r", {"pool1": 1}, headers=GOOD)
    await secured.demand.booted("pool1", "one")
    assert (await secured.api.client.delete("/api/v3/vm/one")).status_code == 401
    assert (await secured.api.client.delete("/api/v3/vm/one", headers=GOOD)).status_code == 200


async def test_without_authentication_a_token_is_ignored(with_api: WithApi) -> None:
    async with with_api(config={"vm_lifetime": 3}) as api:
        customer = Requester(api)
        await customer.accepted("r", {"pool1": 1}, headers=BAD)
        await customer.demand.booted("pool1", "one")
        record = (await api.fleet.dataset()).records["one"]
    assert (record["user"], record["token"]) == ("", "")
    assert int(record["ends"]) - int(record["checkout"]) == 3 * 3600 * 1000


# Metrics


async def test_what_became_of_requests_is_counted(secured: Requester) -> None:
    await secured.ask({"request_id": "r", "pool1": 1}, headers=GOOD)
    await secured.ask({"request_id": "r", "pool1": 1}, headers=GOOD)
    await secured.ask(b"{bad", headers=GOOD)
    await secured.ask(b"null", headers=GOOD)
    await secured.ask({"nope": 1}, headers=GOOD)
    await secured.ask({"pool1": 11}, headers=GOOD)
    await secured.ask({"pool1": 1})
    await secured.ask({"pool1": 1}, headers=BAD)
    await secured.ask({"nope": 1}, headers=BAD)
    counted = {
        result: secured.api.metric("ondemand_requests_total", result=result)
        for result in ("created", "duplicate", "invalid", "toomany", "unauthorized")
    }
    assert counted == {"created": 1, "duplicate": 1, "invalid": 3, "toomany": 1, "unauthorized": 3}
