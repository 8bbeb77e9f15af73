"""What errors of Redis and of connections to it say: of the server, and of what an operator can do."""

from collections.abc import Mapping

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from vmpooler_common.store.core.errors import StoreUnavailable

_STATE_OF_SERVER = (
    "READONLY", "LOADING", "BUSY ", "MASTERDOWN", "OOM", "MISCONF", "NOREPLICAS", "CLUSTERDOWN",
    "TRYAGAIN", "UNBLOCKED", "NOAUTH", "Protocol error: unauthenticated",
)  # fmt: skip
"""Error codes that say that this server won't work for now, whatever the command."""
_READ_ONLY: Mapping[str, str] = {
    "READONLY": "it is a replica: let the services ask the primary, or promote it",
    "OOM": "its memory is full: raise its maxmemory, or free some",
    "MISCONF": "it can't save its data: see its log, and free its disk",
    "NOREPLICAS": "too few of its replicas answer: start them, or change min-replicas-to-write",
}
"""Those of a server that can be read, and takes no writes -> what to do."""
_CUT_OFF: Mapping[type[Exception], str] = {ReadOnlyError: "READONLY", OutOfMemoryError: "OOM"}
"""The client cuts the code off the message of these."""
_STATE_CLASSES = ("ReadOnlyError", "OutOfMemoryError", "MasterDownError", "ClusterDownError")
"""And of these."""
_NOT_ALLOWED_IN_SCRIPT = "ACL failure in script"
"""What Redis says of a script that calls what its user may not."""
TORN = (RuntimeError, AttributeError)
"""What the client lets through from a connection that was reset while nobody used it: the event loop's
complaint about a closed transport, or the client's own about one that isn't there any more."""


def speaks_of_server(error: ResponseError) -> bool:
    """Whether an error reply is about the server's state, and not about the command."""
    return str(error).startswith(_STATE_OF_SERVER) or type(error).__name__ in _STATE_CLASSES


def is_forbidden(error: ResponseError) -> bool:
    """Whether an error reply says that our user may not do this."""
    return isinstance(error, NoPermissionError) or str(error).startswith(_NOT_ALLOWED_IN_SCRIPT)


def unavailable(error: Exception) -> StoreUnavailable:
    """Say in our words what became of a connection; the client's messages hold no secrets."""
    if isinstance(error, (TimeoutError, RedisTimeoutError)):
        return StoreUnavailable("Redis didn't answer in time", kind="timeout")
    code = _CUT_OFF.get(type(error)) or str(error).partition(" ")[0]
    if code in _READ_ONLY:
        return StoreUnavailable(f"Redis can't be written: {error}", kind="read_only", remedy=_READ_ONLY[code])
    # The client counts the first two among the broken connections.
    if isinstance(error, (AuthenticationError, BusyLoadingError, ResponseError)):
        return StoreUnavailable(f"Redis refuses to work: {error}", kind="refused")
    if isinstance(error, (RedisConnectionError, OSError, *TORN)):
        return StoreUnavailable(f"Redis can't be reached: {error}", kind="unreachable")
    return StoreUnavailable(f"Redis gave an answer that isn't understood: {error}", kind="refused")
