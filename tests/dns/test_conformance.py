"""The shipped suite holds the plug-in `rfc2136` to its contract, on BIND."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.support.bind import ZONE, Bind
from vmpooler_manager.dns.rfc2136.plugin import Rfc2136
from vmpooler_manager.dns.testing import DnsConformance, DnsSubject


async def subject_on(bind: Bind, **settings: object) -> DnsSubject:
    plugin, second = (Rfc2136("lab", bind.settings(**settings)) for _ in range(2))
    await plugin.open()
    await second.open()
    return DnsSubject(
        plugin=plugin,
        domain=ZONE,
        addresses_of=lambda name: asyncio.to_thread(bind.addresses_of, name),
        occupy=lambda name: asyncio.to_thread(bind.add, name),
        second=second,
    )


class TestWithPointers(DnsConformance):
    @pytest.fixture
    async def subject(self, bind: Bind) -> AsyncIterator[DnsSubject]:
        subject = await subject_on(bind)
        yield replace(subject, names_of=lambda address: asyncio.to_thread(bind.names_of, address))
        await subject.plugin.close()


class TestWithoutPointers(DnsConformance):
    @pytest.fixture
    async def subject(self, bind: Bind) -> AsyncIterator[DnsSubject]:
        subject = await subject_on(bind, reverse_zones=[])
        yield subject
        await subject.plugin.close()
