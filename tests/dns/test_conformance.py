"""The shipped suite holds the plug-in `rfc2136` to its contract, on BIND."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.bind import ZONE, Bind
from vmpooler_manager.dns.rfc2136.plugin import Rfc2136
from vmpooler_manager.dns.testing import DnsConformance, DnsSubject


class TestRfc2136(DnsConformance):
    @pytest.fixture
    async def subject(self, bind: Bind) -> AsyncIterator[DnsSubject]:
        plugin, second = (Rfc2136("lab", bind.settings()) for _ in range(2))
        await plugin.open()
        await second.open()
        yield DnsSubject(
            plugin=plugin,
            domain=ZONE,
            addresses_of=lambda name: asyncio.to_thread(bind.addresses_of, name),
            occupy=lambda name: asyncio.to_thread(bind.add, name),
            second=second,
            names_of=lambda address: asyncio.to_thread(bind.names_of, address),
        )
        await plugin.close()
