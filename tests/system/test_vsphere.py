"""Managers and an API with a simulated vCenter: what users do, and what dies, is cut or misconfigured."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pyVmomi import vim

from tests.support.eventually import eventually
from tests.support.redis_server import RedisServer
from tests.system.vsphere_site import VsphereSite
from tests.vsphere.simulated import TEMPLATE, Simulator, in_thread, simulator
from tests.vsphere.wire import Wire

FULL = 50
KILLS = 4
PATIENT = 120.0
"""Seconds; two busy cores need a while for fifty clones."""


@pytest.fixture(scope="module")
def vcenter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("vcenter")) as running:
        yield running


@pytest.fixture
async def site(
    vcenter: Simulator, redis_server: RedisServer, redis_prefix: str, tmp_path: Path
) -> AsyncIterator[VsphereSite]:
    async with Wire(vcenter.port) as wire:
        site = VsphereSite(tmp_path, redis_server, redis_prefix, vcenter=vcenter, wire=wire)
        yield site
        site.close()


async def is_full(site: VsphereSite, name: str, size: int) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        seen = await site.pool(name)
        assert (seen["ready"], seen["pending"]) == (size, 0), seen
        return seen

    return await eventually(look, within=PATIENT)


async def test_fifty_vms_live_through_all_that_users_and_operators_do(site: VsphereSite) -> None:
    """Fill, check out, move, add a disk, go back, make on demand, change the template, purge."""
    await in_thread(_make_folder, await in_thread(site.vcenter.find, "vm"))
    # The simulator makes clones on their template's host, whatever is asked for.
    host = await in_thread(lambda: site.vcenter.find(f"vm/{TEMPLATE}").runtime.host)
    await in_thread(lambda: host.EnterMaintenanceMode_Task(0))
    config = {
        "task_limit": 25,
        "migration_limit": 5,
        "manage_host_selection": True,
        "host_selection_max_age": 0,
        "purge_unconfigured_resources": True,
        "purge_interval": 1,
    }
    document = site.document({"many": {"size": FULL}, "odd": {}}, config=config)
    await site.start_manager(document)
    await site.start_api(document)
    await is_full(site, "many", FULL)
    assert len(await site.names("many")) == FULL

    name = await site.take("many")
    machine = await site.machine("many", name)

    async def has_moved() -> bool:
        return bool(await in_thread(lambda: machine.runtime.host != host))

    await eventually(has_moved)

    async def disks() -> int:
        return await in_thread(lambda: len(_disks(machine)))  # type: ignore[no-any-return]

    before = await disks()
    snapshot = await _done(site, name, "snapshot")
    await site.ask("POST", f"vm/{name}/disk/2")

    async def has_disk() -> bool:
        return await disks() == before + 1

    await eventually(has_disk)
    await site.ask("POST", f"vm/{name}/snapshot/{snapshot}")

    async def has_gone_back() -> bool:
        return await disks() == before and "alice" in await in_thread(lambda: machine.config.annotation)

    await eventually(has_gone_back)

    request = (await site.ask("POST", "ondemandvm", json={"odd": 2}))["request_id"]

    async def is_met() -> bool:
        return (await site.ask("GET", f"ondemandvm/{request}")).get("ready") is True

    await eventually(is_met)
    await is_full(site, "many", FULL)

    ready = set(await site.names("many")) - {name}
    await in_thread(_copy_template, site.vcenter)
    changed = await site.ask("POST", "config/pooltemplate", json={"many": "templates/other"})
    assert changed["ok"], changed

    async def is_replaced() -> bool:
        return not ready & set(await site.names("many"))

    await eventually(is_replaced, within=PATIENT)
    await is_full(site, "many", FULL)
    assert name in await site.names("many")

    async def is_purged() -> bool:
        return await in_thread(site.vcenter.find, "vm/pooled/left over") is None

    await eventually(is_purged)
    await in_thread(lambda: host.ExitMaintenanceMode_Task(0))


async def test_managers_killed_at_each_step_of_clones_lose_and_leak_nothing(site: VsphereSite) -> None:
    document = site.document({"killed": {"size": 3}}, config={"check_loop_delay_max": 1})
    await site.start_api(document)
    for number in range(KILLS):
        manager = await site.start_manager(document, wait=False)
        await site.wire.passed(26 + 4 * number)  # the log-in and what is looked up are the first 25 or so
        manager.kill()
    await site.start_manager(document)
    await is_full(site, "killed", 3)

    async def is_clean() -> bool:
        assert len(await site.names("killed")) == 3
        return True

    await eventually(is_clean)
    for name in await site.names("killed"):
        machine = await site.machine("killed", name)
        assert await in_thread(lambda machine=machine: machine.runtime.powerState == "poweredOn")
        assert f'"name": "{name}"' in await in_thread(lambda machine=machine: machine.config.annotation)


async def test_a_vcenter_that_is_away_and_sessions_that_end_cost_no_vm(site: VsphereSite) -> None:
    document = site.document({"cut": {"size": 4}}, config={"check_loop_delay_max": 1})
    manager = await site.start_manager(document)
    await site.start_api(document)
    await is_full(site, "cut", 4)
    before = set(await site.names("cut"))
    site.wire.cut()
    taken = await site.take("cut")

    async def is_told() -> bool:
        return (await site.pool("cut")).get("problem") is not None

    await eventually(is_told)
    assert set(await site.names("cut")) == before
    manager.kill()
    await site.start_manager(document)
    site.wire.mend()
    await is_full(site, "cut", 4)
    assert before < set(await site.names("cut"))
    for _ in range(2):
        await in_thread(site.vcenter.end_sessions)
        await site.take("cut")
        await is_full(site, "cut", 4)
    assert before < set(await site.names("cut"))
    assert taken in await site.names("cut")


BROKEN = {
    "no-template": ({"template": "templates/none"}, "no template 'DC0/vm/templates/none'"),
    "no-folder": ({"provider": "tidy", "folder": "none/here"}, "no folder 'DC0/vm/none/here"),
    "no-store": ({"datastore": "none"}, "no datastore 'DC0: none'"),
    "no-cluster": ({"clone_target": "none"}, "no cluster or host (clone_target) 'DC0/host/none'"),
    "no-network": ({"network": "none"}, "no network 'DC0: none'"),
    "no-group": ({"network": "DC0_DVPG9"}, "no network 'DC0: DC0_DVPG9'"),
    "no-login": ({"provider": "locked"}, "InvalidLogin"),
    "no-trust": ({"provider": "forged"}, "CERTIFICATE_VERIFY_FAILED"),
}


async def test_what_is_misconfigured_is_told_in_status_and_leaves_other_pools_alone(
    site: VsphereSite, tmp_path: Path
) -> None:
    stranger = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    providers: dict[str, dict[str, Any]] = {
        "tidy": {"create_folders": False},
        "locked": {"password": "wrong"},
        "forged": {"ca_file": str(stranger)},
    }
    pools = {name: {"size": 1, **keys} for name, (keys, _) in BROKEN.items()}
    document = site.document({"good": {"size": 2}, **pools}, providers=providers)
    await site.start_manager(document)
    await site.start_api(document)
    await is_full(site, "good", 2)

    async def all_are_told() -> bool:
        status = (await site.ask("GET", "status"))["pools"]
        for name, (_, told) in BROKEN.items():
            problem = status[name].get("problem") or {}
            assert told in problem.get("text", ""), (name, problem)
            assert status[name]["ready"] == 0
        return True

    await eventually(all_are_told)


async def test_a_clone_that_fails_late_tells_why_and_the_next_one_serves(site: VsphereSite) -> None:
    document = site.document({"late": {}}, config={"max_vm_retries": 50})
    await site.start_manager(document)
    await site.start_api(document)
    with site.vcenter.full_datastore() as reason:
        request = (await site.ask("POST", "ondemandvm", json={"late": 1}))["request_id"]

        async def is_told() -> bool:
            return reason in str(await site.ask("GET", f"ondemandvm/{request}")) + str(
                await site.pool("late")
            )

        await eventually(is_told)
    await _met(site, request)


async def _met(site: VsphereSite, request: str) -> None:
    async def is_met() -> bool:
        return (await site.ask("GET", f"ondemandvm/{request}")).get("ready") is True

    await eventually(is_met, within=PATIENT)


async def _done(site: VsphereSite, name: str, task: str) -> str:
    """Have a snapshot taken; give its name."""
    found = (await site.ask("POST", f"vm/{name}/{task}"))[name][task]

    async def is_done() -> bool:
        return str(found) in str((await site.ask("GET", f"vm/{name}"))[name].get("snapshots"))

    await eventually(is_done)
    return str(found)


def _make_folder(root: Any) -> None:
    pooled = next((one for one in root.childEntity if one.name == "pooled"), None) or root.CreateFolder(
        "pooled"
    )
    pooled.CreateFolder("left over")


def _copy_template(vcenter: Simulator) -> None:
    template = vcenter.find(f"vm/{TEMPLATE}")
    compute = vcenter.find("host/DC0_C0")
    place = vim.vm.RelocateSpec(pool=compute.resourcePool)
    spec = vim.vm.CloneSpec(location=place, powerOn=False, template=True)
    template.CloneVM_Task(vcenter.find("vm/templates"), "other", spec)


def _disks(machine: Any) -> list[Any]:
    return [one for one in machine.config.hardware.device if isinstance(one, vim.vm.device.VirtualDisk)]
