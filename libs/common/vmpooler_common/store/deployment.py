"""The data set as a whole: its schema, its generation, and whether Redis is set up to keep it."""

import secrets

from redis.exceptions import ResponseError

from vmpooler_common.store.core.connection import RedisConnection, check
from vmpooler_common.store.core.errors import InstallationMismatch, SchemaMismatch, StoreUnavailable
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.managers.leases import info_of

SCHEMA = 2
"""Version of the keys and records in `core/keys.py`; raised when other versions couldn't read them."""

OLDEST_REDIS = 7
"""Earlier ones know no flags of scripts. Valkey calls itself 7 where Redis's version is asked for."""

_WRITTEN_BY = {"1": "vmpooler 0.1"}


class Deployment:
    """Used at start, and by the manager when the data set was lost."""

    def __init__(
        self, connection: RedisConnection, scripts: Scripts, keys: Keys, *, installation: str
    ) -> None:
        self._connection = connection
        self._scripts = scripts
        self._keys = keys
        self._installation = installation

    async def prepare(self) -> str:
        """Check whose data it is, name the data set if it is new, load the scripts; give the generation.

        Data of another schema or installation is left as it is.
        Raises SchemaMismatch, InstallationMismatch, StoreUnavailable.
        """
        server, schema, stored = map(
            check,
            await self._connection.call(
                ("INFO", "server"), ("GET", self._keys("schema")), ("GET", self._keys("installation"))
            ),
        )
        version = info_of(server).get("redis_version", "")
        if int(version.partition(".")[0] or 0) < OLDEST_REDIS:
            raise StoreUnavailable(
                f"this server is Redis {version}; vmpooler needs Redis {OLDEST_REDIS} or Valkey 8",
                kind="refused",
            )
        if schema not in (None, str(SCHEMA)):
            writer = _WRITTEN_BY.get(schema, "another vmpooler")
            raise SchemaMismatch(
                f"the data in Redis has schema {schema}, written by {writer}; this version reads schema "
                f"{SCHEMA} only: let that version's VMs end, then use an empty Redis or another redis.prefix"
            )
        if stored not in (None, self._installation):
            raise InstallationMismatch(stored, self._installation)
        *_, stored, generation = await self._connection.call(
            ("SET", self._keys("schema"), SCHEMA, "NX"),
            ("SET", self._keys("installation"), self._installation, "NX"),
            ("SET", self._keys("generation"), secrets.token_hex(8), "NX"),
            ("GET", self._keys("installation")),
            ("GET", self._keys("generation")),
        )
        self._connection.metrics.written()
        if check(stored) != self._installation:  # another one was faster
            raise InstallationMismatch(stored, self._installation)
        await self._scripts.load()
        return str(check(generation))

    async def concerns(self, *, wait_replicas: int) -> list[str]:
        """List in what ways Redis's set-up could lose VMs or grants, each with what to do."""
        policy, memory, persistence, append, replication = await self._connection.call(
            ("CONFIG", "GET", "maxmemory-policy"),
            ("INFO", "memory"),
            ("INFO", "persistence"),
            ("CONFIG", "GET", "appendfsync"),
            ("INFO", "replication"),
        )
        concerns = []
        evicting = "" if isinstance(policy, ResponseError) or not policy else policy[1]
        if evicting not in ("", "noeviction"):
            limit = int(info_of(check(memory)).get("maxmemory", 0))
            concerns.append(
                f"maxmemory-policy is {evicting}: Redis {'deletes' if limit else 'would delete'} records "
                "of VMs when memory is short; set it to noeviction"
            )
        if info_of(check(persistence)).get("aof_enabled") != "1":
            concerns.append(
                "appendonly is off: a restart of Redis forgets which VMs are handed out; set appendonly yes"
            )
        elif not isinstance(append, ResponseError) and append and append[1] != "always":
            concerns.append(
                f"appendfsync is {append[1]}: a crash of Redis may forget the latest grants; set it to always"
            )
        state = info_of(check(replication))
        if state.get("role") != "master":
            concerns.append(
                f"this Redis is a {state.get('role')}: it takes no writes; connect to the primary"
            )
        elif int(state.get("connected_slaves", 0)) < wait_replicas:
            concerns.append(
                f"redis.wait_replicas is {wait_replicas} but {state.get('connected_slaves', 0)} replicas are "
                "connected: no VM can be handed out"
            )
        if isinstance(policy, ResponseError):
            concerns.append(
                "CONFIG isn't allowed here, so maxmemory-policy and appendfsync could not be checked"
            )
        return concerns
