"""Exchanges with the server: signed, over TCP, bounded in time; what goes wrong becomes one of our errors."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.tsig
import dns.update
import dns.xfr
import dns.zone
from dns.rcode import Rcode

from vmpooler_common.config.sections.dns import Rfc2136Section
from vmpooler_manager.dns.errors import DnsMisconfigured, DnsUnavailable
from vmpooler_manager.dns.rfc2136.key import TsigKey

TRANSFER_SECONDS = 60.0
"""Longest time for the transfer of a zone."""
_TEMPORARY = frozenset({Rcode.SERVFAIL})
_DIFFERENT_CLOCKS = (dns.tsig.BadTime, dns.tsig.PeerBadTime)
_WRONG_KEY = (
    dns.message.UnknownTSIGKey,
    dns.tsig.BadAlgorithm,
    dns.tsig.BadKey,
    dns.tsig.BadSignature,
    dns.tsig.PeerError,
)


class Exchange:
    """Talks with one server. Updates go over TCP: a datagram would be sent again without anybody knowing."""

    def __init__(self, settings: Rfc2136Section, key: TsigKey) -> None:
        self._server = settings.server or ""
        self._port = settings.port
        self._seconds = settings.timeout.total_seconds()
        self._key = key

    async def ask(self, name: dns.name.Name, kind: str) -> dns.message.Message:
        """Ask for records of one kind; an unknown name is an answer, too."""
        query = dns.message.make_query(name, kind)
        query.flags &= ~dns.flags.RD
        reply = await self._send(query)
        if reply.rcode() not in (Rcode.NOERROR, Rcode.NXDOMAIN):
            raise self._refusal(reply.rcode(), f"a query for {name.to_text(omit_final_dot=True)}")
        return reply

    async def update(
        self, update: dns.update.UpdateMessage, *, unless: frozenset[Rcode] = frozenset()
    ) -> bool:
        """Have the server carry out an update, all of it or nothing; False: for a reason of `unless`, not."""
        rcode = (await self._send(update)).rcode()
        if rcode in unless:
            return False
        if rcode is not Rcode.NOERROR:
            zone = update.origin.to_text(omit_final_dot=True) if update.origin else ""
            raise self._refusal(rcode, f"an update of the zone {zone}")
        return True

    async def transfer(self, zone: dns.name.Name) -> dns.zone.Zone:
        """Give a whole zone as it is now."""
        copy = dns.zone.Zone(zone, relativize=False)
        query, _ = dns.xfr.make_query(copy, keyring=self._key.keyring)
        where = await self._address()
        async with self._classified(TRANSFER_SECONDS):
            try:
                await dns.asyncquery.inbound_xfr(
                    where, copy, query, port=self._port, timeout=self._seconds, lifetime=TRANSFER_SECONDS
                )
            except dns.xfr.TransferError as error:
                raise self._refusal(
                    error.rcode, f"a transfer of the zone {zone.to_text(omit_final_dot=True)}"
                ) from None
        return copy

    async def _send(self, message: dns.message.Message) -> dns.message.Message:
        message.use_tsig(self._key.keyring, self._key.key.name, algorithm=self._key.key.algorithm)
        where = await self._address()
        async with self._classified(self._seconds):
            return await dns.asyncquery.tcp(message, where, timeout=self._seconds, port=self._port)

    async def _address(self) -> str:
        async with self._classified(self._seconds):
            found = await asyncio.get_running_loop().getaddrinfo(
                self._server, self._port, type=socket.SOCK_STREAM
            )
        return str(found[0][4][0])

    @asynccontextmanager
    async def _classified(self, seconds: float) -> AsyncIterator[None]:
        at = f"{self._server} port {self._port}"
        try:
            async with asyncio.timeout(seconds):
                yield
        except (TimeoutError, dns.exception.Timeout):
            raise DnsUnavailable(f"{at} didn't answer within {seconds:g} s (timeout)") from None
        except _DIFFERENT_CLOCKS:
            raise DnsUnavailable(f"the clocks of {at} and of this machine differ by minutes") from None
        except _WRONG_KEY as error:
            raise DnsMisconfigured(
                f"{at} and we don't agree on the key {self._key.key.name}: {type(error).__name__}"
            ) from None
        except (OSError, EOFError) as error:
            raise DnsUnavailable(f"{at} can't be reached: {error or type(error).__name__}") from error
        except dns.exception.DNSException as error:
            raise DnsUnavailable(f"{at} answered what can't be understood: {type(error).__name__}") from error

    def _refusal(self, rcode: Rcode, what: str) -> DnsMisconfigured | DnsUnavailable:
        told = f"{self._server} port {self._port} refused {what}: {dns.rcode.to_text(rcode)}"
        return DnsUnavailable(told) if rcode in _TEMPORARY else DnsMisconfigured(told)
