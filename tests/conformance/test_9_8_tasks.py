"""Section 9.8 of the checklist, as far as it is about disks and snapshots.

Where an item names Redis keys, what they mean is looked at: what the VM tells of its tasks, and what a
manager is given to do.
"""

import re

import httpx
import pytest

from tests.api.in_process import Api
from tests.store.fleet import Fleet
from tests.store.task_helpers import TaskHelpers, disk, snapshot
from tests.support.refusals import refusal_of
from vmpooler_common.model.vm import TaskKind

IDENTIFIER = re.compile(r"[a-z][a-z0-9]{31}")
GOOD = {"X-AUTH-TOKEN": "good"}
BAD = {"X-AUTH-TOKEN": "bad"}
PLAIN = (404, {"ok": False})


async def what_waits(fleet: Fleet, vm: str) -> list[tuple[TaskKind, str]]:
    """Give the tasks of a VM that a manager is still to do: kind and detail."""
    return [
        (task.kind, task.detail) for task in await TaskHelpers(fleet).tasks(vm) if task.state == "pending"
    ]


async def test_165_disks_are_a_list(fleet: Fleet, client: httpx.AsyncClient) -> None:
    """[C] Given tag fields, then `tags` object; snapshot fields, then `snapshots` list; `disk`
    `+8gb:+9gb`, then list of two.
    """
    await fleet.running("pool1", "one")
    await TaskHelpers(fleet).done("one", disk("d", 8))
    assert (await client.get("/api/v3/vm/one")).json()["one"]["disk"] == ["+8gb"]
    await TaskHelpers(fleet).done("one", disk("e", 9))
    assert (await client.get("/api/v3/vm/one")).json()["one"]["disk"] == ["+8gb", "+9gb"]


async def test_165_snapshots_are_a_list(fleet: Fleet, client: httpx.AsyncClient) -> None:
    await fleet.running("pool1", "one")
    await TaskHelpers(fleet).done("one", snapshot("s"), snapshot("t"))
    assert (await client.get("/api/v3/vm/one")).json()["one"]["snapshots"] == ["s", "t"]


async def test_165_a_vm_without_disks_and_snapshots_has_no_such_members(
    fleet: Fleet, client: httpx.AsyncClient
) -> None:
    await fleet.running("pool1", "one")
    await TaskHelpers(fleet).asked("one", disk("d"), snapshot("s"))
    assert not {"disk", "snapshots"} & (await client.get("/api/v3/vm/one")).json()["one"].keys()


async def test_192_a_disk_is_accepted_for_a_manager_to_add(fleet: Fleet, client: httpx.AsyncClient) -> None:
    """[C] Given a VM, when POST disk/8, then 202, `H.disk` = `+8gb`, and `vmpooler__tasks__disk`
    contains `H:8`.
    """
    await fleet.running("pool1", "one")
    answer = await client.post("/api/v3/vm/one/disk/8")
    assert (answer.status_code, answer.json()) == (202, {"ok": True, "one": {"disk": "+8gb"}})
    assert await what_waits(fleet, "one") == [(TaskKind.DISK, "8")]
    taken = await TaskHelpers(fleet).brought()
    assert (taken.vm, taken.kind, taken.detail) == ("one", TaskKind.DISK, "8")


async def test_192_two_disks_of_one_size_are_two(fleet: Fleet, client: httpx.AsyncClient) -> None:
    """Better than 3.x, where a second one that came early was lost."""
    await fleet.running("pool1", "one")
    for _ in range(2):
        assert (await client.post("/api/v3/vm/one/disk/8")).status_code == 202
    assert await what_waits(fleet, "one") == [(TaskKind.DISK, "8")] * 2


async def test_192_a_size_is_normalised(fleet: Fleet, client: httpx.AsyncClient) -> None:
    """Better than 3.x, which echoed leading zeros."""
    await fleet.running("pool1", "one")
    answer = await client.post("/api/v3/vm/one.example.com/disk/0008")
    assert answer.json() == {"ok": True, "one": {"disk": "+8gb"}}
    assert await what_waits(fleet, "one") == [(TaskKind.DISK, "8")]


async def test_192_a_vm_that_is_not_running_gets_no_disk(fleet: Fleet, client: httpx.AsyncClient) -> None:
    """Better than 3.x, which accepted disks for ready and for destroyed VMs."""
    await fleet.ready("pool1", "one")
    await fleet.gone("pool2", "two")
    for vm in ("one", "two"):
        answer = await client.post(f"/api/v3/vm/{vm}/disk/8")
        assert refusal_of(answer) == PLAIN


@pytest.mark.parametrize(
    ("size", "text"),
    [
        ("0", "Disk size must be at least 1"),
        ("2049", "Disk size must be at most 2048"),
        ("abc", "Disk size must be a valid integer"),
    ],
)
async def test_193_a_wrong_size_is_refused(
    fleet: Fleet, client: httpx.AsyncClient, size: str, text: str
) -> None:
    """[C] Given size 0, 2049, abc, then 400 with the three texts of 2.19; unknown VM, then 404."""
    await fleet.running("pool1", "one")
    answer = await client.post(f"/api/v3/vm/one/disk/{size}")
    assert (answer.status_code, answer.json()) == (400, {"ok": False, "error": text})
    assert await what_waits(fleet, "one") == []


