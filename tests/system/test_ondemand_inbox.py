"""Somebody meddles with the managers' inbox: every open request still ends right."""

import pytest

from tests.support.installation import Installation
from tests.support.redis_server import RedisServer
from tests.system.conftest import Install

POOLS = ("left", "right")


@pytest.fixture
async def installation(install: Install, redis_server: RedisServer) -> Installation:
    installation = install(
        redis_server,
        pools=dict.fromkeys(POOLS, 1),
        provider={"createvm_max_time": 0.2, "vmready_max_time": 0.2},
    )
    await installation.start_manager()
    await installation.settles("at first")
    return installation


async def asked_while_nobody_reads(installation: Installation) -> None:
    """Open requests whose entries stay in the inbox: the manager is stopped until `resume`."""
    installation.managers[0].service.pause()
    for number in range(4):
        await installation.ask(f"request-{number}", *POOLS, *POOLS)


async def asked_again(installation: Installation) -> None:
    """See that a new request is served."""
    await installation.ask("afterwards", *POOLS)
    await installation.settles("asked again")


async def test_requests_whose_stream_is_deleted_are_served(installation: Installation) -> None:
    await asked_while_nobody_reads(installation)
    await installation.meddle("DEL", "requests")
    installation.managers[0].service.resume()
    await installation.settles("stream deleted")
    await asked_again(installation)


async def test_requests_whose_group_is_destroyed_are_served(installation: Installation) -> None:
    await asked_while_nobody_reads(installation)
    await installation.meddle("XGROUP DESTROY", "requests", "managers")
    installation.managers[0].service.resume()
    await installation.settles("group destroyed")
    await asked_again(installation)


async def test_a_request_whose_entry_comes_many_times_gets_what_it_asked_for_once(
    installation: Installation,
) -> None:
    await asked_while_nobody_reads(installation)
    for _ in range(3):
        await installation.meddle("XADD", "requests", "*", "request", "request-0")
    installation.managers[0].service.resume()
    await installation.settles("entries repeated")
    await installation.meddle("XADD", "requests", "*", "request", "request-0")
    await asked_again(installation)


async def test_the_entry_of_a_request_that_was_deleted_brings_nothing_back(
    installation: Installation,
) -> None:
    await asked_while_nobody_reads(installation)
    await installation.delete("request-0")
    await installation.meddle("XADD", "requests", "*", "request", "request-0")
    installation.managers[0].service.resume()
    await installation.settles("a deleted request's entries")


async def test_entries_that_nobody_understands_go_to_the_dead_letters_and_hold_nothing_up(
    installation: Installation,
) -> None:
    await asked_while_nobody_reads(installation)
    await installation.meddle("XADD", "requests", "*", "request", "never-opened")
    await installation.meddle("XADD", "requests", "*", "nonsense", "request-0")
    installation.managers[0].service.resume()
    await installation.settles("nonsense in the inbox")
    assert await dead_letters(installation) == [
        ("requests", "never-opened", "no request has this id"),
        ("requests", "", "the entry names no request"),
    ]


async def dead_letters(installation: Installation) -> list[tuple[str, str, str]]:
    """Give what was put aside, oldest first: queue, entry, reason."""
    entry = (await installation.dataset()).entries.get("dlq")
    return list(entry.value) if entry else []
