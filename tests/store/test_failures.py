"""A Redis that is away, silent, read-only, full or locked: always StoreUnavailable, and nothing half done."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.store.dataset import Dataset, ask, read_dataset
from tests.store.fleet import Fleet, want
from tests.store.operation import Operation
from tests.store.operations import OPERATIONS
from tests.support.faults import Moment, contains
from tests.support.proxy import Proxy
from tests.support.redis_server import RedisServer
from tests.support.stores import Tally, make_store, open_store
from vmpooler_common.store.core.connection import RedisOptions
from vmpooler_common.store.core.errors import ScriptFailed, StoreUnavailable
from vmpooler_common.store.store import Store

PREFIX = "{failures}"
PATIENCE = 20.0
SILENCE = 4.0
"""Seconds of silence after which a store gives up: far more than it takes to connect and send under load."""
ONE_OF_EACH_VERB = tuple(
    {operation.verb: operation for operation in OPERATIONS if not operation.verb.endswith(".follow")}.values()
)
"""Whether an answer comes has nothing to do with what is asked."""
WRITERS = frozenset[str]().union(*(operation.scripts for operation in OPERATIONS if not operation.only_reads))
"""Scripts that write for some operation; Redis then refuses them as a whole, also when they would write
nothing."""
writing = pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if operation.scripts & WRITERS],
    ids=lambda operation: operation.label,
)
reading = pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if operation.scripts - WRITERS],
    ids=lambda operation: operation.label,
)


@pytest.fixture(scope="module")
def troubled_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests that bring one into trouble by commands; `own_client` ends the trouble."""
    with RedisServer(tmp_path_factory.mktemp("troubled")) as server:
        yield server


@pytest.fixture
async def own_client(troubled_server: RedisServer) -> AsyncIterator["Redis"]:
    """Yield a client of the troubled server, which is empty and works when the test begins."""
    async with Redis.from_url(troubled_server.url, decode_responses=True, protocol=2) as client:
        await ask(client, "REPLICAOF", "NO", "ONE")
        await ask(client, "CONFIG", "SET", "maxmemory", "0")
        await ask(client, "FLUSHALL")
        yield client


async def failure_of(operation: Operation, store: Store) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable) as failure:
        await operation.run(store)
    return failure.value


@pytest.mark.parametrize("operation", ONE_OF_EACH_VERB, ids=lambda operation: operation.verb)
async def test_a_server_that_is_away_is_unreachable(operation: Operation, free_port: int) -> None:
    store = make_store(f"redis://127.0.0.1:{free_port}/0", PREFIX)
    assert (await failure_of(operation, store)).kind == "unreachable"
    await store.close()


async def test_a_server_that_is_silent_is_given_up_in_time(proxy: Proxy, redis_prefix: str) -> None:
    """Each verb on a store of its own, connected before the server falls silent, and all at the same time.

    So one time-out is waited for in all, which may be as long as a busy machine needs to connect and to send.
    """

    async def give_up(operation: Operation, store: Store, tally: Tally) -> tuple[str, str, float, float]:
        before = tally.round_trips
        failure = await failure_of(operation, store)
        return operation.verb, failure.kind, tally.round_trips - before, tally.errors("timeout")

    tallies = [Tally() for _ in ONE_OF_EACH_VERB]
    async with AsyncExitStack() as stack:
        stores = [
            await stack.enter_async_context(
                open_store(proxy.url, redis_prefix, timeout=SILENCE, retries=0, tally=tally)
            )
            for tally in tallies
        ]
        proxy.black_hole()
        given_up = await asyncio.gather(*map(give_up, ONE_OF_EACH_VERB, stores, tallies))
    assert given_up == [(operation.verb, "timeout", 1, 1) for operation in ONE_OF_EACH_VERB]


async def test_the_store_recovers_by_itself(fleet: Fleet, proxy: Proxy, redis_prefix: str) -> None:
    await fleet.ready("one", "a")
    async with open_store(proxy.url, redis_prefix) as store:
        await proxy.down()
        with pytest.raises(StoreUnavailable):
            await store.views.counts(["one"])
        await proxy.up()
        assert (await store.views.counts(["one"])).pools["one"].ready == 1


@pytest.mark.parametrize(("retries", "sends"), [(0, 1), (1, 2), (2, 3)])
async def test_a_broken_connection_is_tried_again_as_often_as_allowed(
    retries: int, sends: int, proxy: Proxy, redis_prefix: str
) -> None:
    fault = proxy.cut(lambda request: True, Moment.AFTER, times=10)
    store = make_store(proxy.url, redis_prefix, retries=retries)
    with pytest.raises(StoreUnavailable) as failure:
        await store.views.mark_broken("one", "no template")
    assert failure.value.kind == "unreachable"
    assert fault.hits == sends
    await store.close()


