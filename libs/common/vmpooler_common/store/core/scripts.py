"""Runs the Lua scripts that lie beside their callers, each one verb of the store, by their digest."""

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError

from vmpooler_common.store.core.connection import Command, RedisConnection, Reply, check
from vmpooler_common.store.core.errors import ScriptFailed
from vmpooler_common.store.core.keys import Keys

Argument = str | int | float
Named = Argument | None | Sequence["Named"] | Mapping[str, "Named"]
"""A named argument. Scripts get texts, and lists of them: None as "", True as "1"."""

NEEDS = "-- needs "
"""First line of a script that uses more than `prelude.lua`, such as `requests` for `prelude_requests.lua`."""

NAMED = "\n-- ARGS"
"""Begins the list of arguments of a script that takes one JSON object, which it finds in the table `ARG`."""

READ_ONLY = "Writes nothing."
"""What the comment at the head of a script that only reads says."""


class Scripts:
    """Every script with this installation's keys compiled in, so that a call carries only its arguments.

    The single declared key is the schema's: it tells a cluster's client which slot all keys are in.
    """

    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._route = keys("schema")
        texts = dict(read_scripts())
        preludes = {name: texts.pop(name) for name in list(texts) if name.startswith("prelude")}
        prelude = keys.lua_table() + preludes["prelude"]
        # The shebang makes Redis refuse a script as a whole when memory is full or it can't write;
        # one that writes nothing goes on working then.
        self._sources = {
            name: "".join(
                (
                    _shebang(text),
                    prelude,
                    "local ARG = cjson.decode(ARGV[1])\n" if NAMED in text else "",
                    *(preludes[f"prelude_{part}"] for part in _needs(text)),
                    text,
                )
            )
            for name, text in texts.items()
        }
        self.digests = {
            name: hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
            for name, source in self._sources.items()
        }

    def command(self, name: str, *arguments: Argument) -> Command:
        """Give the command that runs a script, for a call of several commands."""
        return ("EVALSHA", self.digests[name], 1, self._route, *arguments)

    def command_named(self, script: str, /, **arguments: Named) -> Command:
        """Give the command that runs a script that takes its arguments by name."""
        texts = {name: _text(value) for name, value in arguments.items()}
        return self.command(script, json.dumps(texts, ensure_ascii=False))

    async def load(self) -> None:
        """Hand every script to Redis, so that the first use costs no further round trip."""
        for reply in await self._connection.call(
            *(("SCRIPT", "LOAD", text) for text in self._sources.values())
        ):
            check(reply)

    async def run(self, name: str, *arguments: Argument) -> Reply:
        """Run one script. Raises StoreUnavailable, ScriptFailed."""
        return (await self.run_all([self.command(name, *arguments)]))[0]

    async def run_named(self, script: str, /, **arguments: Named) -> Reply:
        """Run one script that takes its arguments by name. Raises StoreUnavailable, ScriptFailed."""
        return (await self.run_all([self.command_named(script, **arguments)]))[0]

    async def fetch(self, script: str, /, **arguments: Named) -> Any:
        """Run one script that replies with names, too; give what `read_named` does."""
        return read_named(await self.run_named(script, **arguments))

    async def run_all(self, commands: Iterable[Command]) -> list[Reply]:
        """Run commands in one round trip, in order; scripts that Redis has lost are loaded again.

        Not one transaction: each script is one. Raises StoreUnavailable, ScriptFailed.
        """
        commands = list(commands)
        replies = await self._connection.call(*commands)
        lost = [index for index, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if lost:
            await self.load()
            # All that follows goes again, too: a WAIT must come after the script that it waits for.
            replies[lost[0] :] = await self._connection.call(*commands[lost[0] :])
        try:
            return [check(reply) for reply in replies]
        except ScriptFailed:
            self._connection.metrics.script_failed()
            raise


def read_named(reply: str) -> Any:
    """Read a reply with names: a mapping, or a list of mappings. An empty list comes as an empty mapping."""
    try:
        return json.loads(reply)
    except json.JSONDecodeError:
        # The connection gives bytes that are no UTF-8 as \\xff, which JSON doesn't know.
        return json.loads(_NOT_JSON.sub(lambda found: found[0] if found[0] == "\\\\" else "\\\\", reply))


_NOT_JSON = re.compile(r"\\\\|\\(?=x)")
"""A backslash before an x, and pairs of backslashes, so that no second one of a pair is taken for it."""


def _text(value: Named) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _text(one) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [_text(one) for one in value]
    return "" if value is None else str(int(value) if isinstance(value, bool) else value)


def read_scripts() -> Iterator[tuple[str, str]]:
    """Give name and text of each script and prelude; they lie beside the Python that calls them."""
    for folder in files("vmpooler_common.store").iterdir():
        if folder.is_dir():
            for entry in folder.iterdir():
                if entry.name.endswith(".lua"):
                    yield entry.name.removesuffix(".lua"), entry.read_text()


def _needs(text: str) -> list[str]:
    first, *_ = text.split("\n", 1)
    return first.removeprefix(NEEDS).split() if first.startswith(NEEDS) else []


def _shebang(text: str) -> str:
    return "#!lua flags=no-writes\n" if READ_ONLY in text else "#!lua\n"


def new_operation() -> str:
    """Make an operation id: the same one marks a repetition of the same act."""
    return secrets.token_urlsafe(12)
