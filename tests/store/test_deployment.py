"""The data set as a whole: its schema, its generation, and whether Redis is set up to keep it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.store.dataset import ask
from tests.store.fleet import LEASE, Fleet, serving
from tests.support.redis_server import RedisServer
from tests.support.stores import make_store, open_store
from vmpooler_common.store.core.errors import InstallationMismatch, SchemaMismatch
from vmpooler_common.store.store import Store

PREFIX = "{deployment}"


@pytest.mark.parametrize(("schema", "writer"), [("1", "vmpooler 0.1"), ("3", "another vmpooler")])
async def test_data_of_another_schema_is_refused_in_clear_words_and_left_as_it_is(
    schema: str, writer: str, redis_server: RedisServer, redis_prefix: str, client: Redis
) -> None:
    await ask(client, "SET", f"{redis_prefix}:schema", schema)
    store = make_store(redis_server.url, redis_prefix)
    with pytest.raises(
        SchemaMismatch, match=rf"has schema {schema}, written by {writer}; .* reads schema 2 only"
    ):
        await store.deployment.prepare()
    await store.close()
    assert await ask(client, "KEYS", f"{redis_prefix}:*") == [f"{redis_prefix}:schema"]
    assert await ask(client, "GET", f"{redis_prefix}:schema") == schema


async def test_the_data_of_another_installation_are_refused_in_clear_words_and_left_as_they_are(
    fleet: Fleet, redis_server: RedisServer, redis_prefix: str
) -> None:
    before = await fleet.dataset()
    store = make_store(redis_server.url, redis_prefix, installation="lab")
    refusal = r"belongs to the installation 'test', .* of 'lab': .* config.installation .* redis.prefix"
    with pytest.raises(InstallationMismatch, match=refusal):
        await store.deployment.prepare()
    with pytest.raises(InstallationMismatch, match=refusal):
        await store.leases.heartbeat("m", lease=LEASE, offer=serving(["one"]), working_on=[])
    await store.close()
    assert await fleet.dataset() == before


async def test_preparing_again_changes_nothing(fleet: Fleet) -> None:
    before = await fleet.dataset()
    generation = await fleet.store.deployment.prepare()
    assert await fleet.dataset() == before
    assert generation == before.entries["generation"].value


async def test_the_generation_outlives_services_and_a_killed_server(own_redis_server: RedisServer) -> None:
    async with open_store(own_redis_server.url, PREFIX) as store:
        generation = await store.deployment.prepare()
    own_redis_server.kill()
    own_redis_server.start()
    async with open_store(own_redis_server.url, PREFIX) as store:
        assert await store.deployment.prepare() == generation


async def test_the_generation_is_another_after_the_data_were_lost(own_redis_server: RedisServer) -> None:
    async with open_store(own_redis_server.url, PREFIX) as store:
        generation = await store.deployment.prepare()
        await store.connection.call(("FLUSHALL",))
        heartbeat = await store.leases.heartbeat("m", lease=LEASE, offer=serving([]), working_on=[])
        assert heartbeat.generation == ""
        assert await store.deployment.prepare() not in ("", generation)


async def test_installations_on_one_server_know_nothing_of_each_other(
    fleet: Fleet, redis_server: RedisServer, redis_prefix: str
) -> None:
    await fleet.ready("one", "a")
    async with open_store(redis_server.url, f"{{other-{redis_prefix[1:-1]}}}") as other:
        assert (await other.views.counts(["one"])).pools["one"].ready == 0
        assert (await other.checkouts.look_up("a"))[0] is None


async def test_the_identity_changes_with_the_server(own_redis_server: RedisServer) -> None:
    async with open_store(own_redis_server.url, PREFIX) as store:
        first = await store.leases.heartbeat("m", lease=LEASE, offer=serving([]), working_on=[])
        second = await store.leases.heartbeat("m", lease=LEASE, offer=serving([]), working_on=[])
        own_redis_server.stop()
        own_redis_server.start()
        third = await store.leases.heartbeat("m", lease=LEASE, offer=serving([]), working_on=[])
    assert first.identity == second.identity != third.identity


async def test_a_durable_server_gives_no_concern(own_redis_server: RedisServer) -> None:
    async with open_store(own_redis_server.url, PREFIX) as store:
        assert await store.deployment.concerns(wait_replicas=0) == []


@pytest.mark.parametrize(
    ("commands", "wait_replicas", "concern"),
    [
        ([("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")], 0, "maxmemory-policy is allkeys-lru"),
        ([("CONFIG", "SET", "appendonly", "no")], 0, "appendonly is off"),
        ([("CONFIG", "SET", "appendfsync", "everysec")], 0, "appendfsync is everysec"),
        ([("REPLICAOF", "127.0.0.1", "1")], 0, "this Redis is a slave"),
        ([], 1, "redis.wait_replicas is 1 but 0 replicas are connected"),
        (
            [
                ("ACL", "SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all", "-config"),
                ("AUTH", "limited", "secret"),
            ],
            0,
            "CONFIG isn't allowed here",
        ),
    ],
    ids=["eviction", "no log", "lazy log", "replica", "no replicas", "no CONFIG"],
)
async def test_each_dangerous_setting_is_one_concern(
    commands: Sequence[Sequence[str]], wait_replicas: int, concern: str, own_redis_server: RedisServer
) -> None:
    async with open_store(own_redis_server.url, PREFIX, size=1) as store:
        await _set_up(store, commands)
        (told,) = await store.deployment.concerns(wait_replicas=wait_replicas)
        assert told.startswith(concern)


async def _set_up(store: Store, commands: Sequence[Sequence[str]]) -> None:
    for command in commands:
        assert await store.connection.call(command) == ["OK"]


async def test_a_limit_of_memory_makes_eviction_a_fact(tmp_path: Path) -> None:
    options = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with RedisServer(tmp_path, durable=True, options=options) as server:
        async with open_store(server.url, PREFIX) as store:
            (told,) = await store.deployment.concerns(wait_replicas=0)
            assert "Redis deletes" in told
