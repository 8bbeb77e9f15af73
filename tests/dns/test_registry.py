"""Finding DNS plug-ins, and the one that keeps no records."""

import pytest

from vmpooler_manager.dns.dynamic import DynamicDns
from vmpooler_manager.dns.errors import DnsMisconfigured
from vmpooler_manager.dns.registry import load
from vmpooler_manager.dns.types import RecordOwner


@pytest.mark.parametrize("name", ["dynamic-dns", "Dynamic-DNS"])
def test_the_class_of_3x_is_known_whatever_its_case(name: str) -> None:
    assert isinstance(load("lab", name, {"domain": "lab.example"}), DynamicDns)


def test_a_plug_in_that_is_not_installed_is_told_with_those_that_are() -> None:
    with pytest.raises(DnsMisconfigured, match=r"not installed: gcp \(installed: dynamic-dns, rfc2136\)"):
        load("lab", "gcp", {"domain": "lab.example"})


async def test_somebody_elses_records_are_looked_up_and_nothing_is_written() -> None:
    plugin = DynamicDns("lab", {})
    assert await plugin.is_taken("localhost")
    assert not plugin.keeps_records
    assert await plugin.owned() == ()


@pytest.mark.parametrize(
    "text", ["", "v=spf1", "vmpooler ", "vmpooler []", 'vmpooler {"pool":"a"}', "vmpooler {"]
)
def test_texts_of_others_are_no_owners(text: str) -> None:
    assert RecordOwner.decode(text) is None


def test_an_owner_is_read_as_it_was_written() -> None:
    owner = RecordOwner("ci", "f00", "vcenter", "debian-12", "agile-stoat", "abc")
    assert RecordOwner.decode(owner.encode()) == owner
