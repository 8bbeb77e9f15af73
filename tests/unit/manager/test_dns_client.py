"""How the manager asks DNS: bounded, held back while it fails, and never stopped by a look-up that fails."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest

from vmpooler_common.config import DnsSettings
from vmpooler_common.config.settings import Options
from vmpooler_common.metrics.backends.null import NullBackend
from vmpooler_manager.dns.contract import OwnedRecords, RecordOwner
from vmpooler_manager.dns.errors import DnsError, DnsMisconfigured, DnsUnavailable, NameTaken
from vmpooler_manager.metrics.dns import DnsMetrics
from vmpooler_manager.runtime.dns_client import DnsClient, open_dns_client

SETTINGS = DnsSettings("lab", "lab.example", "rfc2136", timedelta(0), Options())
OWNER = RecordOwner("ci", "f00", "cloud", "debian", "a", "attempt")


class FailingPlugin:
    """Raises what a test says, and counts."""

    keeps_records = True

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls = 0

    async def open(self) -> None:
        self._suffer()

    async def close(self) -> None:
        pass

    async def is_taken(self, name: str) -> bool:
        self._suffer()
        return name.startswith("taken")

    async def publish(self, name: str, addresses: Sequence[str], owner: RecordOwner) -> None:
        self._suffer()

    async def remove(self, name: str, owner: RecordOwner) -> None:
        self._suffer()

    async def owned(self) -> Sequence[OwnedRecords]:
        return ()

    def _suffer(self) -> None:
        self.calls += 1
        if self.error:
            raise self.error


def client_of(plugin: FailingPlugin) -> DnsClient:
    return DnsClient(SETTINGS, plugin, fault="", metrics=DnsMetrics(NullBackend()), random=Random(1))


async def test_names_that_are_known_are_told() -> None:
    client = client_of(FailingPlugin())
    assert await client.taken(["taken.lab.example", "free.lab.example"]) == {"taken.lab.example"}


async def test_while_look_ups_fail_names_are_taken_as_free_and_dns_is_left_alone() -> None:
    plugin = FailingPlugin(DnsUnavailable("no answer"))
    client = client_of(plugin)
    assert await client.taken(["taken.lab.example"]) == frozenset()
    tried = plugin.calls
    assert await client.taken([f"taken{one}.lab.example" for one in range(50)]) == frozenset()
    assert plugin.calls == tried
    assert client.lookups.is_failing


@pytest.mark.parametrize(
    "error", [DnsUnavailable("no answer"), DnsMisconfigured("refused"), ValueError("a bug")]
)
async def test_after_a_change_that_failed_others_fail_at_once_with_its_reason(error: Exception) -> None:
    plugin = FailingPlugin(error)
    client = client_of(plugin)
    for _ in range(3):
        with pytest.raises(DnsError):
            await client.publish("a.lab.example", ["192.0.2.1"], OWNER)
    assert plugin.calls == 1
    assert timedelta(0) < client.retry_delay <= timedelta(seconds=15)


async def test_a_name_that_is_taken_says_nothing_of_the_server() -> None:
    plugin = FailingPlugin(NameTaken("somebody's"))
    client = client_of(plugin)
    for _ in range(2):
        with pytest.raises(NameTaken):
            await client.publish("a.lab.example", ["192.0.2.1"], OWNER)
    assert plugin.calls == 2
    assert not client.changes.is_failing
    client.changes.failed(-1.0)
    with pytest.raises(NameTaken):
        await client.publish("a.lab.example", ["192.0.2.1"], OWNER)
    assert not client.changes.is_failing


async def test_a_plug_in_that_cannot_be_opened_is_a_fault_until_it_can() -> None:
    plugin = FailingPlugin(DnsMisconfigured("no key"))
    client = client_of(plugin)
    assert not await client.open()
    with pytest.raises(DnsMisconfigured, match="no key"):
        await client.remove("a.lab.example", OWNER)
    plugin.error = None
    assert await client.open()
    await client.remove("a.lab.example", OWNER)


async def test_a_plug_in_that_is_not_installed_is_a_fault_and_its_records_count_as_ours() -> None:
    settings = DnsSettings("lab", "lab.example", "gcp", timedelta(0), Options())
    client = open_dns_client(settings, metrics=DnsMetrics(NullBackend()), random=Random(1))
    assert "not installed: gcp" in client.fault
    assert client.keeps_records
    assert not client.has_plugin
