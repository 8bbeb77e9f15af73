"""What goes wrong between the plug-in `rfc2136` and its server, and what becomes of it."""

import subprocess
from pathlib import Path

import pytest

from tests.support.bind import KEY, REVERSE, SECRET, ZONE, Bind
from tests.support.needs import needs_program
from tests.support.ports import free_port
from vmpooler_manager.dns.errors import DnsMisconfigured, DnsUnavailable
from vmpooler_manager.dns.rfc2136.plugin import Rfc2136
from vmpooler_manager.dns.testing.subject import new_owner

ANOTHER_SECRET = "YW5vdGhlciBzZWNyZXQgdGhhdCBpcyBzaG93biBub3doZXJl"


async def opened(bind: Bind, **settings: object) -> Rfc2136:
    plugin = Rfc2136("lab", bind.settings(**settings))
    await plugin.open()
    return plugin


async def test_records_have_the_configured_ttl(bind: Bind) -> None:
    plugin, owner, name = await opened(bind, ttl=17), new_owner(), f"ttl.{ZONE}"
    await plugin.publish(name, ["192.0.2.20"], owner)
    assert bind.ttl_of(name) == 17
    await plugin.remove(name, owner)


async def test_addresses_outside_the_reverse_zones_get_no_pointer(bind: Bind) -> None:
    plugin, owner, name = await opened(bind, reverse_zones=[REVERSE]), new_owner(), f"outside.{ZONE}"
    await plugin.publish(name, ["198.51.100.7", "2001:db8::7"], owner)
    assert bind.addresses_of(name) == {"198.51.100.7", "2001:db8::7"}
    assert bind.names_of("2001:db8::7") == set()
    await plugin.remove(name, owner)


async def test_a_domain_may_be_a_part_of_its_zone(bind: Bind) -> None:
    plugin, owner = await opened(bind, domain=f"ci.{ZONE}", zone=ZONE), new_owner()
    await plugin.publish(f"part.ci.{ZONE}", ["192.0.2.21"], owner)
    assert [records.name for records in await plugin.owned()] == [f"part.ci.{ZONE}"]
    await plugin.remove(f"part.ci.{ZONE}", owner)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"key_secret": ANOTHER_SECRET}, "don't agree on the key vmpooler-key."),
        ({"key_name": "unknown"}, "don't agree on the key unknown."),
        ({"domain": "elsewhere.example"}, r"refused a query for wrong\.elsewhere\.example"),
    ],
    ids=["secret", "name", "zone"],
)
async def test_what_only_an_operator_can_mend_is_told_in_words_without_secrets(
    bind: Bind, settings: dict[str, object], told: str
) -> None:
    plugin = await opened(bind, **settings)
    name = f"wrong.{settings.get('domain', ZONE)}"
    with pytest.raises(DnsMisconfigured, match=told) as caught:
        await plugin.publish(name, ["192.0.2.22"], new_owner())
    assert SECRET not in str(caught.value)
    assert ANOTHER_SECRET not in str(caught.value)


async def test_a_zone_that_may_not_be_transferred_is_told(bind: Bind) -> None:
    plugin = await opened(bind, domain="elsewhere.example")
    with pytest.raises(DnsMisconfigured, match=r"refused a transfer of the zone elsewhere\.example"):
        await plugin.owned()


async def test_a_server_that_is_away_or_hangs_is_unavailable(bind: Bind) -> None:
    away = await opened(bind, port=free_port())
    with pytest.raises(DnsUnavailable, match="can't be reached"):
        await away.is_taken(f"any.{ZONE}")
    hanging = await opened(bind, timeout=0.2)
    bind.pause()
    try:
        with pytest.raises(DnsUnavailable, match=r"didn't answer within 0\.2 s"):
            await hanging.publish(f"any.{ZONE}", ["192.0.2.23"], new_owner())
    finally:
        bind.resume()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    keygen = needs_program("tsig-keygen", package="bind9-utils")
    written = subprocess.run([keygen, KEY], capture_output=True, text=True, check=True).stdout
    generated = written.split('secret "')[1].split('"')[0]
    (tmp_path / "key").write_text(written.replace(generated, SECRET))
    return tmp_path / "key"


async def test_the_key_may_lie_in_a_file_as_tsig_keygen_writes_it(bind: Bind, key_file: Path) -> None:
    plugin = await opened(bind, key_secret=None, key_file=str(key_file))
    assert not await plugin.is_taken(f"nobodys.{ZONE}")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"key_secret": "no base64!"}, "key_secret: expected a key in base64"),
        ({"key_secret": None}, "key_secret or key_file is missing"),
        ({"key_secret": None, "key_file": "/nowhere/key"}, "key_file /nowhere/key can't be read"),
        ({"server": None}, r"dns_configs\.lab\.server is missing"),
        ({"zone": "other.example"}, "isn't in the zone"),
        ({"ttl": -1}, "ttl"),
    ],
    ids=["base64", "none", "file", "server", "zone", "ttl"],
)
async def test_wrong_settings_are_told(settings: dict[str, object], told: str) -> None:
    given = {"domain": ZONE, "server": "127.0.0.1", "key_name": KEY, "key_secret": SECRET, **settings}
    with pytest.raises(DnsMisconfigured, match=told) as caught:
        await Rfc2136("lab", given).open()
    assert "no base64!" not in str(caught.value)
