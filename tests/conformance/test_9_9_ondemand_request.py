"""Section 9.9 of the checklist: looking at an on-demand request and deleting it."""

from datetime import timedelta

import pytest

from tests.api.ondemand import BAD, GOOD, PATH, Requester
from tests.support.refusals import refusal_of

UNKNOWN = {"ok": False, "message": "no request found for request_id 'unknown'"}


async def test_217_an_unknown_request_is_not_found(customer: Requester) -> None:
    """[C] Given an unknown id, when GET, then 404 with message `no request found for request_id
    '<id>'`.
    """
    for path in ("", "?wait=10", "/explain"):
        answer = await customer.look(f"unknown{path}")
        assert (answer.status_code, answer.json()) == (404, UNKNOWN)


async def test_218_a_waiting_request_tells_its_numbers_as_texts(customer: Requester) -> None:
    """[C] Given a waiting request for 1 of pool1, when GET, then 202 with ok, request_id, ready false,
    pool1 {ready "0", pending "1"} in this order (strings).
    """
    await customer.ask({"request_id": "r", "pool1": 1})
    answer = await customer.look("r")
    assert answer.status_code == 202
    assert answer.text == (
        '{\n  "ok": true,\n  "request_id": "r",\n  "ready": false,\n'
        '  "pool1": {\n    "ready": "0",\n    "pending": "1"\n  }\n}'
    )


async def test_219_what_is_there_is_counted(customer: Requester) -> None:
    """[C] Given 2 of 10 instances present, then ready "2", pending "8"."""
    await customer.accepted("r", {"pool1": 10, "pool2": 1})
    await customer.demand.booted("pool1", "a")
    await customer.demand.booted("pool1", "b")
    assert list((await customer.look("r")).json().items())[3:] == [
        ("pool1", {"ready": "2", "pending": "8"}),
        ("pool2", {"ready": "0", "pending": "1"}),
    ]


async def test_220_a_ready_request_lists_full_host_names_even_of_one_vm(customer: Requester) -> None:
    """[C] Given status ready, then 200, ready true, `pool1.hostname` a list of FQDNs even for one VM."""
    await customer.accepted("r", {"pool1": 1})
    await customer.demand.booted("pool1", "a")
    answer = await customer.look("r")
    assert answer.status_code == 200
    assert list(answer.json().items()) == [
        ("ok", True),
        ("request_id", "r"),
        ("ready", True),
        ("pool1", {"hostname": ["a.example.test"]}),
    ]


async def test_221_the_pools_of_an_alias_are_told_together(customer: Requester) -> None:
    """[C] Given one alias served by two pools, then counts are added (waiting) and host names
    concatenated (ready).
    """
    await customer.api.fleet.store.requests.open(
        "r",
        [("both", "pool1"), ("both", "pool2"), ("both", "pool1")],
        operation="open",
        token=None,
        lifetime=None,
        ttl=timedelta(minutes=1),
    )
    await customer.api.fleet.store.backlog.accept("r")
    await customer.demand.booted("pool2", "b")
    assert (await customer.look("r")).json()["both"] == {"ready": "1", "pending": "2"}
    await customer.demand.booted("pool1", "a1")
    await customer.demand.booted("pool1", "a2")
    hostnames = (await customer.look("r")).json()["both"]["hostname"]
    assert sorted(hostnames) == ["a1.example.test", "a2.example.test", "b.example.test"]


async def test_222_a_deleted_request_says_so(customer: Requester) -> None:
    """[C] Given status deleted, then 200, ok true, ready false, message `The request has been deleted`."""
    await customer.accepted("r", {"pool1": 1})
    await customer.api.client.delete(f"{PATH}/r")
    answer = await customer.look("r")
    assert answer.status_code == 200
    assert list(answer.json().items()) == [
        ("ok", True),
        ("request_id", "r"),
        ("ready", False),
        ("message", "The request has been deleted"),
    ]


