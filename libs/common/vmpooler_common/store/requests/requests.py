"""On-demand requests, as the API opens, shows and ends them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from vmpooler_common.model.allowance import NO_CLIENT, Client
from vmpooler_common.store.access.tokens import TOKEN_UNKNOWN, token_digest
from vmpooler_common.store.checkout.values import Return
from vmpooler_common.store.core.connection import RedisConnection, check
from vmpooler_common.store.core.errors import (
    NoSuchRequest,
    NotOwner,
    QuotaExceeded,
    RequestExists,
    RequestTaken,
    StoreUnavailable,
    TooManyRequests,
    UnknownToken,
)
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.core.scripts import Scripts, read_named
from vmpooler_common.store.core.times import duration_ms, from_ms

MOST_FINISHED = 1000
"""Requests of one client that may be over within an hour: each is kept for some time."""


class RequestStatus(StrEnum):
    """Where a request is in its life."""

    OPEN = "open"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class RequestItem:
    """One VM of a request, and what was asked for."""

    name: str
    """The pool or alias that was asked for."""
    pool: str
    vm: str
    """Empty while it is waited for."""
    domain: str
    """Of the VM, empty for short names."""
    failed_attempts: int
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
    user: str | None
    accepted: bool
    granted: int
    """How many VMs it was given."""
    reason: str
    """Why it failed."""
    error: str
    """The last error on its way, also of one that is still open."""
    items: tuple[RequestItem, ...]
    """None of a request that has failed or was deleted."""


class Requests:
    """Each method is one round trip, and safe to repeat with the same operation."""

    def __init__(
        self,
        connection: RedisConnection,
        scripts: Scripts,
        keys: Keys,
        *,
        data_ttl: timedelta,
        wait: "ReplicaWait",
    ) -> None:
        self._connection = connection
        self._scripts = scripts
        self._keys = keys
        self._data_ttl = data_ttl
        self._wait = wait

    async def open(
        self,
        request: str,
        items: Sequence[Sequence[str]],
        *,
        operation: str,
        token: str | None,
        lifetime: timedelta | None,
        ttl: timedelta,
        client: Client = NO_CLIENT,
    ) -> None:
        """Create a request for a VM of each (requested name, pool, the next one if that is broken, …).

        Raises RequestExists, RequestTaken, UnknownToken, QuotaExceeded, TooManyRequests, StoreUnavailable.
        After StoreUnavailable the request may have been opened: `checkouts.cancel` withdraws it by its
        operation.
        """
        reply = await self._scripts.fetch(
            "open_request",
            operation=operation,
            request=request,
            token=token_digest(token),
            lifetime=_lifetime_ms(lifetime),
            lifetime_with_token=_lifetime_ms(client.lifetime_with_token),
            ttl=duration_ms(ttl),
            keep=int(self._data_ttl.total_seconds()),
            items=items,
            client=client.name,
            most_running=client.allowance.running_vms,
            most_wanted=client.allowance.ondemand_vms,
            most_anonymous=client.allowance.anonymous_ondemand_vms,
            most_finished=MOST_FINISHED,
        )
        match reply["outcome"]:
            case "unauthorized":
                raise UnknownToken(TOKEN_UNKNOWN)
            case "exists":
                raise RequestExists(request)
            case "foreign":
                raise RequestTaken(request)
            case "limit":
                raise QuotaExceeded(
                    reply["what"],
                    user=reply["user"] or None,
                    has=reply["has"],
                    would_have=reply["would_have"],
                    allowed=getattr(client.allowance, reply["what"]),
                )
            case "busy":
                raise TooManyRequests(reply["retry_after"])
            case "cancelled":
                raise StoreUnavailable("the request was given up before Redis ran it", kind="timeout")

    async def look_up(self, request: str) -> OnDemandRequest | None:
        """Give a request as it is now; with `wait_replicas` a ready one only when replicas have it."""
        found = (await self.look_up_all([request]))[0]
        if found and found.status is RequestStatus.READY and self._wait.replicas:
            _, acknowledged = await self._connection.call(
                ("HSET", self._keys("request", request), "reported", 1),
                ("WAIT", self._wait.replicas, duration_ms(self._wait.timeout)),
            )
            if check(acknowledged) < self._wait.replicas:
                return replace(found, status=RequestStatus.OPEN)
        return found

    async def look_up_all(self, requests: Sequence[str]) -> list[OnDemandRequest | None]:
        """Give several requests as they are now."""
        replies = await self._scripts.run_all(
            self._scripts.command_named("show_request", request=request) for request in requests
        )
        return [
            request_of(request, read_named(reply)) for request, reply in zip(requests, replies, strict=True)
        ]

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
        reply = await self._scripts.fetch(
            "delete_request",
            operation=operation,
            request=request,
            reason="The request has been deleted",
            token=token_digest(token),
            needs_token=needs_token,
            only_owner=only_owner,
            admins=list(admins),
        )
        match reply["outcome"]:
            case "ok":
                return tuple(Return(**vm, user=reply["user"] or None) for vm in reply["vms"])
            case "unauthorized":
                raise UnknownToken("deleting this request needs a valid token: send X-AUTH-TOKEN")
            case "foreign":
                raise NotOwner("this request is another user's, who deletes it, or an admin")
            case "missing":
                raise NoSuchRequest(f"no request found for request_id '{request}'")
        return None


@dataclass(frozen=True, slots=True)
class ReplicaWait:
    """How many replicas must have a grant before it is told, and how long to wait for them."""

    replicas: int
    timeout: timedelta


def request_of(request: str, found: Mapping[str, Any]) -> OnDemandRequest | None:
    """Read what the script `show_request` gives; None when there is no such request."""
    if not found["status"]:
        return None
    return OnDemandRequest(
        id=request,
        status=RequestStatus(found["status"]),
        created=from_ms(found["created"]),
        deadline=from_ms(found["deadline"]),
        user=found["user"] or None,
        accepted=bool(found["accepted"]),
        granted=found["granted"],
        reason=found["reason"],
        error=found["error"],
        items=tuple(RequestItem(**item) for item in found["items"]),
    )


def _lifetime_ms(lifetime: timedelta | None) -> int:
    """Give a lifetime as scripts take it: 0 for one without an end."""
    return duration_ms(lifetime) if lifetime else 0
