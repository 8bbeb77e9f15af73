"""Tasks on running VMs: who may ask for them, what is told of them, and what is counted."""

import pytest
from structlog.testing import capture_logs

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.store.fleet import Fleet
from tests.store.task_helpers import TaskHelpers, disk, revert, snapshot
from tests.support.refusals import refusal_of
from vmpooler_common.model.features import Feature

OWNER, OTHER, ROOT = ({"X-AUTH-TOKEN": token} for token in ("alices", "bobs", "roots"))
PATHS = ("disk/8", "snapshot", "snapshot/s")


async def arrange(api: Api) -> None:
    """Have a VM of alice's with a snapshot, and tokens of alice, bob and root."""
    for token, user in (("alices", "alice"), ("bobs", "bob"), ("roots", "root")):
        await api.fleet.token(token, user)
    await api.fleet.running("pool1", "one", token="alices")
    await api.fleet.store.tasks.add("one", snapshot("s"), token="alices", needs_token=True, only_owner=True)
    assert await api.fleet.store.task_leases.done(await TaskHelpers(api.fleet).brought())


@pytest.mark.parametrize("path", PATHS)
async def test_another_user_can_have_nothing_done(secured_api: Api, path: str) -> None:
    await arrange(secured_api)
    before = (await secured_api.fleet.dataset()).entries
    answer = await secured_api.client.post(f"/api/v3/vm/one/{path}", headers=OTHER)
    assert refusal_of(answer) == (403, {"ok": False})
    assert (await secured_api.fleet.dataset()).entries == before


@pytest.mark.parametrize("path", PATHS)
async def test_an_admin_can(with_api: WithApi, path: str) -> None:
    async with with_api(auth="dummy", config={"admins": "root"}) as api:
        await arrange(api)
        assert (await api.client.post(f"/api/v3/vm/one/{path}", headers=ROOT)).status_code == 202


async def test_without_the_rule_everybody_with_a_token_can(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"enforce_ownership": False}) as api:
        await arrange(api)
        assert (await api.client.post("/api/v3/vm/one/disk/8", headers=OTHER)).status_code == 202


async def test_a_vm_taken_with_a_token_needs_one_even_when_authentication_was_turned_off(api: Api) -> None:
    await arrange(api)
    assert (await api.client.post("/api/v3/vm/one/disk/8")).status_code == 401
    assert (await api.client.post("/api/v3/vm/one/disk/8", headers=OTHER)).status_code == 403
    assert (await api.client.post("/api/v3/vm/one/disk/8", headers=OWNER)).status_code == 202


