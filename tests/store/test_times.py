"""Times come from Redis: no verb is told what time it is, and all that is stored is by the server's clock."""

import inspect
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import get_type_hints

import pytest

from tests.store.fleet import LEASE, MANAGER, Fleet, serving
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.core.scripts import read_scripts
from vmpooler_common.store.core.times import duration_ms, from_ms, to_ms
from vmpooler_common.store.store import Store

LIFETIME = timedelta(hours=3)
Find = Callable[[Fleet], Awaitable[float]]


def _score(stem: str, pool: str = "one") -> Find:
    async def find(fleet: Fleet) -> float:
        return (await fleet.dataset()).members(stem, pool)["a"]

    return find


def _field(name: str) -> Find:
    async def find(fleet: Fleet) -> float:
        return float((await fleet.dataset()).records["a"][name])

    return find


async def _defer(fleet: Fleet) -> None:
    await fleet.destroying("one", "a")
    await fleet.store.retirement.defer("a", manager=MANAGER, delay=timedelta(minutes=7))


async def _retire_later(fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    await fleet.store.retirement.retire(
        "a", VmState.READY, operation="o", reason="test", delay=timedelta(minutes=9)
    )


async def _register(fleet: Fleet) -> None:
    await fleet.store.leases.heartbeat("a", lease=LEASE, offer=serving([]), working_on=[])


CASES: tuple[tuple[str, Callable[[Fleet], Awaitable[None]], Find, timedelta], ...] = (
    ("reserved", lambda fleet: fleet.reserved("one", "a"), _score("pending"), timedelta(0)),
    ("lease of a clone", lambda fleet: fleet.reserved("one", "a"), _field("lease"), LEASE),
    ("slot", lambda fleet: fleet.reserved("one", "a"), _score("slots", ""), timedelta(minutes=10)),
    ("lease while creating", lambda fleet: fleet.creating("one", "a"), _field("lease"), LEASE),
    ("create_sent", lambda fleet: fleet.creating("one", "a"), _field("create_sent"), timedelta(0)),
    ("cloned", lambda fleet: fleet.created("one", "a"), _field("cloned"), timedelta(0)),
    ("ready", lambda fleet: fleet.ready("one", "a"), _score("ready"), timedelta(0)),
    ("suspect", lambda fleet: fleet.suspect("one", "a"), _score("suspect"), timedelta(0)),
    ("hand-out", lambda fleet: fleet.running("one", "a"), _field("checkout"), timedelta(0)),
    ("end", lambda fleet: fleet.running("one", "a", lifetime=LIFETIME), _score("running"), LIFETIME),
    ("untagged", lambda fleet: fleet.running("one", "a"), _score("untagged"), timedelta(0)),
    ("completed", lambda fleet: fleet.completed("one", "a"), _score("completed"), timedelta(0)),
    ("destruction", _retire_later, _score("completed"), timedelta(minutes=9)),
    ("lease of a destruction", lambda fleet: fleet.destroying("one", "a"), _score("destroying"), LEASE),
    ("deferred", _defer, _score("destroying"), timedelta(minutes=7)),
    ("gone", lambda fleet: fleet.gone("one", "a"), _field("gone"), timedelta(0)),
    ("registration", _register, _score("managers", ""), LEASE),
)


@pytest.mark.parametrize(("arrange", "find", "later"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
async def test_a_stored_time_lies_between_two_looks_at_the_servers_clock(
    arrange: Callable[[Fleet], Awaitable[None]], find: Find, later: timedelta, fleet: Fleet
) -> None:
    before = await fleet.server_ms()
    await arrange(fleet)
    after = await fleet.server_ms()
    assert before <= await find(fleet) - duration_ms(later) <= after


def test_no_verb_is_told_what_time_it_is() -> None:
    read_elsewhere = {("checkouts.reinstate", "ends_at"), ("retirement.retire", "bound")}
    """From the tag in the cloud, and from the snapshot that the plan relied on."""
    for name, kind in get_type_hints(Store).items():
        for method, function in inspect.getmembers(kind, inspect.isfunction):
            parameters = {key: hint for key, hint in get_type_hints(function).items() if key != "return"}
            told = {key for key, hint in parameters.items() if "datetime.datetime" in str(hint)}
            assert {(f"{name}.{method}", key) for key in told} <= read_elsewhere
            assert "now" not in parameters, f"{name}.{method}"


def test_scripts_ask_only_redis_for_the_time() -> None:
    for name, text in read_scripts():
        assert not re.search(r"\bos\.", text), name


async def test_views_tell_the_servers_time(fleet: Fleet) -> None:
    before = await fleet.server_ms()
    snapshot, _ = await fleet.store.views.observe("one", "dummy", size=1, ready_ttl=LEASE, listed=None)
    numbers = await fleet.store.views.counts(["one"])
    heartbeat = await fleet.store.leases.heartbeat(MANAGER, lease=LEASE, offer=serving([]), working_on=[])
    _, looked = await fleet.store.checkouts.look_up("a")
    after = await fleet.server_ms()
    times = [to_ms(moment) for moment in (snapshot.now, numbers.now, heartbeat.now, looked)]
    assert [before, *times, after] == sorted([before, *times, after])


@pytest.mark.parametrize("milliseconds", [0, 1, 1_700_000_000_123, 4_102_444_800_999])
def test_a_time_survives_being_stored(milliseconds: int) -> None:
    assert to_ms(from_ms(str(milliseconds))) == milliseconds
