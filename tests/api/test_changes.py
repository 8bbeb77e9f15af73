"""Changing a VM that somebody has, beyond what the checklist says of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.api.in_process import Api
from tests.store.fleet import SITUATIONS
from vmpooler_common.store.vms.changes import MOST_TAGS

ONE = "/api/v3/vm/one"
JENKINS = (
    "https://ci.example.test/job/suite_installer_main/PLATFORM=debian-12,RMM_COMPONENT=a%20b/17/?x=1&y#z"
)
GONE = "no running VM is called one: it was returned, or has ended, or never was"


async def put(api: Api, body: Any, **headers: str) -> tuple[int, Any]:
    answer = await api.client.put(ONE, json=body, headers=headers)
    return answer.status_code, answer.json()


async def told(api: Api) -> dict[str, Any]:
    report: dict[str, Any] = (await api.client.get(ONE)).json()["one"]
    return report


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", None])
async def test_the_body_is_json_whatever_its_type(api: Api, kind: str | None) -> None:
    await api.fleet.running("pool1", "one")
    headers = {} if kind is None else {"Content-Type": kind}
    answer = await api.client.put(ONE, content=b'{"lifetime": "7", "tags": {"a": "50%"}}', headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert ((await told(api))["lifetime"], (await told(api))["tags"]) == (7, {"a": "50%"})


async def test_a_vm_that_outlived_its_new_lifetime_is_overdue(api: Api) -> None:
    """It is ended at once; what is asked for is a time since the checkout, not one from now on."""
    await api.fleet.running("pool1", "one", lifetime=timedelta(hours=9))
    record = f"{api.fleet.prefix}:vm:one"
    await api.fleet.client.hincrby(record, "checkout", -2 * 3_600_000)
    assert (await put(api, {"lifetime": 1}))[0] == 200
    assert (await told(api))["remaining"] == pytest.approx(-1, abs=0.1)


async def test_the_address_of_a_build_is_a_tag(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    assert (await put(api, {"tags": {"jenkins_build_url": JENKINS}}))[0] == 200
    assert (await told(api))["tags"] == {"jenkins_build_url": JENKINS}


async def test_a_vm_has_so_many_tags_at_most(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    tags = {f"tag-{number}": "x" for number in range(MOST_TAGS)}
    assert (await put(api, {"tags": tags}))[0] == 200
    before = await api.fleet.dataset()
    failure = f"A VM may have at most {MOST_TAGS} tags"
    refused = await put(api, {"lifetime": 5, "tags": {"one-more": "x"}})
    assert refused == (400, {"ok": False, "failure": [failure]})
    assert await api.fleet.dataset() == before
    assert (await put(api, {"tags": {"tag-0": "y"}}))[0] == 200


async def test_a_body_that_is_too_large_is_refused(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    error = {"ok": False, "error": "Request body too large"}
    assert await put(api, {"tags": {"a": "x" * 10_240}}) == (400, error)


@pytest.mark.parametrize("situation", [name for name in SITUATIONS if name != "running"])
async def test_only_a_running_vm_is_changed(api: Api, situation: str) -> None:
    await SITUATIONS[situation](api.fleet, "pool1", "one")
    before = await api.fleet.dataset()
    assert await put(api, {"lifetime": 5, "tags": {"a": "b"}}) == (404, {"ok": False, "message": GONE})
    assert await api.fleet.dataset() == before


async def test_the_spelling_of_a_name_counts_and_its_domain_does_not(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    assert (await api.client.put("/api/v3/vm/ONE", json={"lifetime": 5})).status_code == 404
    assert (await api.client.put("/api/v3/vm/one.what.ever", json={"lifetime": 5})).status_code == 200


async def test_changes_are_logged_with_who_made_them_but_without_values(secured_api: Api) -> None:
    await secured_api.fleet.running("pool1", "one", token="good")
    with capture_logs() as logs:
        await put(secured_api, {"tags": {"b": "secret", "a": "x"}, "lifetime": 5}, **{"X-AUTH-TOKEN": "good"})
        await put(secured_api, {})
        await put(secured_api, {"tags": {"a": "y"}})
    [line] = [line for line in logs if line["event"] == "vm.changed"]
    assert (line["vm"], line["pool"], line["provider_id"]) == ("one", "pool1", "id-one")
    assert (line["user"], line["owner"], line["tags"]) == ("alice", "alice", ["a", "b"])
    noted, end = line["ends"], (await told(secured_api))["end_time"]
    assert datetime.fromisoformat(noted).replace(microsecond=0) == datetime.fromisoformat(end)
    assert "secret" not in str(logs)


async def test_what_is_wrong_is_told_only_to_who_may_change_the_vm(secured_api: Api) -> None:
    await secured_api.fleet.token("bobs", "bob")
    await secured_api.fleet.running("pool1", "one", token="good")
    wrong = {"nope": 1, "tags": {"a": 1}}
    assert (await put(secured_api, wrong))[0] == 401
    assert (await put(secured_api, wrong, **{"X-AUTH-TOKEN": "bobs"}))[0] == 403
    assert (await put(secured_api, wrong, **{"X-AUTH-TOKEN": "good"}))[0] == 400


async def test_an_anonymous_vm_is_tagged_by_everybody(secured_api: Api) -> None:
    await secured_api.fleet.running("pool1", "one")
    assert (await put(secured_api, {"tags": {"a": "b"}}))[0] == 200
    assert (await put(secured_api, {"tags": {"a": "c"}}, **{"X-AUTH-TOKEN": "bad"}))[0] == 200


async def test_a_lifetime_among_other_changes_needs_its_token(secured_api: Api) -> None:
    await secured_api.fleet.running("pool1", "one")
    for body in ({"lifetime": 5, "tags": {"a": "b"}}, {"tags": {"a": "b"}, "lifetime": 5}):
        assert (await put(secured_api, body))[0] == 401


async def test_the_old_versions_change_vms_too(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    for version, hours in (("v1", 5), ("v2", 6)):
        answer = await api.client.put(f"/api/{version}/vm/one", json={"lifetime": hours})
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
        assert (await told(api))["lifetime"] == hours
