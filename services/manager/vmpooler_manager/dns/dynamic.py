"""The plug-in `dynamic-dns`: somebody else keeps the records, such as a DHCP server."""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from vmpooler_manager.dns.contract import OwnedRecords, RecordOwner
from vmpooler_manager.dns.errors import DnsUnavailable

_UNKNOWN = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


class DynamicDns:
    """Writes nothing, and asks the system's resolver whether a name is known."""

    keeps_records = False

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        """It has no settings."""

    async def open(self) -> None:
        """Nothing has to be prepared."""

    async def close(self) -> None:
        """Nothing is open."""

    async def is_taken(self, name: str) -> bool:
        """Whether the system's resolver knows an address of the name."""
        try:
            await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            if error.errno in _UNKNOWN:
                return False
            raise DnsUnavailable(f"the resolver can't look up names: {error.strerror}") from error
        except OSError as error:
            raise DnsUnavailable(f"the resolver can't look up names: {error}") from error
        return True

    async def publish(self, name: str, addresses: Sequence[str], owner: RecordOwner) -> None:
        """Nothing is written."""

    async def remove(self, name: str, owner: RecordOwner) -> None:
        """Nothing was written."""

    async def owned(self) -> Sequence[OwnedRecords]:
        """Nothing is ours."""
        return ()
