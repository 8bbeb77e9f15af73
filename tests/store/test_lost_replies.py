"""Every verb, its reply cut off on the way and asked for again: nothing happens twice.

Each operation is done twice from the same start: once undisturbed, and once through a proxy that lets Redis
carry it out and then cuts the connection before the answer is delivered, so that the store repeats it.
"""

import dataclasses
import inspect
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, get_type_hints

import pytest
from redis.asyncio import Redis

from tests.store.dataset import Dataset, ask
from tests.store.fleet import Fleet
from tests.store.operation import GENERATION, Operation
from tests.store.operations import OPERATIONS
from tests.support.faults import Moment
from tests.support.proxy import Proxy
from tests.support.redis_server import RedisServer
from tests.support.stores import make_store, open_store
from vmpooler_common.store.core.errors import Refused
from vmpooler_common.store.core.scripts import read_scripts
from vmpooler_common.store.store import Store

_OTHERWISE = {"prepare", "stay", "check_out and wait", "check_out for the last time"}
"""The first may find everything prepared, the second changes only when keys expire; the others are refused,
and take or give up a place in line."""
STANDS_ALONE = {"connection", "scripts"}
"""Fields of Store that are machinery of the others, without verbs of their own."""


@dataclasses.dataclass(frozen=True)
class Result:
    answer: Any
    before: Dataset
    after: Dataset

    @property
    def new_events(self) -> Counter[tuple[str, str, str]]:
        return Counter(self.after.events) - Counter(self.before.events)


def without_times(answer: Any) -> Any:
    """Give an answer in a form in which it is equal when it is given at another moment."""
    match answer:
        case datetime() | timedelta() | float():
            return type(answer)
        case tuple() | list():
            return [without_times(one) for one in answer]
        case dict():
            return {key: without_times(one) for key, one in answer.items()}
        case frozenset():
            return sorted(answer)
        case _ if dataclasses.is_dataclass(answer) and not isinstance(answer, type):
            return {
                field.name: without_times(getattr(answer, field.name)) for field in dataclasses.fields(answer)
            }
    return answer


async def answer_of(operation: Operation, store: Store) -> Any:
    """Do it; a refusal is an answer, too."""
    try:
        return without_times(await operation.run(store))
    except Refused as refusal:
        return type(refusal), str(refusal)


async def do(operation: Operation, client: Redis, urls: tuple[str, str], prefix: str) -> Result:
    """Arrange an operation through the first url and do it through the second."""
    await ask(client, "SET", f"{prefix}:generation", GENERATION)
    async with open_store(urls[0], prefix) as store:
        fleet = Fleet(store, client, prefix)
        await operation.arrange(fleet)
        before = await fleet.dataset()
    store = make_store(urls[1], prefix)
    try:
        answer = await answer_of(operation, store)
    finally:
        await store.close()
    return Result(answer, before, await fleet.dataset())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
async def test_a_verb_whose_reply_is_lost_does_the_same_once(
    operation: Operation, redis_server: RedisServer, redis_prefix: str, client: Redis, proxy: Proxy
) -> None:
    direct = redis_server.url
    undisturbed = await do(operation, client, (direct, direct), f"{redis_prefix}:undisturbed")
    fault = proxy.cut(lambda request: True, Moment.AFTER)
    disturbed = await do(operation, client, (direct, proxy.url), f"{redis_prefix}:disturbed")

    assert fault.hits == 1
    assert disturbed.answer == undisturbed.answer
    assert disturbed.new_events == undisturbed.new_events
    assert disturbed.after.without_times() == undisturbed.after.without_times()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
async def test_a_verb_that_redis_never_saw_is_sent_again(
    operation: Operation, redis_server: RedisServer, redis_prefix: str, client: Redis, proxy: Proxy
) -> None:
    direct = redis_server.url
    undisturbed = await do(operation, client, (direct, direct), f"{redis_prefix}:undisturbed")
    fault = proxy.cut(lambda request: True, Moment.BEFORE)
    disturbed = await do(operation, client, (direct, proxy.url), f"{redis_prefix}:disturbed")

    assert fault.hits == 1
    assert disturbed.answer == undisturbed.answer
    assert disturbed.after.without_times() == undisturbed.after.without_times()


@pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if not operation.only_reads],
    ids=lambda operation: operation.label,
)
async def test_a_verb_that_changes_something_does(
    operation: Operation, redis_server: RedisServer, redis_prefix: str, client: Redis
) -> None:
    """Guards the tests above: two runs of an operation that does nothing are always equal."""
    url = redis_server.url
    result = await do(operation, client, (url, url), redis_prefix)
    refused = isinstance(result.answer, tuple)
    assert refused == (result.after == result.before) or operation.label in _OTHERWISE


@pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if operation.only_reads],
    ids=lambda operation: operation.label,
)
async def test_a_view_writes_nothing(
    operation: Operation, redis_server: RedisServer, redis_prefix: str, client: Redis
) -> None:
    url = redis_server.url
    result = await do(operation, client, (url, url), redis_prefix)
    assert result.after == result.before


def test_every_public_verb_is_among_the_acts() -> None:
    verbs = {
        f"{name}.{method}"
        for name, kind in get_type_hints(Store).items()
        if name not in STANDS_ALONE
        for method, value in inspect.getmembers(kind, inspect.isfunction)
        if not method.startswith("_")
        and (inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value))
    }
    assert verbs == {operation.verb for operation in OPERATIONS}


def test_every_script_is_among_the_acts() -> None:
    scripts = {name for name, _ in read_scripts() if not name.startswith("prelude")}
    assert scripts == {script for operation in OPERATIONS for script in operation.scripts}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
async def test_an_act_runs_the_scripts_that_it_names(
    operation: Operation, redis_server: RedisServer, redis_prefix: str, client: Redis, proxy: Proxy
) -> None:
    sent: list[bytes] = []

    def listen(request: bytes) -> bool:
        sent.append(request)
        return False

    proxy.cut(listen, Moment.BEFORE)
    await do(operation, client, (redis_server.url, proxy.url), redis_prefix)
    store = make_store(redis_server.url, redis_prefix)
    digests = store.scripts.digests
    await store.close()
    run = {name for name, digest in digests.items() if any(digest.encode() in request for request in sent)}
    assert run == operation.scripts
