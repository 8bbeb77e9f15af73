"""The contract, by signed dynamic updates: A, AAAA and TXT in the zone, PTR in the zones of addresses.

The owner is a TXT record at the name itself, so that the server can check it in the same update that
changes the addresses.
"""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

import dns.name
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.reversename
import dns.update
from dns.rcode import Rcode
from dns.rdataclass import IN

from vmpooler_common.config.sections.dns import Rfc2136Section
from vmpooler_manager.dns.contract import OwnedRecords, RecordOwner
from vmpooler_manager.dns.errors import DnsMisconfigured, NameTaken
from vmpooler_manager.dns.registry import read_settings
from vmpooler_manager.dns.rfc2136.exchange import Exchange
from vmpooler_manager.dns.rfc2136.key import read_key

_TEXT_BYTES = 255
"""Longest text in one part of a TXT record."""
_IN_USE = frozenset({Rcode.YXDOMAIN})
_NOT_OURS = frozenset({Rcode.NXRRSET, Rcode.NXDOMAIN})


class Rfc2136:
    """Keeps records at a server that takes dynamic updates, such as BIND or Knot."""

    keeps_records = True

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self._settings = read = read_settings(Rfc2136Section, name, settings)
        for key in ("domain", "server", "key_name"):
            if not getattr(read, key):
                raise DnsMisconfigured(f"dns_configs.{name}.{key} is missing")
        self._domain = dns.name.from_text(read.domain)
        self._zone = dns.name.from_text(read.zone or read.domain)
        if not self._domain.is_subdomain(self._zone):
            raise DnsMisconfigured(
                f"dns_configs.{name}: the domain {read.domain} isn't in the zone {read.zone}"
            )
        self._reverse_zones = sorted(map(dns.name.from_text, read.reverse_zones), key=len, reverse=True)
        self._opened: Exchange | None = None

    async def open(self) -> None:
        """Read the key; the server is asked later."""
        self._opened = Exchange(self._settings, read_key(self._settings))

    async def close(self) -> None:
        """Nothing stays open: each exchange has a connection of its own."""

    async def is_taken(self, name: str) -> bool:
        """Whether the server knows the name, whatever records it has."""
        reply = await self._exchange.ask(dns.name.from_text(name), "A")
        return reply.rcode() is not Rcode.NXDOMAIN

    async def publish(self, name: str, addresses: Sequence[str], owner: RecordOwner) -> None:
        """Write the addresses if the name is free or this owner's, then where the addresses lead to."""
        host = dns.name.from_text(name)
        wanted = [ip_address(address).compressed for address in addresses]
        if self._reverse_zones and await self._is_owned(host, owner):
            # First of all, as nothing tells which they were once the addresses are replaced.
            former = [address for address in await self._addresses(host) if address not in wanted]
            await self._remove_pointers(host, former)
        fresh = self._update()
        fresh.absent(host)
        self._add(fresh, host, wanted, owner)
        if not await self._exchange.update(fresh, unless=_IN_USE):
            changed = self._update()
            changed.present(host, _mark(owner))
            changed.delete(host, dns.rdatatype.A)
            changed.delete(host, dns.rdatatype.AAAA)
            self._add(changed, host, wanted, owner)
            if not await self._exchange.update(changed, unless=_NOT_OURS):
                raise NameTaken(f"{name} has records that aren't this VM's")
        for address in wanted:
            await self._point(address, host)

    async def remove(self, name: str, owner: RecordOwner) -> None:
        """Remove what leads from the addresses to the name, then all that the name has."""
        host = dns.name.from_text(name)
        if self._reverse_zones:
            if not await self._is_owned(host, owner):
                return
            await self._remove_pointers(host, await self._addresses(host))
        update = self._update()
        update.present(host, _mark(owner))
        update.delete(host)
        await self._exchange.update(update, unless=_NOT_OURS)

    async def owned(self) -> Sequence[OwnedRecords]:
        """List the names in the domain that have a mark, by a transfer of the zone."""
        zone = await self._exchange.transfer(self._zone)
        return [
            OwnedRecords(name.to_text(omit_final_dot=True).lower(), owner)
            for name, _, record in zone.iterate_rdatas(dns.rdatatype.TXT)
            if name.is_subdomain(self._domain) and (owner := _read_mark(record)) is not None
        ]

    @property
    def _exchange(self) -> Exchange:
        if self._opened is None:
            raise DnsMisconfigured("the plug-in has not been opened")
        return self._opened

    def _update(self, zone: dns.name.Name | None = None) -> dns.update.UpdateMessage:
        return dns.update.UpdateMessage(zone or self._zone)

    def _add(
        self,
        update: dns.update.UpdateMessage,
        host: dns.name.Name,
        addresses: Sequence[str],
        owner: RecordOwner,
    ) -> None:
        for address in addresses:
            update.add(host, self._settings.ttl, "AAAA" if ":" in address else "A", address)
        update.add(host, self._settings.ttl, _mark(owner))

    async def _addresses(self, host: dns.name.Name) -> list[str]:
        found = []
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            reply = await self._exchange.ask(host, dns.rdatatype.to_text(kind))
            for answer in reply.answer:
                if answer.rdtype is kind and answer.name == host:
                    found += [ip_address(record.address).compressed for record in answer]
        return found

    async def _is_owned(self, host: dns.name.Name, owner: RecordOwner) -> bool:
        reply = await self._exchange.ask(host, "TXT")
        return any(
            _read_mark(record) == owner
            for answer in reply.answer
            if answer.rdtype is dns.rdatatype.TXT and answer.name == host
            for record in answer
        )

    async def _point(self, address: str, host: dns.name.Name) -> None:
        for zone, pointer in self._pointers([address]):
            update = self._update(zone)
            update.replace(pointer, self._settings.ttl, "PTR", host.to_text())
            await self._exchange.update(update)

    async def _remove_pointers(self, host: dns.name.Name, addresses: Sequence[str]) -> None:
        """Remove the PTR records of these addresses that lead to the name."""
        for zone, pointer in self._pointers(addresses):
            update = self._update(zone)
            update.delete(pointer, "PTR", host.to_text())
            await self._exchange.update(update)

    def _pointers(self, addresses: Sequence[str]) -> Iterator[tuple[dns.name.Name, dns.name.Name]]:
        """Give zone and name of the PTR record of each address that is in one of our zones."""
        for address in addresses:
            pointer = dns.reversename.from_address(address)
            zone = next((zone for zone in self._reverse_zones if pointer.is_subdomain(zone)), None)
            if zone is not None:
                yield zone, pointer


def _mark(owner: RecordOwner) -> dns.rdtypes.ANY.TXT.TXT:
    text = owner.encode().encode()
    parts = [text[at : at + _TEXT_BYTES] for at in range(0, len(text), _TEXT_BYTES)]
    return dns.rdtypes.ANY.TXT.TXT(IN, dns.rdatatype.TXT, parts)


def _read_mark(record: Any) -> RecordOwner | None:
    return RecordOwner.decode(b"".join(record.strings).decode(errors="replace"))
