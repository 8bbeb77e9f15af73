"""What a DNS plug-in promises. One suite (the folder `testing`) holds every plug-in to these docstrings.

A plug-in is a client of one DNS server, for one entry of `dns_configs`. It keeps no state of its own that
matters: the manager may be killed between any two calls, and another one goes on with a new object. Every
call may be repeated. Calls are made concurrently, each under a deadline: a call is cancelled when it takes
too long, and must then leave nothing locked. A server may still carry out what was cancelled.

Names are fully qualified, in lower case, without a dot at their end, and below the entry's domain.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from vmpooler_manager.dns.types import OwnedRecords, RecordOwner

__all__ = ["DnsPlugin", "DnsPluginFactory", "OwnedRecords", "RecordOwner"]


class DnsPlugin(Protocol):
    """A plug-in. Constructed as `Plugin(name, settings)`; see `DnsPluginFactory`."""

    keeps_records: bool
    """Whether it writes records. If not, somebody else keeps them: only `is_taken` is called."""

    async def open(self) -> None:
        """Prepare for use. Doesn't need the server to be reachable.

        Raises: DnsMisconfigured when it can't be used as configured; DnsUnavailable.
        """

    async def close(self) -> None:
        """Give connections back; may be called again."""

    async def is_taken(self, name: str) -> bool:
        """Whether DNS knows the name, so that no new VM may be called so.

        Of a plug-in that keeps records: by its server's own data, not by a cache.

        Raises: DnsUnavailable, DnsMisconfigured.
        """

    async def publish(self, name: str, addresses: Sequence[str], owner: RecordOwner) -> None:
        """Have the name lead to exactly these IPv4 and IPv6 addresses; return when the server has it so.

        Writes `owner` beside them. Records of the same owner are replaced, by one atomic act: nobody ever
        finds the name with addresses of both, or with none. Records of anybody else are left alone, also when
        they appear at the same time.

        Raises: NameTaken when the name has records that aren't this owner's; DnsUnavailable,
        DnsMisconfigured: it may have been done all the same.
        """

    async def remove(self, name: str, owner: RecordOwner) -> None:
        """Remove everything that `publish` wrote for the name; return when it is gone.

        Nothing there is a success, and so are records that aren't this owner's: they are left alone.

        Raises: DnsUnavailable, DnsMisconfigured.
        """

    async def owned(self) -> Sequence[OwnedRecords]:
        """List every name in the domain that carries an owner, of whichever installation.

        Complete and fresh, or an error: never a partial list.

        Raises: DnsUnavailable, DnsMisconfigured, also where the server doesn't permit that.
        """


class DnsPluginFactory(Protocol):
    """What the entry point group `vmpooler.dns` holds: a class, or a function, of this form."""

    def __call__(self, name: str, settings: Mapping[str, Any]) -> DnsPlugin:
        """Make the plug-in for the entry of `dns_configs` called `name`.

        `settings` are the entry's keys as configured, secrets in plain text, `domain` among them. No I/O
        here. Raises DnsMisconfigured for wrong settings, with what was expected.
        """