@writing
async def test_a_full_memory_refuses_whole_scripts(
    operation: Operation, troubled_server: RedisServer, own_client: "Redis"
) -> None:
    before, after, error = await _refused(
        operation, troubled_server, own_client, ("CONFIG", "SET", "maxmemory", "1")
    )
    assert error.kind == "read_only"
    assert after == before


@reading
async def test_a_full_memory_keeps_nobody_from_reading(
    operation: Operation, troubled_server: RedisServer, own_client: "Redis"
) -> None:
    async with open_store(troubled_server.url, PREFIX) as store:
        await operation.arrange(Fleet(store, own_client, PREFIX))
        assert await ask(own_client, "CONFIG", "SET", "maxmemory", "1")
        await operation.run(store)


async def _refused(
    operation: Operation, server: RedisServer, client: "Redis", *trouble: Sequence[str]
) -> tuple[Dataset, Dataset, StoreUnavailable]:
    async with open_store(server.url, PREFIX) as store:
        await operation.arrange(Fleet(store, client, PREFIX))
        before = await read_dataset(client, PREFIX)
        for command in trouble:
            assert await ask(client, *command)
        error = await failure_of(operation, store)
    return before, await read_dataset(client, PREFIX), error


@writing
async def test_a_server_that_became_a_replica_refuses_whole_scripts(
    operation: Operation, troubled_server: RedisServer, own_client: "Redis"
) -> None:
    before, after, error = await _refused(
        operation, troubled_server, own_client, ("REPLICAOF", "127.0.0.1", "1")
    )
    assert error.kind == "read_only"
    assert after == before


async def test_a_server_that_can_not_save_refuses_to_hand_out(tmp_path: Path) -> None:
    options = ("--save", "3600 1000000", "--dbfilename", "data.rdb")
    with RedisServer(tmp_path, options=options) as server:
        async with (
            Redis.from_url(server.url, decode_responses=True, protocol=2) as client,
            open_store(server.url, PREFIX) as store,
        ):
            fleet = Fleet(store, client, PREFIX)
            await fleet.ready("one", "a")
            (tmp_path / "data.rdb").mkdir()  # where the file is to be written
            await ask(client, "BGSAVE")
            async with asyncio.timeout(PATIENCE):
                while (await ask(client, "INFO", "persistence"))["rdb_last_bgsave_status"] == "ok":  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            with pytest.raises(StoreUnavailable, match="MISCONF") as failure:
                await store.checkouts.check_out([want("one")], operation="take", lifetime=None)
            assert failure.value.kind == "read_only"
            assert await fleet.state("a") == "ready"


async def test_a_server_that_loads_its_data_refuses_and_then_works(tmp_path: Path) -> None:
    slow = ("--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024")
    server = RedisServer(tmp_path, options=slow)
    server.start()
    try:
        async with Redis.from_url(server.url, decode_responses=True, protocol=2) as client:
            for number in range(200):
                await ask(client, "SET", f"key-{number}", "x" * 2048)
            await ask(client, "SAVE")
        server.kill()
        starting = asyncio.create_task(asyncio.to_thread(server.start))
        store = make_store(server.url, PREFIX)
        errors = []
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    await store.deployment.prepare()
                    break
                except StoreUnavailable as error:
                    errors.append(error)
        await starting
        await store.close()
    finally:
        server.kill()
    assert {error.kind for error in errors} <= {"unreachable", "refused"}
    assert any(error.kind == "refused" and "loading" in str(error) for error in errors)


@pytest.mark.parametrize("login", ["", ":wrong-secret@", "vmpooler:wrong-secret@"])
async def test_a_wrong_password_is_refused_without_being_told(login: str, tmp_path: Path) -> None:
    with RedisServer(tmp_path, options=("--requirepass", "right-secret")) as server:
        store = make_store(f"redis://{login}127.0.0.1:{server.port}/0", PREFIX)
        with pytest.raises(StoreUnavailable) as failure:
            await store.deployment.prepare()
        await store.close()
        assert failure.value.kind == "refused"
        assert "secret" not in f"{failure.value} {failure.value.__cause__!r}"


async def test_the_right_password_works(tmp_path: Path) -> None:
    with RedisServer(tmp_path, options=("--requirepass", "right-secret")) as server:
        async with open_store(f"redis://:right-secret@127.0.0.1:{server.port}/0", PREFIX) as store:
            assert (await store.views.counts([])).slots_in_use == 0


