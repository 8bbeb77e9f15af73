"""Sessions that end, vCenters that refuse, configurations that can't work: against the simulator."""

from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.vsphere.simulated import DATASTORE, NETWORK, PORT_GROUP, Simulator, driver, in_thread, pool
from vmpooler_manager.providers.errors import NotFound, PermanentError
from vmpooler_manager.providers.testing import unmeasured
from vmpooler_manager.providers.testing.subject import Subject, made_vm, new_tag, ready_vm, ref
from vmpooler_manager.providers.vsphere.provider import VsphereProvider

POOL = pool("outages")


async def test_a_driver_has_one_session_and_logs_out_at_its_end(vcenter: Simulator) -> None:
    async with driver(vcenter) as provider:
        await provider.prepare(POOL)
        await made_vm(Subject(provider, POOL, POOL))
        await provider.list_vms(POOL)
        assert len(await in_thread(vcenter.sessions)) == 1
    assert await in_thread(vcenter.sessions) == []


async def test_sessions_that_end_on_the_server_are_noticed_by_calls_and_by_the_watcher(
    vcenter: Simulator,
) -> None:
    async with driver(vcenter) as provider:
        await provider.prepare(POOL)
        vm = await made_vm(Subject(provider, POOL, POOL))
        await provider.list_vms(POOL)
        for _ in range(2):
            await in_thread(vcenter.end_sessions)
            seen = await provider.list_vms(POOL)
            assert vm.provider_id in {one.provider_id for one in seen.vms}
            assert (await provider.inspect(POOL, ref(vm))).provider_id == vm.provider_id
        await provider.destroy(POOL, ref(vm))
        with pytest.raises(NotFound):
            await provider.inspect(POOL, ref(vm))


async def test_a_wrong_password_is_a_permanent_error_and_not_tried_again_and_again(
    vcenter: Simulator,
) -> None:
    async with driver(vcenter, password="wrong", retry_factor=60) as provider:
        for _ in range(3):
            with pytest.raises(PermanentError, match="InvalidLogin"):
                await provider.prepare(POOL)
        assert provider.calls <= 2


@pytest.mark.parametrize(
    ("options", "settings", "told"),
    [
        ({"template": "templates/none"}, {}, "no template 'DC0/vm/templates/none'"),
        ({"folder": "none/here"}, {"create_folders": False}, "no folder 'DC0/vm/none/here"),
        ({"datastore": "none"}, {}, "no datastore 'DC0: none'"),
        ({"clone_target": "none"}, {}, "no cluster or host .* 'DC0/host/none'"),
        ({"clone_target": None}, {}, "needs a clone_target"),
        ({"network": "none"}, {}, "no network 'DC0: none'"),
        ({"datacenter": "none"}, {}, "no datacenter 'none'"),
        ({"folder": None}, {}, "needs a folder"),
    ],
)
async def test_what_is_missing_is_told_before_the_first_clone(
    vcenter: Simulator, options: dict[str, Any], settings: dict[str, Any], told: str
) -> None:
    async with driver(vcenter) as provider:
        await provider.prepare(POOL)
    async with driver(vcenter, **settings) as provider:
        with pytest.raises(PermanentError, match=told) as refused:
            await provider.prepare(pool("broken", **options))
        assert "'broken'" in str(refused.value)
        await provider.prepare(POOL)


@pytest.mark.parametrize(
    ("network", "backing"),
    [(NETWORK, "NetworkBackingInfo"), (PORT_GROUP, "DistributedVirtualPortBackingInfo")],
)
async def test_a_pool_s_network_replaces_the_template_s(
    vcenter: Simulator, network: str, backing: str
) -> None:
    own = pool("networked", network=network)
    async with driver(vcenter) as provider:
        vm = await made_vm(Subject(provider, own, own))
        devices = await in_thread(lambda: vcenter.vm(vm.provider_id).config.hardware.device)
        [card] = [one for one in devices if hasattr(one, "macAddress")]
        assert type(card.backing).__name__.endswith(backing)
        await provider.destroy(own, ref(vm))


async def test_a_clone_of_a_client_that_is_gone_is_finished_by_the_next(vcenter: Simulator) -> None:
    tag = new_tag(POOL)
    async with driver(vcenter) as first:
        await first.create(POOL, tag)
    vm = await in_thread(vcenter.vm, str(tag.clone.uuid))
    assert vm is not None
    async with driver(vcenter) as second:
        found = await second.find(POOL, tag.clone)
        assert found is not None
        assert found.tag == tag
        ready = await ready_vm(Subject(second, POOL, POOL), found)
        assert (ready.tag, ready.hostname) == (tag, tag.name)
        await second.destroy(POOL, ref(ready))


async def test_a_certificate_of_another_authority_is_a_permanent_error(
    vcenter: Simulator, tmp_path: Path
) -> None:
    stranger = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    async with driver(vcenter, ca_file=str(stranger)) as provider:
        with pytest.raises(PermanentError, match="CERTIFICATE_VERIFY_FAILED"):
            await provider.prepare(POOL)
    async with driver(vcenter, ca_file=str(stranger), insecure=True) as provider:
        await provider.prepare(POOL)


async def test_hosts_are_chosen_among_the_good_ones_in_turns(vcenter: Simulator) -> None:
    own = pool("chosen", datastore=DATASTORE)
    async with driver(vcenter, manage_host_selection=True) as provider:
        await provider.prepare(own)
        vm = await made_vm(Subject(provider, own, own))
        assert vm.host
        await provider.destroy(own, ref(vm))


def test_the_settings_say_what_is_required() -> None:
    with pytest.raises(PermanentError, match="username, password: required"):
        VsphereProvider("vc", {"server": "vc"}, unmeasured())
