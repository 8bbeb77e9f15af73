"""The stream of everything that happened, read once per process."""

import asyncio
import math
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from redis.exceptions import RedisError

from vmpooler_common.store.core.connection import RedisConnection, check
from vmpooler_common.store.core.errors import StoreUnavailable
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.core.times import from_ms

_BLOCK_SECONDS = 5
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    `kind` is the state a VM went to, or lifetime, halted, resumed, left, drain, override, gap.
    """

    kind: str
    pool: str
    vm: str
    at: datetime


class Events:
    """Only pokes: whoever waits for something must also read the state."""

    def __init__(self, link: RedisConnection, keys: Keys) -> None:
        self._link = link
        self._key = keys("events")

    async def follow(self) -> AsyncGenerator[Event, None]:
        """Give events from now on, for ever; one of kind `gap` first, and whenever some may have been missed.

        Uses a connection of its own. Raises StoreUnavailable when that breaks: follow again.
        """
        last = await self._newest()
        connection = await self._link.hold()
        try:
            yield Event("gap", "", "", from_ms(0))
            while True:
                command = (
                    "XREAD",
                    "COUNT",
                    _MOST,
                    "BLOCK",
                    _BLOCK_SECONDS * 1000,
                    "STREAMS",
                    self._key,
                    last,
                )
                async with asyncio.timeout(_BLOCK_SECONDS * 2):
                    await connection.send_command(*command, check_health=False)
                    reply = await connection.read_response(timeout=math.inf)
                if not reply:
                    continue
                entries = check(reply)[0][1]
                last = entries[-1][0]
                if len(entries) == _MOST:
                    yield Event("gap", "", "", from_ms(last.split("-")[0]))
                for entry_id, flat in entries:
                    fields = dict(zip(flat[::2], flat[1::2], strict=True))
                    yield Event(fields["e"], fields["p"], fields["v"], from_ms(entry_id.split("-")[0]))
        except TimeoutError:
            raise StoreUnavailable(
                "no event and no empty answer from Redis in time", kind="timeout"
            ) from None
        except (RedisError, OSError) as error:
            raise StoreUnavailable(f"the connection for events broke: {error}", kind="unreachable") from error
        finally:
            await connection.disconnect(nowait=True)

    async def _newest(self) -> str:
        (reply,) = await self._link.call(("XREVRANGE", self._key, "+", "-", "COUNT", 1))
        entries = check(reply)
        return str(entries[0][0]) if entries else "0-0"