def test_options_hide_the_address_with_its_password() -> None:
    assert "secret" not in repr(RedisOptions("redis://:secret@localhost"))


async def test_a_caller_who_may_not_is_refused_while_others_are_answered(
    own_redis_server: RedisServer,
) -> None:
    async with open_store(own_redis_server.url, PREFIX, size=1) as store:
        rules = ("ACL", "SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all", "-hset")
        assert await store.connection.call(rules, ("AUTH", "limited", "secret")) == ["OK", "OK"]
        refused, answered = await asyncio.gather(
            store.views.mark_broken("one", "no template"),
            store.views.counts(["one"]),
            return_exceptions=True,
        )
        assert isinstance(refused, StoreUnavailable)
        assert refused.kind == "refused"
        assert not isinstance(answered, BaseException)


async def test_a_caller_who_gave_up_in_the_queue_is_never_served(
    fleet: Fleet, redis_prefix: str, proxy: Proxy
) -> None:
    await fleet.ready("one", "a")
    held, released = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        held.set()
        await released.wait()

    store = make_store(proxy.url, redis_prefix, size=1)
    proxy.on_match(contains("HGETALL"), Moment.BEFORE, callback=hold)
    busy = asyncio.create_task(store.checkouts.look_up("a"))
    await held.wait()
    queued = asyncio.create_task(store.checkouts.check_out([want("one")], operation="take", lifetime=None))
    await asyncio.sleep(0)
    queued.cancel()
    with pytest.raises(asyncio.CancelledError):
        await queued
    released.set()
    await busy
    assert await store.checkouts.cancel("other", reason="a later call") == []
    assert await fleet.state("a") == "ready"
    await store.close()


async def test_a_caller_waits_only_so_long_for_a_connection(redis_prefix: str, proxy: Proxy) -> None:
    store = make_store(proxy.url, redis_prefix, size=1, timeout=0.2, queue_timeout=0.0)
    proxy.black_hole()
    busy = asyncio.create_task(store.views.counts([]))
    await asyncio.sleep(0)  # it asks
    await asyncio.sleep(0)  # its exchange begins
    results = await asyncio.gather(busy, store.views.counts([]), return_exceptions=True)
    assert [getattr(result, "kind", result) for result in results] == ["timeout", "timeout"]
    await store.close()


async def test_after_closing_every_call_is_refused(redis_server: RedisServer, redis_prefix: str) -> None:
    async with open_store(redis_server.url, redis_prefix) as store:
        pass
    with pytest.raises(StoreUnavailable):
        await store.views.counts([])


async def test_a_call_that_can_not_be_made_fails_and_doesnt_hang(
    redis_server: RedisServer, redis_prefix: str
) -> None:
    store = make_store(redis_server.url, redis_prefix)
    with pytest.raises(StoreUnavailable):
        async with asyncio.timeout(PATIENCE):
            await store.connection.call(("SET", f"{redis_prefix}:x", object()))  # type: ignore[arg-type]
    await store.close()


@pytest.mark.parametrize("key", ["vm:a", "ready:one", "op:take"])
async def test_a_key_of_the_wrong_type_stops_a_script_before_it_writes(key: str, fleet: Fleet) -> None:
    await fleet.ready("one", "b")
    await ask(fleet.client, "DEL", f"{fleet.prefix}:{key}")
    await ask(fleet.client, "RPUSH", f"{fleet.prefix}:{key}", "x")
    before = await fleet.dataset()
    verbs: dict[str, Callable[[], Awaitable[object]]] = {
        "vm:a": lambda: fleet.store.checkouts.release("a", operation="return"),
        "ready:one": lambda: fleet.store.checkouts.check_out([want("one")], operation="take", lifetime=None),
        "op:take": lambda: fleet.store.checkouts.check_out([want("one")], operation="take", lifetime=None),
    }
    with pytest.raises(ScriptFailed):
        await verbs[key]()
    assert await fleet.dataset() == before


async def test_a_call_that_never_left_is_told_from_one_that_may_have_run(
    proxy: Proxy, redis_prefix: str, free_port: int
) -> None:
    away = make_store(f"redis://127.0.0.1:{free_port}/0", redis_prefix)
    with pytest.raises(StoreUnavailable) as never_left:
        await away.views.mark_broken("one", "no template")
    proxy.cut(lambda request: True, Moment.AFTER, times=10)
    store = make_store(proxy.url, redis_prefix)
    with pytest.raises(StoreUnavailable) as may_have_run:
        await store.views.mark_broken("one", "no template")
    await away.close()
    await store.close()
    assert (never_left.value.may_have_run, may_have_run.value.may_have_run) == (False, True)
