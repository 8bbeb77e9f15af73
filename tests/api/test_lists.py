"""`?format=list`: VMs as a list, whatever they were asked for by; and v1 and v2 know nothing of it."""

from typing import Any

import pytest

from tests.api.in_process import Api
from tests.store.ondemand import OnDemand

VMS, DEMAND = "/api/v3/vm", "/api/v3/ondemandvm"
A = {"name": "pool1", "hostname": "a", "fqdn": "a.example.test", "pool": "pool1"}
B = {"name": "both", "hostname": "b", "fqdn": "b.example.test", "pool": "pool2"}


@pytest.mark.parametrize(
    ("path", "arguments"),
    [(VMS, {"json": {"pool1": 1, "both": 1}}), (f"{VMS}/pool1+both", {})],
)
async def test_a_checkout_gives_a_list_and_no_member_named_by_the_client(
    api: Api, path: str, arguments: dict[str, Any]
) -> None:
    await api.fleet.ready("pool1", "a")
    await api.fleet.ready("pool2", "b")
    answer = await api.client.post(f"{path}?format=list", **arguments)
    assert answer.json() == {"ok": True, "vms": [A, B]}


async def test_a_repetition_under_a_key_may_ask_for_the_other_form(api: Api) -> None:
    await api.fleet.ready("pool1", "a")
    key = {"Idempotency-Key": "a-key-of-16-bytes"}
    named = await api.client.post(f"{VMS}/pool1", headers=key)
    listed = await api.client.post(f"{VMS}/pool1?format=list", headers=key)
    assert named.json() == {"ok": True, "pool1": {"hostname": "a.example.test"}}
    assert listed.json()["vms"] == [A]


async def test_a_request_has_the_same_members_in_every_state(api: Api) -> None:
    demand = OnDemand(api.fleet)
    path = f"{DEMAND}/r?format=list"
    await demand.accepted("r", "pool1", "pool1")
    await demand.booted("pool1", "a")
    waiting = await api.client.get(path)
    head = {"ok": True, "request_id": "r"}
    counts = [{"name": "pool1", "ready": 1, "pending": 1}]
    assert waiting.status_code == 202
    assert waiting.json() == head | {"ready": False, "vms": [], "counts": counts}
    await demand.booted("pool1", "b")
    ready = await api.client.get(path)
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert [vm["hostname"] for vm in ready.json()["vms"]] == ["a", "b"]
    assert ready.json()["counts"] == [{"name": "pool1", "ready": 2, "pending": 0}]
    await api.client.delete(f"{DEMAND}/r")
    deleted = (await api.client.get(path)).json()
    message = "The request has been deleted"
    assert deleted == head | {"ready": False, "message": message, "vms": [], "counts": []}


async def test_other_forms_are_refused(api: Api) -> None:
    await api.fleet.ready("pool1", "a")
    answer = await api.client.post(f"{VMS}/pool1?format=xml")
    assert (answer.status_code, answer.json()) == (400, {"ok": False, "error": "format must be list"})
    answer = await api.client.get(f"{DEMAND}/r?format=xml")
    assert (answer.status_code, answer.json()) == (400, {"ok": False, "message": "format must be list"})
    assert await api.fleet.state("a") == "ready"


@pytest.mark.parametrize("prefix", ["/api/v1", "/api/v2", ""])
async def test_older_versions_answer_as_ever(api: Api, prefix: str) -> None:
    await api.fleet.ready("pool1", "a")
    answer = await api.client.post(f"{prefix}/vm/pool1?format=list&wait=1")
    assert "pool1" in answer.json()
    assert "vms" not in answer.json()
