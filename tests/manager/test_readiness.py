"""When a VM can be used: by its pool's check, its address, and what its guest calls itself."""

import socket

from tests.manager.ondemand_requests import OnDemand
from tests.manager.running_manager import RunningManager
from tests.manager.site import OFTEN, Pools, Site
from tests.support.eventually import eventually
from tests.support.ports import free_port


async def test_a_vm_is_ready_once_its_port_accepts_connections(site: Site) -> None:
    site.moods.set(address="127.0.0.1")
    port = free_port()
    manager = await site.start({"debian": {"size": 1, "ready_check": f"tcp:{port}"}})
    await eventually(lambda: _called(manager, "inspect", 3))
    numbers = await site.numbers("debian")
    assert (numbers.ready, numbers.pending) == (0, 1)
    with socket.create_server(("127.0.0.1", port)):
        [name] = await site.ready("debian", 1)
    assert await _record(site, name, "ip") == "127.0.0.1"


async def test_who_waits_is_told_what_a_vm_lacked_to_be_ready(site: Site, requests: OnDemand) -> None:
    site.moods.set(address="127.0.0.1")
    port = free_port()
    pool = {"size": 0, "ready_check": f"tcp:{port}", "timeout": 0.02}
    await site.start({"debian": pool}, max_vm_retries=1)
    await requests.open("r1", "debian")
    reason = await requests.failed("r1")
    assert f"not ready in time: port {port} of 127.0.0.1 accepts no connection" in reason


async def test_an_address_that_changes_is_written_down(site: Site) -> None:
    site.moods.set(address="127.0.0.1")
    await site.start({"debian": 2}, listing=OFTEN)
    ready, _ = await site.ready("debian", 2)
    [running] = await site.take("debian")
    site.moods.set(address="127.0.0.9")

    async def moved() -> bool:
        return {await _record(site, name, "ip") for name in (ready, running)} == {"127.0.0.9"}

    await eventually(moved)
    assert await site.state(running) == "running"


async def test_a_ready_vm_that_calls_itself_by_another_name_is_replaced_after_a_minute(site: Site) -> None:
    pools: Pools = {"debian": 1, "windows": {"size": 1, "check_hostname_for_mismatch": False}}
    await site.start(pools)
    [wrong] = await site.ready("debian", 1)
    [other] = await site.ready("windows", 1)
    for pool, name in (("debian", wrong), ("windows", other)):
        site.cloud.change(site.row(name)["id"], hostname="template.example.test")
        key = f"{site.prefix}:ready:{pool}"
        await site.store.connection.call(("ZINCRBY", key, -61_000, name))
    await site.stop()
    manager = await site.start(pools, listing=OFTEN)
    await site.becomes(wrong, "gone")
    assert await site.reason(wrong) == "hostname_mismatch"
    await eventually(lambda: _called(manager, "list_vms", 4))
    assert await site.state(other) == "ready"


async def _called(manager: RunningManager, operation: str, times: int) -> bool:
    return manager.calls(operation) >= times


async def _record(site: Site, name: str, field: str) -> str:
    (value,) = await site.store.connection.call(("HGET", f"{site.prefix}:vm:{name}", field))
    return str(value)