async def test_too_many_tasks_are_a_conflict_that_says_so(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    for _ in range(10):
        assert (await api.client.post("/api/v3/vm/one/snapshot")).status_code == 202
    answer = await api.client.post("/api/v3/vm/one/disk/8")
    message = "too many tasks of one are waiting; try again when some are over"
    assert (answer.status_code, answer.json()) == (409, {"ok": False, "message": message})


@pytest.mark.parametrize(
    ("method", "path", "body", "can", "message"),
    [
        ("POST", "/disk/8", None, Feature.SNAPSHOTS, "the cloud of this VM can't add disks"),
        ("PUT", "", {"disk": 8}, Feature.SNAPSHOTS, "the cloud of this VM can't add disks"),
        ("POST", "/snapshot", None, Feature.DISKS, "the cloud of this VM can't take snapshots"),
        ("POST", "/snapshot/s", None, Feature.DISKS, "the cloud of this VM can't take snapshots"),
    ],
)
async def test_what_a_cloud_can_not_do_is_refused_at_once(
    with_api: WithApi, method: str, path: str, body: object, can: Feature, message: str
) -> None:
    async with with_api(features=frozenset({can})) as api:
        await api.fleet.running("pool1", "one")
        answer = await api.client.request(method, f"/api/v3/vm/one{path}", json=body)
        assert (answer.status_code, answer.json()) == (409, {"ok": False, "message": message})
        other = "/snapshot" if can is Feature.SNAPSHOTS else "/disk/8"
        assert (await api.client.post(f"/api/v3/vm/one{other}")).status_code == 202


async def test_a_vm_tells_what_became_of_its_tasks(api: Api) -> None:
    fleet, chores = api.fleet, TaskHelpers(api.fleet)
    await fleet.running("pool1", "one")
    await chores.done("one", snapshot("s"), disk("d", 8))
    await chores.asked("one", disk("e", 9))
    await fleet.store.task_leases.failed(await chores.brought(operation="fail"), reason="no space left")
    await chores.done("one", revert("r", "s"))
    await chores.asked("one", disk("f", 10))
    report = (await api.client.get("/api/v3/vm/one")).json()["one"]
    assert report["tasks"] == [
        {"id": "s", "kind": "snapshot", "state": "done", "snapshot": "s"},
        {"id": "d", "kind": "disk", "state": "done", "disk": "+8gb"},
        {"id": "e", "kind": "disk", "state": "failed", "disk": "+9gb", "reason": "no space left"},
        {"id": "r", "kind": "revert", "state": "done", "snapshot": "s"},
        {"id": "f", "kind": "disk", "state": "pending", "disk": "+10gb"},
    ]
    assert report["snapshots"] == ["s"]
    assert "disk" not in report  # the only one went when the VM was put back


async def test_disks_and_snapshots_stand_where_old_clients_know_them(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    await TaskHelpers(api.fleet).done("one", snapshot("s"), disk("d"))
    members = list((await api.client.get("/api/v3/vm/one")).json()["one"])
    assert members[members.index("state") :] == ["state", "snapshots", "disk", "ip", "fqdn", "host", "tasks"]


async def test_a_vm_that_is_gone_still_tells_its_tasks(fleet: Fleet, api: Api) -> None:
    await fleet.running("pool1", "one")
    await TaskHelpers(fleet).asked("one", disk("d"))
    await api.client.delete("/api/v3/vm/one")
    ((task,)) = (await api.client.get("/api/v3/vm/one")).json()["one"]["tasks"]
    assert (task["state"], task["reason"]) == ("failed", "the VM was returned, or its lifetime was over")


async def test_what_is_asked_for_is_counted_and_logged(secured_api: Api) -> None:
    await arrange(secured_api)
    with capture_logs() as logs:
        for path in ("disk/8", "disk/x", "snapshot/x"):
            await secured_api.client.post(f"/api/v3/vm/one/{path}", headers=OWNER)
        await secured_api.client.post("/api/v3/vm/one/snapshot", headers=OTHER)
        await secured_api.client.post("/api/v3/vm/one/disk/8")
    counted = {
        (kind, result): secured_api.metric("vm_task_orders_total", kind=kind, result=result)
        for kind, result in (("disk", "accepted"), ("unknown", "refused"), ("unknown", "unauthorized"))
    }
    assert counted == {("disk", "accepted"): 1, ("unknown", "refused"): 2, ("unknown", "unauthorized"): 2}
    ((entry,)) = [entry for entry in logs if entry["event"] == "task.accepted"]
    facts = {name: entry[name] for name in ("vm", "kind", "detail", "pool", "provider_id", "user")}
    assert facts == {
        "vm": "one",
        "kind": "disk",
        "detail": "8",
        "pool": "pool1",
        "provider_id": "id-one",
        "user": "alice",
    }


# As vmfloaty asks for a disk


async def test_a_disk_is_also_a_change_of_the_vm(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    answer = await api.client.put("/api/v3/vm/one", json={"disk": "08"})
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert (await TaskHelpers(api.fleet).brought()).detail == "8"
    assert api.metric("vm_task_orders_total", kind="disk", result="accepted") == 1


async def test_a_disk_is_added_together_with_the_other_changes_or_not_at_all(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    body = {"lifetime": 3, "tags": {"a": "b"}, "disk": 8}
    assert (await api.client.put("/api/v3/vm/one", json={**body, "lifetime": 0})).status_code == 400
    assert (await api.client.put("/api/v3/vm/one", json={**body, "disk": 0})).status_code == 400
    before = (await api.client.get("/api/v3/vm/one")).json()["one"]
    assert not {"tags", "tasks"} & before.keys()
    assert (await api.client.put("/api/v3/vm/one", json=body)).status_code == 200
    after = (await api.client.get("/api/v3/vm/one")).json()["one"]
    assert (after["lifetime"], after["tags"], len(after["tasks"])) == (3, {"a": "b"}, 1)


async def test_nothing_is_changed_when_too_many_tasks_wait(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    await TaskHelpers(api.fleet).asked("one", *(disk(f"d{number}") for number in range(10)))
    answer = await api.client.put("/api/v3/vm/one", json={"tags": {"a": "b"}, "disk": 8})
    message = "too many tasks of one are waiting; try again when some are over"
    assert (answer.status_code, answer.json()) == (409, {"ok": False, "message": message})
    assert "tags" not in (await api.client.get("/api/v3/vm/one")).json()["one"]


async def test_a_wrong_size_is_a_failure_beside_the_others(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    answer = await api.client.put("/api/v3/vm/one", json={"disk": 0, "foo": "bar"})
    failure = ["Disk size must be at least 1", "Unknown argument bar."]
    assert (answer.status_code, answer.json()) == (400, {"ok": False, "failure": failure})


async def test_a_disk_as_a_change_needs_a_token_like_any_other(secured_api: Api) -> None:
    await arrange(secured_api)
    await secured_api.fleet.running("pool2", "anonymous")
    put = secured_api.client.put
    assert (await put("/api/v3/vm/anonymous", json={"disk": 8})).status_code == 401
    assert (await put("/api/v3/vm/anonymous", json={"disk": 8}, headers=OTHER)).status_code == 200
    assert (await put("/api/v3/vm/one", json={"disk": 8}, headers=OTHER)).status_code == 403
    assert (await put("/api/v3/vm/one", json={"disk": 8}, headers=OWNER)).status_code == 200
