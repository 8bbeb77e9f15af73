"""vmfloaty works with each version that it may be set up for."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from tests.api.in_process import Api
from tests.clients.conftest import TOKEN
from tests.clients.vmfloaty import PoolerError, Vmfloaty
from tests.store.ondemand import OnDemand
from tests.store.task_helpers import TaskHelpers

DEBIAN, ROCKY = "debian-12-x86_64", "rocky-9-x86_64"
WANTED = {DEBIAN: 2, ROCKY: 1}


@pytest.fixture(params=["v1", "v2", "v3"])
async def floaty(api: Api, request: pytest.FixtureRequest) -> AsyncIterator[Vmfloaty]:
    """Yield alice's command line."""
    url = f"{api.client.base_url}/api/{request.param}"
    async with aclosing(Vmfloaty(url, user="alice", password="secret", token=TOKEN)) as floaty:
        yield floaty


async def test_pools_are_listed(floaty: Vmfloaty) -> None:
    assert await floaty.list_pools() == [DEBIAN, ROCKY]


async def test_vms_are_taken_looked_at_and_given_back(api: Api, floaty: Vmfloaty) -> None:
    await api.fleet.ready(DEBIAN, "one", "two")
    await api.fleet.ready(ROCKY, "three")
    taken = await floaty.get(WANTED)
    assert taken == {DEBIAN: ["one.example.test", "two.example.test"], ROCKY: ["three.example.test"]}
    assert sorted(await floaty.list_active(TOKEN)) == ["one", "three", "two"]
    for hostname in ("one", "one.example.test"):
        vm = await floaty.query(hostname)
        assert (vm["template"], vm["running"] < vm["lifetime"]) == (DEBIAN, True)
        assert "one.example.test" in (vm.get("fqdn"), f"one.{vm.get('domain')}")
    given_back = await floaty.delete("one.example.test", "two", "three")
    assert given_back == {"one.example.test": True, "two": True, "three": True}
    assert await floaty.delete("one") == {"one": False}
    assert await floaty.list_active(TOKEN) == []


async def test_a_vm_is_modified(api: Api, floaty: Vmfloaty) -> None:
    await api.fleet.running(DEBIAN, "one", token=TOKEN)
    change = '{"lifetime":11,"tags":{"project":"100 percent","url":"http://ci.example/job/5"}}'
    for hostname in ("one", "one.example.test"):
        answer = await floaty.modify(hostname, change)
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
    vm = await floaty.query("one")
    assert vm["lifetime"] == 11
    assert vm["tags"] == {"project": "100 percent", "url": "http://ci.example/job/5"}
    refused = await floaty.modify("one", '{"lifetime":0}')
    assert (refused.status_code, refused.json()["ok"]) == (400, False)


async def test_a_disk_is_added(api: Api, floaty: Vmfloaty) -> None:
    await api.fleet.running(DEBIAN, "one", token=TOKEN)
    answer = await floaty.modify("one", '{"disk":10}')
    assert answer.json()["ok"] is True
    assert await api.fleet.store.task_leases.done(await TaskHelpers(api.fleet).brought())
    assert (await floaty.query("one"))["disk"] == ["+10gb"]


async def test_a_snapshot_is_taken_and_gone_back_to(api: Api, floaty: Vmfloaty) -> None:
    await api.fleet.running(DEBIAN, "one", token=TOKEN)
    snapshot = await floaty.snapshot("one")
    assert not await floaty.revert("one", snapshot)
    assert await api.fleet.store.task_leases.done(await TaskHelpers(api.fleet).brought())
    assert (await floaty.query("one"))["snapshots"] == [snapshot]
    assert await floaty.revert("one", snapshot)


async def test_what_isnt_there_is_an_error_that_it_can_read(floaty: Vmfloaty) -> None:
    with pytest.raises(PoolerError, match="503"):
        await floaty.get({"debian": 1})
    with pytest.raises(PoolerError, match="404"):
        await floaty.get({"nope": 1})


async def test_a_token_that_isnt_known_is_an_error_that_it_can_read(api: Api) -> None:
    await api.fleet.ready(DEBIAN, "one")
    url = f"{api.client.base_url}/api/v3"
    async with aclosing(Vmfloaty(url, user="alice", password="x", token="unknown")) as floaty:
        with pytest.raises(PoolerError, match="401"):
            await floaty.get({"debian": 1})


async def test_vms_on_demand_are_waited_for(api: Api, floaty: Vmfloaty) -> None:
    await api.fleet.store.request_inbox.prepare()
    request = await floaty.request(WANTED)
    assert await floaty.look_at(request) is None
    demand = OnDemand(api.fleet)
    ((entry, named),) = await demand.entries()
    await api.fleet.store.backlog.accept(named, entry=entry)
    await demand.booted(DEBIAN, "one")
    await demand.booted(DEBIAN, "two")
    assert await floaty.look_at(request) is None
    await demand.booted(ROCKY, "three")
    assert await floaty.look_at(request) == {
        DEBIAN: ["one.example.test", "two.example.test"],
        ROCKY: ["three.example.test"],
    }


async def test_a_request_that_nobody_knows_is_an_error(floaty: Vmfloaty) -> None:
    with pytest.raises(PoolerError):
        await floaty.look_at("unknown")


async def test_the_status_is_printed(api: Api, floaty: Vmfloaty) -> None:
    await api.fleet.ready(DEBIAN, "one", "two")
    message, missing = await floaty.status()
    assert message == "Found 1 empty pools."
    assert missing == {DEBIAN: 3, ROCKY: 2}


async def test_the_summary_is_printed(floaty: Vmfloaty) -> None:
    assert {"boot", "clone", "daily"} <= set(await floaty.summary())


async def test_a_token_is_made_shown_and_deleted(floaty: Vmfloaty) -> None:
    token = await floaty.make_token()
    assert await floaty.list_active(token) == []
    assert await floaty.delete_token(token)
    assert not await floaty.delete_token(token)
