"""VMs whose records are kept at a real name server: they appear, change and go, whatever happens."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.manager.site import OFTEN, Pools, Site
from tests.support.bind import ZONE, Bind
from tests.support.eventually import eventually
from tests.support.faults import Moment, contains
from tests.support.proxy import Proxy
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService
from vmpooler_common.model.events import EventName
from vmpooler_common.model.problem import ProblemKind
from vmpooler_manager.dns.contract import RecordOwner
from vmpooler_manager.dns.rfc2136.plugin import Rfc2136


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    bind = Bind(tmp_path_factory.mktemp("bind"))
    bind.start()
    yield bind
    bind.kill()


@pytest.fixture
def bind(server: Bind) -> Iterator[Bind]:
    """Give the server with an empty zone."""
    for name in server.names():
        server.delete(name)
    yield server
    server.resume()


def with_dns(
    site: Site, bind: Bind, pools: Pools, *, dns: dict[str, Any] | None = None, **options: Any
) -> dict[str, Any]:
    document = site.document(pools, **options)
    document["dns_configs"]["test"] = bind.settings(timeout=0.5, **(dns or {}))
    return document


def host(name: str) -> str:
    return f"{name}.{ZONE}"


async def until(condition: Callable[[], bool]) -> None:
    async def look() -> bool:
        assert await asyncio.to_thread(condition)
        return True

    await eventually(look)


async def test_records_appear_before_a_vm_is_ready_and_go_with_it(site: Site, bind: Bind) -> None:
    await site.start_with(with_dns(site, bind, {"debian": 2}))
    names = await site.ready("debian", 2)
    assert bind.names() == {host(name) for name in names}
    for name in names:
        record, _ = await site.store.checkouts.look_up(name)
        assert record is not None
        assert bind.addresses_of(host(name)) == {record.ip}
    [taken] = await site.take("debian")
    await site.release(taken)
    await site.becomes(taken, "gone")
    await until(lambda: host(taken) not in bind.names())


async def test_records_lead_to_the_new_address_of_a_vm_that_somebody_has(site: Site, bind: Bind) -> None:
    await site.start_with(with_dns(site, bind, {"debian": 1}, listing=OFTEN))
    await site.ready("debian", 1)
    [taken] = await site.take("debian")
    site.moods.set(address="192.0.2.77")
    await until(lambda: bind.addresses_of(host(taken)) == {"192.0.2.77"})
    assert await asyncio.to_thread(bind.names_of, "192.0.2.77")


async def test_a_server_that_hangs_delays_vms_and_loses_none(site: Site, bind: Bind) -> None:
    bind.pause()
    with capture_logs() as logs:
        manager = await site.start_with(with_dns(site, bind, {"debian": 2}))
        await eventually(lambda: _is_told(site, "didn't answer within 0.5 s"))
        assert manager.metric("dns_failing", dns="test") == 1
        waiting = set(await site.members("pending", "debian"))
        assert len(waiting) == 2
        assert not await site.members("ready", "debian")
        bind.resume()
        assert set(await site.ready("debian", 2)) == waiting
    assert bind.names() == {host(name) for name in waiting}
    assert manager.metric("dns_failing", dns="test") == 0
    told = [line["event"] for line in logs if line.get("what") == "DNS records"]
    assert told == [EventName.OUTAGE_BEGAN, EventName.OUTAGE_ENDED]


async def test_records_are_removed_when_the_server_is_back_by_whichever_manager(
    site: Site, bind: Bind
) -> None:
    document = with_dns(site, bind, {"debian": 1})
    first = await site.start_with(document)
    await site.ready("debian", 1)
    [taken] = await site.take("debian")
    await site.ready("debian", 1)
    bind.pause()
    await site.release(taken)
    await site.becomes(taken, "gone")
    assert taken not in site.in_cloud()
    await first.stop()
    await site.start_with(document)
    bind.resume()
    await until(lambda: host(taken) not in bind.names())
    await eventually(lambda: _is_settled(site))


async def test_a_name_that_somebody_takes_meanwhile_is_theirs_and_another_one_is_drawn(
    site: Site, bind: Bind
) -> None:
    site.moods.set(inspect="fail", create="wait")
    await site.start_with(with_dns(site, bind, {"debian": 1}))

    async def has_a_name() -> bool:
        assert await site.members("pending", "debian")
        return True

    await eventually(has_a_name)
    [taken] = await site.members("pending", "debian")
    await asyncio.to_thread(bind.add, host(taken))
    site.moods.set()
    [name] = await site.ready("debian", 1)
    assert name != taken
    assert await site.reason(taken) == "name_taken"
    await site.becomes(taken, "gone")
    await eventually(lambda: _is_settled(site))
    assert bind.addresses_of(host(taken)) == {"192.0.2.99"}
    assert bind.addresses_of(host(name)) != set()


async def test_names_that_dns_knows_are_passed_over(site: Site, bind: Bind) -> None:
    bind.add(f"*.{ZONE}")
    checked = {"skip_dns_check_before_creating_vm": False}
    manager = await site.start_with(
        with_dns(site, bind, {"debian": 1}, provider=checked, check_loop_delay_max=0.5)
    )
    await eventually(lambda: _is_told(site, "set skip_dns_check_before_creating_vm"))
    assert site.in_cloud() == set()
    assert (manager.metric("dns_names_taken_total", dns="test") or 0) > 0
    bind.delete(f"*.{ZONE}")
    [name] = await site.ready("debian", 1)
    assert bind.names() == {host(name)}


async def test_orphaned_records_are_removed_and_those_of_living_vms_and_of_others_stay(
    site: Site, bind: Bind
) -> None:
    await site.start_with(with_dns(site, bind, {"debian": 1}, dns={"orphan_check_interval": 0.005}))
    [name] = await site.ready("debian", 1)
    (generation,) = await site.store.connection.call(("GET", f"{site.prefix}:generation"))
    plugin = Rfc2136("test", bind.settings())
    await plugin.open()

    async def publish(vm: str, installation: str, generation: str) -> None:
        owner = RecordOwner(installation, generation, "dummy", "debian", vm, f"attempt-of-{vm}")
        await plugin.publish(host(vm), ["192.0.2.41"], owner)

    await publish("orphan", "test", str(generation))
    await publish("old", "test", "of-another-data-set")
    await publish("other", "another-installation", str(generation))
    await asyncio.to_thread(bind.add, host("foreign"))
    await until(lambda: host("orphan") not in bind.names())
    assert bind.names() == {host(one) for one in (name, "old", "other", "foreign")}


async def test_records_of_an_entry_that_is_gone_wait_until_somebody_says_what_becomes_of_them(
    site: Site, bind: Bind
) -> None:
    first = await site.start_with(with_dns(site, bind, {"debian": 1}, check_loop_delay_max=0.5))
    [name] = await site.ready("debian", 1)
    await first.stop()
    without = site.document({"debian": {"size": 0, "dns_plugin": "other"}}, check_loop_delay_max=0.5)
    without["dns_configs"] = {"other": {"domain": "other.example"}}
    with capture_logs() as logs:
        second = await site.start_with(without)
        await site.becomes(name, "gone")
        await until(lambda: any("has no entry 'test' any more" in str(line.get("reason")) for line in logs))
    await second.stop()
    without["dns_configs"]["test"] = {"dns_class": "dynamic-dns", "domain": ZONE}
    await site.start_with(without)
    await eventually(lambda: _is_settled(site))
    assert bind.names() == {host(name)}


async def test_a_plug_in_that_cannot_be_used_keeps_its_pools_from_cloning_and_is_told(
    site: Site, bind: Bind, tmp_path: Path
) -> None:
    document = with_dns(
        site, bind, {"debian": 1}, dns={"key_secret": None, "key_file": str(tmp_path / "key")}
    )
    manager = await site.start_with(document)
    await eventually(lambda: _is_told(site, "can't be read"))
    assert "no pool can be served: DNS test: key_file" in manager.complaint()
    assert await site.members("pending", "debian") == []
    other = await site.start_with(with_dns(site, bind, {"debian": 1}))
    await site.ready("debian", 1)
    assert other.complaint() == ""


@pytest.mark.parametrize(
    ("script", "moment"),
    [
        ("begin_records", Moment.AFTER),
        ("promote", Moment.BEFORE),
        ("note_destroyed", Moment.AFTER),
        ("settle_records", Moment.BEFORE),
    ],
    ids=["before the records", "between records and ready", "before their removal", "after their removal"],
)
async def test_a_manager_that_is_killed_leaves_no_vm_without_records_and_no_records_without_a_vm(
    site: Site,
    bind: Bind,
    redis_server: RedisServer,
    make_service: MakeService,
    script: str,
    moment: Moment,
) -> None:
    plain = {"provider_class": "dummy"}
    async with Proxy(redis_server.port) as proxy:
        document = with_dns(site, bind, {"debian": 1}, provider=plain)
        document["redis"]["url"] = proxy.url
        victim = make_service("manager", document=document)
        dying = script in ("note_destroyed", "settle_records")
        if dying:
            await victim.start()
            await site.ready("debian", 1)
        digest = site.store.scripts.digests[script]
        fault = proxy.cut(contains(digest), moment, callback=victim.kill)
        if dying:
            await site.release(*await site.take("debian"))
        else:
            victim.launch()
        await until(lambda: fault.hits > 0)
        heir = make_service(
            "manager", document=with_dns(site, bind, {"debian": 1}, provider=plain), label="heir"
        )
        await heir.start()
        await eventually(lambda: _is_settled(site))
        [name] = await site.ready("debian", 1)
        await until(lambda: bind.names() == {host(name)})
        await heir.stop()


async def _is_told(site: Site, text: str) -> bool:
    problem = (await site.numbers("debian")).problem
    assert problem is not None
    assert problem.kind is ProblemKind.DNS
    assert text in problem.text
    return True


async def _is_settled(site: Site) -> bool:
    (left,) = await site.store.connection.call(("ZCARD", f"{site.prefix}:dns_due:debian"))
    assert left == 0
    return True