async def test_223_a_request_past_its_deadline_tells_the_last_error_and_the_deadline(
    customer: Requester,
) -> None:
    """[C] Given status failed and ttl 5, then 200, ok true, ready false, message ending
    `ondemand_request_ttl '5'`.
    """
    sentence = "The request failed to provision instances within the configured ondemand_request_ttl '5'"
    await customer.demand.overdue("r", "pool1")
    await customer.demand.failed("pool1", "a", "the disk is full", most=3)
    await customer.api.fleet.store.backlog.expire("r", operation="expire", reason=sentence)
    answer = await customer.look("r")
    assert answer.status_code == 200
    assert answer.json()["message"] == f"the disk is full. {sentence}"
    assert list(answer.json()) == ["ok", "request_id", "ready", "message"]


async def test_224_a_look_needs_no_token(secured: Requester) -> None:
    """[C] Given auth on, when GET without token, then not 401."""
    await secured.accepted("r", {"pool1": 1}, headers=GOOD)
    assert (await secured.look("r")).status_code == 202
    assert (await secured.look("r/explain")).status_code == 200


async def test_225_deleting_what_is_unknown_is_not_found(customer: Requester) -> None:
    """[C] Given an unknown id, when DELETE, then 404 with the same message as GET."""
    answer = await customer.api.client.delete(f"{PATH}/unknown")
    assert (answer.status_code, answer.json()) == (404, UNKNOWN)


async def test_226_a_deleted_request_is_kept_for_a_while(customer: Requester) -> None:
    """[C] Given a request, when DELETE, then 200 `{"ok": true}`, status field `deleted`, expiry 1296000
    s.

    For as long as all data of what is over, `redis.data_ttl`, and not for 15 days.
    """
    await customer.accepted("r", {"pool1": 2})
    answer = await customer.api.client.delete(f"{PATH}/r")
    assert (answer.status_code, answer.text) == (200, '{\n  "ok": true\n}')
    assert (await customer.api.fleet.dataset()).entries["request:r"].expires
    assert (await customer.look("r")).json()["message"] == "The request has been deleted"


async def test_227_deleting_returns_the_vms_that_are_there_and_takes_no_others(customer: Requester) -> None:
    """[C] Given running instances of the request, when DELETE, then they move to `completed` of their
    pool, and the tracking set is removed.
    """
    await customer.accepted("r", {"pool1": 2})
    await customer.demand.booted("pool1", "a")
    assert (await customer.api.client.delete(f"{PATH}/r")).status_code == 200
    assert (await customer.api.fleet.dataset()).memberships("a") == ["completed:pool1"]
    assert await customer.demand.booted("pool1", "b") == ""


async def test_228_deleting_again_is_fine(customer: Requester) -> None:
    """[C] Given an already deleted request, when DELETE, then 200 with message `the request has already
    been deleted`.
    """
    await customer.ask({"request_id": "r", "pool1": 1})
    await customer.api.client.delete(f"{PATH}/r")
    answer = await customer.api.client.delete(f"{PATH}/r")
    assert answer.status_code == 200
    assert list(answer.json().items()) == [
        ("ok", True),
        ("message", "the request has already been deleted"),
    ]


@pytest.mark.parametrize("headers", [{}, BAD])
@pytest.mark.parametrize("request_id", ["r", "unknown"])
async def test_229_deleting_needs_a_valid_token_where_tokens_are_checked(
    secured: Requester, request_id: str, headers: dict[str, str]
) -> None:
    """[C] Given auth on and no token, when DELETE, then 401."""
    await secured.accepted("r", {"pool1": 1}, headers=GOOD)
    answer = await secured.api.client.delete(f"{PATH}/{request_id}", headers=headers)
    assert refusal_of(answer) == (401, {"ok": False})
    assert "WWW-Authenticate" in answer.headers
    assert (await secured.look("r")).status_code == 202
