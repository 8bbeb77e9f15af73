"""Looking at an on-demand request and deleting it."""

from typing import Any

import pytest

from tests.api.conftest import WithApi
from tests.api.ondemand import PATH, Requester
from tests.store.ondemand import SHORT_TTL

UNKNOWN = {"ok": False, "message": "no request found for request_id 'unknown'"}


async def test_a_request_whose_pool_left_the_configuration_is_told(customer: Requester) -> None:
    await customer.demand.accepted("r", "gone")
    assert (await customer.look("r")).json()["gone"] == {"ready": "0", "pending": "1"}
    await customer.demand.booted("gone", "a")
    assert (await customer.look("r")).json()["gone"] == {"hostname": ["a.example.test"]}


async def test_a_request_that_failed_at_once_has_the_reason_alone(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 1})
    await customer.api.fleet.store.backlog.fail_waiting("pool1", "the template doesn't exist")
    answer = await customer.look("r")
    assert answer.status_code == 200
    assert list(answer.json().items()) == [
        ("ok", True),
        ("request_id", "r"),
        ("ready", False),
        ("message", "the template doesn't exist"),
    ]


async def test_a_look_has_a_head_and_may_end_in_a_slash(customer: Requester) -> None:
    await customer.ask({"request_id": "r", "pool1": 1})
    head = await customer.api.client.head(f"{PATH}/r")
    assert (head.status_code, head.content) == (202, b"")
    assert head.headers["Content-Length"] == str(len((await customer.look("r")).content))
    assert (await customer.look("r/")).status_code == 202
    assert (await customer.look("r/explain/")).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS"])
async def test_other_methods_are_not_found(customer: Requester, method: str) -> None:
    assert (await customer.api.client.request(method, f"{PATH}/r")).status_code == 404


async def test_a_ready_request_is_told_only_when_replicas_have_it(with_api: WithApi) -> None:
    async with with_api(redis={"wait_replicas": 1, "wait_timeout": 0.05}) as api:
        customer = Requester(api)
        await customer.accepted("r", {"pool1": 1})
        await customer.demand.booted("pool1", "a")
        assert (await customer.look("r")).status_code == 202


# Deleting


async def test_a_failed_request_may_be_deleted(customer: Requester) -> None:
    await customer.demand.accepted("r", "pool1", ttl=SHORT_TTL)
    await customer.demand.failed("pool1", "a", "no disk", most=1)
    assert (await customer.api.client.delete(f"{PATH}/r")).json() == {"ok": True}
    assert (await customer.look("r")).json()["message"] == "The request has been deleted"


# In the numbers of all pools


async def test_vms_that_are_waited_for_are_in_the_queue(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 2, "pool3": 1})
    await customer.demand.booted("pool1", "a")
    queue: dict[str, Any] = (await customer.api.client.get("/api/v3/status?view=queue")).json()["queue"]
    assert (queue["requested"], queue["running"]) == (2, 1)
