"""The managers' inboxes: streams that a group of consumers reads, each entry handed to one of them.

An entry is only a poke. What it speaks of stands in keys of its own, from which managers find it when the
stream is lost; and the script that takes it up removes the entry.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from redis.exceptions import RedisError, ResponseError

from vmpooler_common.store.core.connection import RedisConnection, Reply, check
from vmpooler_common.store.core.errors import StoreUnavailable
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import duration_ms

GROUP = "managers"
"""The one group of every inbox."""
_BLOCK_SECONDS = 5
_MOST = 100


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One entry of an inbox."""

    id: str
    fields: Mapping[str, str]
    """Empty where the entry can't be read."""


class Inbox:
    """One inbox, as its consumers use it."""

    def __init__(self, connection: RedisConnection, scripts: Scripts, keys: Keys, *, stem: str) -> None:
        self._connection = connection
        self._scripts = scripts
        self._stream = keys(stem)

    async def prepare(self) -> None:
        """Make the group if it isn't there, from the first entry on."""
        (reply,) = await self._connection.call(("XGROUP", "CREATE", self._stream, GROUP, "0", "MKSTREAM"))
        if not (isinstance(reply, ResponseError) and "BUSYGROUP" in str(reply)):
            check(reply)

    async def follow(self, consumer: str) -> AsyncGenerator[list[InboxEntry], None]:
        """Give the entries for this consumer, for ever, as they come; an empty list after 5 s without any.

        Uses a connection of its own. Raises StoreUnavailable when that breaks, or when the group is
        gone because the data was lost: prepare and follow again.
        """
        connection = await self._connection.hold()
        command = (
            "XREADGROUP", "GROUP", GROUP, consumer, "COUNT", _MOST,
            "BLOCK", _BLOCK_SECONDS * 1000, "STREAMS", self._stream, ">",
        )  # fmt: skip
        try:
            while True:
                async with asyncio.timeout(_BLOCK_SECONDS * 2):
                    await connection.send_command(*command, check_health=False)
                    reply = await connection.read_response(timeout=math.inf)
                yield _entries(reply[0][1]) if reply else []
        except TimeoutError:
            raise StoreUnavailable("no answer from Redis in time", kind="timeout") from None
        except (RedisError, OSError, RuntimeError, AttributeError) as error:
            raise StoreUnavailable(f"reading the inbox failed: {error}", kind="unreachable") from error
        finally:
            await connection.disconnect(nowait=True)

    async def recover(self, consumer: str, *, idle: timedelta) -> list[InboxEntry]:
        """Take over entries that a consumer has read so long ago and not taken up."""
        (reply,) = await self._scripts.run_all(
            [("XAUTOCLAIM", self._stream, GROUP, consumer, duration_ms(idle), "0-0", "COUNT", _MOST)]
        )
        return _entries(reply[1])

    async def tidy(self, *, idle: timedelta) -> None:
        """Remove consumers that are long gone and have nothing pending."""
        (consumers,) = await self._scripts.run_all([("XINFO", "CONSUMERS", self._stream, GROUP)])
        for flat in consumers:
            facts = dict(zip(flat[::2], flat[1::2], strict=True))
            if facts["pending"] == 0 and facts["idle"] > duration_ms(idle):
                await self._scripts.run_all([("XGROUP", "DELCONSUMER", self._stream, GROUP, facts["name"])])


def _entries(entries: Sequence[Reply]) -> list[InboxEntry]:
    found = []
    for entry in entries:
        if entry is None:  # deleted, but still listed as pending
            continue
        entry_id, flat = entry
        found.append(InboxEntry(entry_id, dict(zip(flat[::2], flat[1::2], strict=False)) if flat else {}))
    return found
