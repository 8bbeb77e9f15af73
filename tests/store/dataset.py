"""Everything that Redis holds of one installation, to be compared and checked by tests."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from redis.asyncio import Redis

LIVE = ("pending", "ready", "running", "completed", "destroying")
"""States of a VM that has membership and a record without an end."""

SET_ASIDE = ("suspect", "stale")
"""Sets of VMs in the state ready that are not handed out."""

_READ_ALL = """
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':*')) do
  local kind, value = redis.call('TYPE', key).ok, ''
  if kind == 'string' then value = redis.call('GET', key)
  elseif kind == 'hash' then value = redis.call('HGETALL', key)
  elseif kind == 'set' then value = redis.call('SMEMBERS', key)
  elseif kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'stream' then value = redis.call('XRANGE', key, '-', '+') end
  table.insert(found, { key, kind, value, redis.call('PTTL', key) })
  for _, group in ipairs(kind == 'stream' and redis.call('XINFO', 'GROUPS', key) or {}) do
    local pending = redis.call('XPENDING', key, group[2])
    table.insert(found, { key .. ':' .. group[2], 'pending', pending[4] or {}, -1 })
  end
end
return found
"""
_TIME = re.compile(r"\b\d{13}\b")
_OF_THE_MOMENT = re.compile(r"^(stats:\w+):\d+$|^(op):[\w-]{16}$")
"""Keys named after a day, or after an operation id that the store has made up."""
_DURATION = re.compile(r'"\d{1,6}"')
"""In milliseconds, in a kept reply."""
_CHANCE = {"waited", "accepted_by"}
"""Fields that hold durations or such operation ids."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's value: text, a hash's or a sorted set's mapping, a stream's (kind, pool, vm) list, or what
    the consumers of its groups have read and not acknowledged."""

    value: Any
    expires: bool


@dataclass(frozen=True)
class Dataset:
    """All keys without the prefix, read at one moment.

    Records and states are made once: audits ask for them once for each VM.
    """

    entries: Mapping[str, Entry]

    @cached_property
    def records(self) -> dict[str, dict[str, str]]:
        """Every VM's record."""
        return {
            name.removeprefix("vm:"): dict(entry.value)
            for name, entry in self.entries.items()
            if name.startswith("vm:")
        }

    @cached_property
    def states(self) -> dict[str, str]:
        """Every VM's state."""
        return {vm: record["state"] for vm, record in self.records.items()}

    @property
    def events(self) -> list[tuple[str, str, str]]:
        """What happened, oldest first: name, pool, VM."""
        entry = self.entries.get("events")
        return list(entry.value) if entry else []

    def members(self, stem: str, pool: str = "") -> dict[str, float]:
        """Give a sorted set: member → score."""
        entry = self.entries.get(f"{stem}:{pool}" if pool else stem)
        return dict(entry.value) if entry else {}

    def memberships(self, vm: str) -> list[str]:
        """Give the sets of states, `state:POOL`, that a VM is in."""
        return sorted(
            name
            for name, entry in self.entries.items()
            if name.split(":")[0] in (*LIVE, *SET_ASIDE) and ":" in name and vm in entry.value
        )

    def without_times(self) -> dict[str, Any]:
        """Give the data in a form in which two runs of the same acts are equal."""
        return {
            _OF_THE_MOMENT.sub(r"\1\2", name): (_timeless(name, entry.value), entry.expires)
            for name, entry in self.entries.items()
        }


async def ask(client: "Redis", *command: str | int) -> Any:
    """Run one command; the client's own method has no types."""
    return await client.execute_command(*command)  # type: ignore[no-untyped-call]


async def read_dataset(client: "Redis", prefix: str) -> Dataset:
    """Read all keys of a prefix at one moment."""
    found = await ask(client, "EVAL", _READ_ALL, 0, prefix)
    return Dataset(
        {
            key.removeprefix(f"{prefix}:"): Entry(_value(kind, value), expires=left >= 0)
            for key, kind, value, left in found
        }
    )


def _value(kind: str, value: Any) -> Any:
    match kind:
        case "hash":
            return dict(zip(value[::2], value[1::2], strict=True))
        case "pending":
            return {consumer: int(count) for consumer, count in value}
        case "set":
            return frozenset(value)
        case "zset":
            return dict(zip(value[::2], map(float, value[1::2]), strict=True))
        case "stream":
            return [tuple(fields[1::2]) for _, fields in value]
        case _:
            return value


def _timeless(name: str, value: Any) -> Any:
    if name.startswith("stats:"):
        return {field: number for field, number in value.items() if field.endswith(":n")}
    if name.startswith("op:"):
        value = _DURATION.sub('"a duration"', value)
    match value:
        case list():
            return sorted(Counter(value).items())
        case dict():
            return {
                field: "by chance" if field in _CHANCE else _timeless("", one) for field, one in value.items()
            }
        case float():
            return "a time" if 1e12 < value < 1e14 else value
        case str():
            return _TIME.sub("a time", value)
    return value
