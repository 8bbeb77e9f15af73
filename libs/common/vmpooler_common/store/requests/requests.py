"""On-demand requests, as the API opens, shows and ends them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.checkout.checkouts import Return
from vmpooler_common.store.core.connection import RedisConnection, Reply, check
from vmpooler_common.store.core.errors import (
    NoSuchRequest,
    NotOwner,
    RequestExists,
    StoreUnavailable,
    UnknownToken,
)
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import duration_ms, from_ms


class RequestStatus(StrEnum):
    """Where a request is in its life."""

    OPEN = "open"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One VM of a request."""

    name: str
    """The pool or alias that was asked for."""
    pool: str
    vm: str
    """Empty while it is waited for."""
    domain: str
    """Of the VM, empty for short names."""
    charges: int
    """Clones that failed while this one was next."""
    error: str
    """The last of them."""

    @property
    def fqdn(self) -> str:
        """Host name of the VM with its domain."""
        return f"{self.vm}.{self.domain}" if self.domain else self.vm


@dataclass(frozen=True, slots=True)
class OnDemandRequest:
    """A request as it is now."""

    id: str
    status: RequestStatus
    created: datetime
    deadline: datetime
    user: str
    accepted: bool
    reason: str
    """Why it failed."""
    error: str
    """The last error on its way, also of one that is still open."""
    wants: tuple[Wanted, ...]


class Requests:
    """Each method is one round trip, and safe to repeat with the same operation."""

    def __init__(
        self, link: RedisConnection, scripts: Scripts, keys: Keys, *, data_ttl: timedelta, wait: "Waiting"
    ) -> None:
        self._link = link
        self._scripts = scripts
        self._keys = keys
        self._data_ttl = data_ttl
        self._wait = wait

    async def open(
        self,
        request: str,
        wants: Sequence[tuple[str, str]],
        *,
        operation: str,
        token: str | None,
        lifetime: timedelta | None,
        lifetime_with_token: timedelta | None,
        ttl: timedelta,
    ) -> None:
        """Create a request for a VM of each (requested name, pool).

        Raises RequestExists, UnknownToken, StoreUnavailable. After StoreUnavailable the request may have been
        opened: `checkouts.cancel` withdraws it by its operation.
        """
        flat = [text for want in wants for text in want]
        outcome = await self._scripts.run(
            "open_request",
            operation,
            request,
            token_digest(token),
            duration_ms(lifetime) if lifetime else 0,
            duration_ms(lifetime_with_token) if lifetime_with_token else 0,
            duration_ms(ttl),
            int(self._data_ttl.total_seconds()),
            *flat,
        )
        match outcome:
            case ["unauthorized"]:
                raise UnknownToken("the token isn't known")
            case ["exists"]:
                raise RequestExists(request)
            case ["cancelled", *_]:
                raise StoreUnavailable("the request was given up before Redis ran it", kind="timeout")

    async def look_up(self, request: str) -> OnDemandRequest | None:
        """Give a request as it is now; with `wait_replicas` a ready one only when replicas have it."""
        found = (await self.look_up_all([request]))[0]
        if found and found.status is RequestStatus.READY and self._wait.replicas:
            _, acknowledged = await self._link.call(
                ("HSET", self._keys("request", request), "told", 1),
                ("WAIT", self._wait.replicas, duration_ms(self._wait.timeout)),
            )
            if check(acknowledged) < self._wait.replicas:
                return replace(found, status=RequestStatus.OPEN)
        return found

    async def look_up_all(self, requests: Sequence[str]) -> list[OnDemandRequest | None]:
        """Give several requests as they are now."""
        replies = await self._scripts.run_all(
            self._scripts.command("show_request", request) for request in requests
        )
        return [request_of(request, reply) for request, reply in zip(requests, replies, strict=True)]

    async def statuses(self, requests: Sequence[str]) -> list[RequestStatus | None]:
        """Give the status of several requests, None where there is no such request."""
        keys = (self._keys("request", request) for request in requests)
        replies = await self._scripts.run_all(("HGET", key, "status") for key in keys)
        return [RequestStatus(reply) if reply else None for reply in replies]

    async def delete(
        self,
        request: str,
        *,
        operation: str,
        token: str | None,
        needs_token: bool,
        only_owner: bool = False,
        admins: Collection[str] = (),
    ) -> tuple[Return, ...] | None:
        """End a request and return its VMs, those given; None when it was deleted before.

        With `needs_token` a known token is needed for any request, otherwise only for one that was made with
        a token. With `only_owner` such a one is deleted only by its user, or by one of the `admins`.
        Raises NoSuchRequest, UnknownToken, NotOwner, StoreUnavailable.
        """
        outcome = await self._scripts.run(
            "delete_request",
            operation,
            request,
            "The request has been deleted",
            token_digest(token),
            int(needs_token),
            int(only_owner),
            *admins,
        )
        match outcome:
            case ["ok", user, *flat]:
                return tuple(_return(flat[at : at + 4], user) for at in range(0, len(flat), 4))
            case "unauthorized":
                raise UnknownToken("deleting this request needs a valid token")
            case "foreign":
                raise NotOwner("this request is another user's")
            case "missing":
                raise NoSuchRequest(f"no request found for request_id '{request}'")
        return None


def _return(values: Sequence[str], user: str) -> Return:
    vm, pool, provider_id, build_url = values
    return Return(vm, pool, provider_id, user, build_url)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many replicas must have a grant before it is told, and how long to wait for them."""

    replicas: int
    timeout: timedelta


def request_of(request: str, reply: Sequence[Reply]) -> OnDemandRequest | None:
    """Read what the script `look` gives."""
    if not reply:
        return None
    status, created, deadline, user, accepted, reason, error, *wants = reply
    return OnDemandRequest(
        id=request,
        status=RequestStatus(status),
        created=from_ms(created),
        deadline=from_ms(deadline),
        user=user,
        accepted=bool(accepted),
        reason=reason,
        error=error,
        wants=tuple(
            Wanted(**json.loads(text), domain=domain)
            for text, domain in zip(wants[::2], wants[1::2], strict=True)
        ),
    )
