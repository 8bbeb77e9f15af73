"""The stream of everything that happened, read once per process."""

import asyncio
import math
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from redis.exceptions import RedisError

from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.connection import RedisConnection, check
from vmpooler_common.store.core.errors import StoreUnavailable
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.core.times import from_ms

_BLOCK_SECONDS = 5
_MOST = 1000
_NAMES = frozenset(EventName)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    name: EventName
    pool: str
    """Empty where the event is of no pool."""
    vm: str
    """Short name; the id for `request.changed`, the key's digest for `checkout.repeated`."""
    at: datetime
    """By Redis's clock."""


class Events:
    """Only pokes: whoever waits for something must also read the state."""

    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._key = keys("events")

    async def follow(self) -> AsyncGenerator[Event, None]:
        """Give events from now on, for ever; `EVENTS_MISSED` first, and whenever some may have been missed.

        Events whose name this version doesn't know are left out: a newer version wrote them.
        Uses a connection of its own. Raises StoreUnavailable when that breaks: follow again.
        """
        last = await self._newest()
        connection = await self._connection.hold()
        try:
            yield _missed("0-0")
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
                    yield _missed(last)
                for entry_id, flat in entries:
                    fields = dict(zip(flat[::2], flat[1::2], strict=True))
                    if fields.get("name") in _NAMES:
                        name = EventName(fields["name"])
                        yield Event(name, fields["pool"], fields["vm"], _time_of(entry_id))
        except TimeoutError:
            raise StoreUnavailable(
                "no event and no empty answer from Redis in time", kind="timeout"
            ) from None
        except (RedisError, OSError) as error:
            raise StoreUnavailable(f"the connection for events broke: {error}", kind="unreachable") from error
        finally:
            await connection.disconnect(nowait=True)

    async def _newest(self) -> str:
        (reply,) = await self._connection.call(("XREVRANGE", self._key, "+", "-", "COUNT", 1))
        entries = check(reply)
        return str(entries[0][0]) if entries else "0-0"


def _missed(entry_id: str) -> Event:
    return Event(EventName.EVENTS_MISSED, "", "", _time_of(entry_id))


def _time_of(entry_id: str) -> datetime:
    return from_ms(entry_id.split("-")[0])
