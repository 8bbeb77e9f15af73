"""The head of each script against what Python really sends to it, and what it replies."""

import ast
import contextlib
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.store.dataset import ask
from tests.store.fleet import Fleet
from tests.store.operations import OPERATIONS
from tests.support.redis_server import RedisServer
from tests.support.stores import open_store
from vmpooler_common.store.core.errors import Refused
from vmpooler_common.store.core.scripts import read_scripts

SCRIPTS = {name: text for name, text in read_scripts() if not name.startswith("prelude")}
ANYTHING = "*"


def listed(script: str, label: str) -> list[str]:
    """Give the names after `-- LABEL` in a script's head, a group in brackets as one."""
    found = re.search(rf"^-- {label}\b ?((?:.*,\n--)*.*)$", SCRIPTS[script], re.MULTILINE)
    assert found, f"{script}.lua lists no {label}"
    text = re.sub(r"\n--\s*", " ", found[1]).strip()
    return re.findall(r"\([^)]*\)\.\.\.|[^,\s]+", text)


def fits(names: Sequence[str], count: int) -> bool:
    """Whether so many positional arguments can have these names."""
    fixed = [name for name in names if name != ANYTHING and not name.endswith("...")]
    more = count - len(fixed)
    if ANYTHING in names:
        return more >= 0
    groups = [len(name.split(",")) for name in names if name.endswith("...")]
    return more >= 0 and (more % groups[0] == 0 if groups else more == 0)


@pytest.mark.parametrize("script", sorted(SCRIPTS))
async def test_a_head_names_what_python_sends_and_what_is_replied(
    script: str, redis_server: RedisServer, redis_prefix: str, client: Redis
) -> None:
    replied: set[str] = set()
    operations = [operation for operation in OPERATIONS if script in operation.scripts]
    assert operations
    for number, operation in enumerate(operations):
        prefix = f"{redis_prefix[:-1]}-{number}}}"
        async with open_store(redis_server.url, prefix) as store:
            digest = store.scripts.digests[script]
            await operation.arrange(Fleet(store, client, prefix))
            async with client.monitor() as monitor:
                with contextlib.suppress(Refused):
                    await operation.run(store)
                await ask(client, "ECHO", f"end-{prefix}")
                sent = [
                    words async for words in _commands(monitor, until=f"end-{prefix}") if words[1] == digest
                ]
            for words in sent:
                replied |= await _check(script, words, client)
    if "\n-- REPLY" in SCRIPTS[script]:
        assert replied == set(listed(script, "REPLY"))


async def _commands(monitor: Any, *, until: str) -> Any:
    while True:
        line = await monitor.connection.read_response()  # the client's own reading forgets where words end
        words = [ast.literal_eval("b" + word).decode() for word in re.findall(r'"(?:[^"\\]|\\.)*"', line)]
        if until in words:
            return
        if words[0] == "EVALSHA":
            yield words


async def _check(script: str, words: Sequence[str], client: Redis) -> set[str]:
    """Check the arguments of a call; give the names of what a repetition of it replies."""
    arguments = words[4:]
    if "\n-- ARGS" in SCRIPTS[script]:
        (text,) = arguments
        assert set(json.loads(text)) == set(listed(script, "ARGS"))
    else:
        names = listed(script, "ARGV")
        assert fits(names, len(arguments)), f"{len(arguments)} arguments for {names}"
    if "\n-- REPLY" not in SCRIPTS[script]:
        return set()
    reply = json.loads(await ask(client, *words))
    return {name for one in (reply if isinstance(reply, list) else [reply]) for name in one}
