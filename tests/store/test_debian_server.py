"""The whole life of a VM on Debian's Redis, since the other tests run on the embedded Valkey."""

import contextlib
import re
from collections.abc import Iterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.store.dataset import ask
from tests.store.fleet import LEASE, Fleet, want
from tests.store.operations import OPERATIONS
from tests.support.needs import needs_program
from tests.support.redis_server import RedisServer
from tests.support.stores import make_store, open_store
from tools.server_binary import OVERRIDE
from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.errors import NoneReady, Refused, StoreUnavailable

PREFIX = "{debian}"
RIGHTS = Path(__file__).parents[2] / "docs" / "configuration.md"


def rights() -> list[str]:
    """Give the rules of the ACL that the guide names, for any key."""
    (line,) = re.findall(r"^user vmpooler on >\S+ (~.*)$", RIGHTS.read_text(), re.MULTILINE)
    return ["~*", *line.split()[1:]]


@pytest.fixture
def debian_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    monkeypatch.setenv(OVERRIDE, str(needs_program("redis-server", package="redis-server")))
    with RedisServer(tmp_path) as server:
        yield server


async def test_a_vm_lives_its_whole_life(debian_server: RedisServer) -> None:
    async with (
        open_store(debian_server.url, PREFIX) as store,
        Redis.from_url(debian_server.url, decode_responses=True, protocol=2) as client,
        aclosing(store.events.follow()) as events,
    ):
        fleet = Fleet(store, client, PREFIX)
        assert (await anext(events)).name is EventName.EVENTS_MISSED
        await fleet.running("one", "a", lifetime=timedelta(hours=1))
        with pytest.raises(NoneReady):
            await store.checkouts.check_out([want("one")], operation="o", lifetime=None)
        await store.checkouts.release("a", operation="return")
        (to_destroy,) = await store.retirement.claim(["a"], operation="claim", manager="m", lease=LEASE)
        assert await store.retirement.destroyed("a", to_destroy.attempt, provider_id=to_destroy.provider_id)
        names = [(await anext(events)).name for _ in range(6)]
        assert names == [
            "vm.reserved",
            "vm.ready",
            "vm.checked_out",
            "vm.returned",
            "vm.destroying",
            "vm.destroyed",
        ]
        assert (await fleet.dataset()).entries["vm:a"].expires


async def test_every_verb_is_answered_with_the_rights_that_the_guide_names_and_heals_after_a_script_flush(
    debian_server: RedisServer,
) -> None:
    """The rights don't include flushing: that is an operator's."""
    async with Redis.from_url(debian_server.url, decode_responses=True, protocol=2) as client:
        await ask(client, "ACL", "SETUSER", "vmpooler", "on", ">secret", *rights())
        url = debian_server.url.replace("redis://", "redis://vmpooler:secret@")
        for number, operation in enumerate(OPERATIONS):
            prefix = f"{{debian-{number}}}"
            async with open_store(url, prefix) as store:
                await operation.arrange(Fleet(store, client, prefix))
                await ask(client, "SCRIPT", "FLUSH")
                with contextlib.suppress(Refused):
                    await operation.run(store)


async def test_without_the_right_to_ask_for_its_state_the_store_says_so_at_once(
    debian_server: RedisServer,
) -> None:
    async with Redis.from_url(debian_server.url, decode_responses=True, protocol=2) as client:
        await ask(client, "ACL", "SETUSER", "vmpooler", "on", ">secret", *rights(), "-info")
    store = make_store(debian_server.url.replace("redis://", "redis://vmpooler:secret@"), PREFIX)
    with pytest.raises(StoreUnavailable, match="'info'"):
        await store.deployment.prepare()
    await store.close()