@pytest.mark.parametrize("size", ["1", "2048"])
async def test_193_the_smallest_and_the_largest_size_are_accepted(
    fleet: Fleet, client: httpx.AsyncClient, size: str
) -> None:
    await fleet.running("pool1", "one")
    assert (await client.post(f"/api/v3/vm/one/disk/{size}")).status_code == 202


async def test_193_an_unknown_vm_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v3/vm/one/disk/8")
    assert refusal_of(answer) == PLAIN


@pytest.mark.parametrize("headers", [{}, BAD], ids=["none", "an unknown one"])
@pytest.mark.parametrize("path", ["one/disk/8", "one/disk/abc", "no_name/disk/8", "unknown/disk/8"])
async def test_194_a_disk_needs_a_token(secured_api: Api, path: str, headers: dict[str, str]) -> None:
    """[C] Given auth on and no token, when POST disk (even with a bad size), then 401."""
    await secured_api.fleet.running("pool1", "one")
    answer = await secured_api.client.post(f"/api/v3/vm/{path}", headers=headers)
    assert refusal_of(answer) == (401, {"ok": False})
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert await what_waits(secured_api.fleet, "one") == []


async def test_194_with_a_token_a_disk_is_accepted(secured_api: Api) -> None:
    await secured_api.fleet.running("pool1", "one", token="good")
    answer = await secured_api.client.post("/api/v3/vm/one/disk/8", headers=GOOD)
    assert answer.status_code == 202


async def test_195_a_snapshot_is_accepted_for_a_manager_to_take(
    fleet: Fleet, client: httpx.AsyncClient
) -> None:
    """[C] Given a VM, when POST snapshot, then 202 and a 32-character id, and the task set contains
    `H:id`.
    """
    await fleet.running("pool1", "one")
    answer = await client.post("/api/v3/vm/one/snapshot")
    assert answer.status_code == 202
    name = answer.json()["one"]["snapshot"]
    assert answer.json() == {"ok": True, "one": {"snapshot": name}}
    assert IDENTIFIER.fullmatch(name)
    taken = await TaskHelpers(fleet).brought()
    assert (taken.vm, taken.kind, taken.task) == ("one", TaskKind.SNAPSHOT, name)


async def test_195_an_unknown_vm_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v3/vm/one/snapshot")
    assert refusal_of(answer) == PLAIN


@pytest.mark.parametrize("path", ["snapshot", "snapshot/s"])
async def test_195_a_wrong_host_name_is_refused(client: httpx.AsyncClient, path: str) -> None:
    """Better than 3.x, which looked at none of the names of these routes."""
    answer = await client.post(f"/api/v3/vm/no_name/{path}")
    assert (answer.status_code, answer.json()) == (400, {"ok": False, "error": "Invalid hostname format"})


@pytest.mark.parametrize("vm", ["one", "unknown"])
async def test_196_a_snapshot_needs_a_token(secured_api: Api, vm: str) -> None:
    """[C] Given auth on, when POST snapshot without token, then 401 (also for unknown VMs); with token,
    then 202.
    """
    await secured_api.fleet.running("pool1", "one")
    answer = await secured_api.client.post(f"/api/v3/vm/{vm}/snapshot")
    assert refusal_of(answer) == (401, {"ok": False})
    answer = await secured_api.client.post(f"/api/v3/vm/{vm}/snapshot", headers=GOOD)
    assert answer.status_code == (202 if vm == "one" else 404)


async def test_197_going_back_to_a_snapshot_is_accepted_for_a_manager_to_do(
    fleet: Fleet, client: httpx.AsyncClient
) -> None:
    """[C] Given an existing snapshot field, when POST snapshot/id, then 202 ok and
    `vmpooler__tasks__snapshot-revert` contains `H:id`.
    """
    await fleet.running("pool1", "one")
    name = (await client.post("/api/v3/vm/one/snapshot")).json()["one"]["snapshot"]
    assert await fleet.store.task_leases.done(await TaskHelpers(fleet).brought())
    answer = await client.post(f"/api/v3/vm/one/snapshot/{name}")
    assert (answer.status_code, answer.json()) == (202, {"ok": True})
    taken = await TaskHelpers(fleet).brought(operation="take it, too")
    assert (taken.vm, taken.kind, taken.detail) == ("one", TaskKind.REVERT, name)


async def test_198_a_snapshot_that_is_not_there_is_not_found(fleet: Fleet, client: httpx.AsyncClient) -> None:
    """[C] Given a missing snapshot, when POST snapshot/id, then 404 plain and no task."""
    await fleet.running("pool1", "one")
    await TaskHelpers(fleet).asked("one", snapshot("pending"))
    for path in ("one/snapshot/missing", "one/snapshot/pending", "unknown/snapshot/missing"):
        answer = await client.post(f"/api/v3/vm/{path}")
        assert refusal_of(answer) == PLAIN
    assert await what_waits(fleet, "one") == [(TaskKind.SNAPSHOT, "")]


@pytest.mark.parametrize("name", ["s", "missing"])
async def test_199_going_back_needs_a_token(secured_api: Api, name: str) -> None:
    """[C] Given auth on, when revert without token, then 401."""
    await secured_api.fleet.running("pool1", "one")
    await TaskHelpers(secured_api.fleet).done("one", snapshot("s"))
    answer = await secured_api.client.post(f"/api/v3/vm/one/snapshot/{name}")
    assert refusal_of(answer) == (401, {"ok": False})
    assert await what_waits(secured_api.fleet, "one") == []
