"""The verbs of on-demand requests as operations."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta

from tests.store.dataset import ask
from tests.store.fleet import LEASE, Fleet, attempt_of, reservation
from tests.store.ondemand import OnDemand
from tests.store.operation import Operation, operation
from vmpooler_common.model.allowance import Allowance, Client
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.core.errors import StoreUnavailable
from vmpooler_common.store.retirement.retirement import FailedAttempt
from vmpooler_common.store.store import Store

HOUR = timedelta(hours=1)


def _accepted(*pools: str) -> Callable[[Fleet], Awaitable[None]]:
    async def arrange(fleet: Fleet) -> None:
        await OnDemand(fleet).accepted("r", *pools)

    return arrange


async def _opened(fleet: Fleet) -> None:
    await fleet.store.request_inbox.prepare()
    await OnDemand(fleet).opened("r", "one", "two")


async def _read_by_a_dead_consumer(fleet: Fleet) -> None:
    await _opened(fleet)
    await OnDemand(fleet).entries()


async def _known_token(fleet: Fleet) -> None:
    await fleet.token("secret", "alice")


async def _partly_granted(fleet: Fleet) -> None:
    await _known_token(fleet)
    demand = OnDemand(fleet)
    await demand.accepted("r", "one", "one", "two")
    await demand.accepted("other", "one", token="secret")
    await demand.booted("one", "a")
    await fleet.creating("one", "b")


async def _waiting_for_nobody(fleet: Fleet) -> None:
    demand = OnDemand(fleet)
    await demand.accepted("r", "one", "two")
    await demand.accepted("other", "one")
    await demand.waited("r", seconds=61)


async def _ready_before_it_was_wanted(fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    await fleet.ready("one", "b")
    await OnDemand(fleet).accepted("r", "one", "one", "one")


async def _booting_for_a_request(fleet: Fleet) -> None:
    await OnDemand(fleet).accepted("r", "one")
    await fleet.created("one", "a")


async def _cloning_for_a_request(fleet: Fleet) -> None:
    await OnDemand(fleet).accepted("r", "one")
    await fleet.creating("one", "a")


async def _poisoned(fleet: Fleet) -> None:
    await fleet.store.request_inbox.prepare()
    await ask(fleet.client, "XADD", f"{fleet.prefix}:requests", "1-1", "nonsense", "x")
    await OnDemand(fleet).entries()


async def _inbox_only(fleet: Fleet) -> None:
    await fleet.store.request_inbox.prepare()


async def _overdue(fleet: Fleet) -> None:
    await OnDemand(fleet).overdue("r", "one")


ADDRESS = "a:192.0.2.1"
TWO_HOURS = Client(lifetime_with_token=2 * HOUR)


def _opens(token: str | None, client: Client = TWO_HOURS) -> Callable[[Store], Awaitable[object]]:
    return lambda store: store.requests.open(
        "r",
        [("alias", "one"), ("alias", "one"), ("two", "two")],
        operation="open",
        token=token,
        lifetime=HOUR,
        client=client,
        ttl=HOUR,
    )


async def _often_over(fleet: Fleet) -> None:
    now = await fleet.server_ms()
    await fleet.client.zadd(f"{fleet.prefix}:finished:{ADDRESS}", {f"r{at}": now for at in range(1000)})


def _deletes(
    token: str | None, *, needs_token: bool, request: str = "r", admins: tuple[str, ...] = ()
) -> Callable[[Store], Awaitable[object]]:
    return lambda store: store.requests.delete(
        request, operation="delete", token=token, needs_token=needs_token, only_owner=True, admins=admins
    )


async def _of_alice_and_of_bob(fleet: Fleet) -> None:
    await _partly_granted(fleet)
    await fleet.token("bobs", "bob")


def _promotes(store: Store) -> Awaitable[object]:
    return store.clones.promote("a", attempt_of("a"), operation="promote")


def _charges(most: int) -> Callable[[Store], Awaitable[object]]:
    return lambda store: store.retirement.retire(
        "a",
        VmState.PENDING,
        operation="fail",
        reason="clone_failed",
        failed_attempt=FailedAttempt("no disk", most),
    )


async def _recovers(store: Store) -> object:
    return [entry.fields for entry in await store.request_inbox.recover("consumer", idle=timedelta(0))]


async def _first(store: Store) -> object:
    async with aclosing(store.request_inbox.follow("consumer")) as batches:
        return [entry.fields for entry in await anext(batches)]


async def _follows(store: Store) -> object:
    """Follow the inbox, again after the connection broke; what was read by then is recovered."""
    try:
        return await _first(store)
    except StoreUnavailable:
        recovered = await store.request_inbox.recover("consumer", idle=timedelta(0))
        return [entry.fields for entry in recovered] or await _first(store)


OPERATIONS_ON_REQUESTS: tuple[Operation, ...] = (
    operation(
        "open more than may be",
        "requests.open",
        _opens(None, Client(ADDRESS, Allowance(ondemand_vms=2))),
        "open_request",
    ),
    operation(
        "open a request too often",
        "requests.open",
        _opens(None, Client(ADDRESS)),
        "open_request",
        arrange=_often_over,
    ),
    operation("open", "requests.open", _opens(None), "open_request"),
    operation("open with a token", "requests.open", _opens("secret"), "open_request", arrange=_known_token),
    operation("open with an unknown token", "requests.open", _opens("forged"), "open_request"),
    operation("open with an id in use", "requests.open", _opens(None), "open_request", arrange=_opened),
    operation(
        "look at a request",
        "requests.look_up",
        lambda store: store.requests.look_up("r"),
        "show_request",
        arrange=_partly_granted,
        only_reads=True,
    ),
    operation(
        "look at several requests",
        "requests.look_up_all",
        lambda store: store.requests.look_up_all(["r", "unknown"]),
        "show_request",
        arrange=_partly_granted,
        only_reads=True,
    ),
    operation(
        "statuses",
        "requests.statuses",
        lambda store: store.requests.statuses(["r", "unknown"]),
        arrange=_opened,
        only_reads=True,
    ),
    operation(
        "delete",
        "requests.delete",
        _deletes(None, needs_token=False),
        "delete_request",
        arrange=_partly_granted,
    ),
    operation(
        "delete with a token",
        "requests.delete",
        _deletes("secret", needs_token=True),
        "delete_request",
        arrange=_partly_granted,
    ),
    operation(
        "delete without the token that it needs",
        "requests.delete",
        _deletes(None, needs_token=True),
        "delete_request",
        arrange=_partly_granted,
    ),
    operation(
        "delete one's own",
        "requests.delete",
        _deletes("secret", needs_token=True, request="other"),
        "delete_request",
        arrange=_of_alice_and_of_bob,
    ),
    operation(
        "delete another user's request",
        "requests.delete",
        _deletes("bobs", needs_token=True, request="other"),
        "delete_request",
        arrange=_of_alice_and_of_bob,
    ),
    operation(
        "delete as an admin",
        "requests.delete",
        _deletes("bobs", needs_token=True, request="other", admins=("root", "bob")),
        "delete_request",
        arrange=_of_alice_and_of_bob,
    ),
    operation(
        "cancel the opening of a request",
        "checkouts.cancel",
        lambda store: store.checkouts.cancel("open-r", reason="lost"),
        "cancel",
        arrange=_partly_granted,
    ),
    operation(
        "delete what is unknown", "requests.delete", _deletes(None, needs_token=False), "delete_request"
    ),
    operation(
        "look at a request's lines",
        "positions.look_up",
        lambda store: store.positions.look_up("r"),
        "show_request",
        "queue_position",
        arrange=_partly_granted,
        only_reads=True,
    ),
    operation(
        "check a token",
        "tokens.check",
        lambda store: store.tokens.check("secret"),
        arrange=_known_token,
        only_reads=True,
    ),
    operation("prepare the inbox", "request_inbox.prepare", lambda store: store.request_inbox.prepare()),
    operation(
        "recover",
        "request_inbox.recover",
        _recovers,
        arrange=_read_by_a_dead_consumer,
    ),
    operation(
        "accept", "backlog.accept", lambda store: store.backlog.accept("r"), "accept_request", arrange=_opened
    ),
    operation(
        "accept what names no request",
        "backlog.accept",
        lambda store: store.backlog.accept("", entry="1-1"),
        "accept_request",
        arrange=_poisoned,
    ),
    operation(
        "tidy",
        "request_inbox.tidy",
        lambda store: store.request_inbox.tidy(idle=HOUR),
        arrange=_inbox_only,
        only_reads=True,
    ),
    operation(
        "expire",
        "backlog.expire",
        lambda store: store.backlog.expire("r", operation="expire", reason="too late"),
        "expire_request",
        arrange=_overdue,
    ),
    operation(
        "serve",
        "backlog.serve",
        lambda store: store.backlog.serve("one", operation="serve", most=2),
        "serve_backlog",
        arrange=_ready_before_it_was_wanted,
    ),
    operation(
        "fail who waits for a pool that nobody knows",
        "backlog.fail_unserved",
        lambda store: store.backlog.fail_unserved("one", "no manager knows it"),
        "fail_unserved",
        arrange=_waiting_for_nobody,
    ),
    operation(
        "fail who waits",
        "backlog.fail_waiting",
        lambda store: store.backlog.fail_waiting("one", "no template"),
        "fail_waiting",
        arrange=_partly_granted,
    ),
    operation("follow the inbox", "request_inbox.follow", _follows, arrange=_opened),
    operation(
        "reserve for a request",
        "clones.reserve",
        lambda store: store.clones.reserve(
            reservation("one", size=0, slots=0, request_slots=1),
            [("a", "1"), ("b", "2")],
            operation="reserve",
            manager="m",
            lease=LEASE,
        ),
        "reserve",
        arrange=_accepted("one", "one"),
    ),
    operation(
        "promote for a request", "clones.promote", _promotes, "promote", arrange=_booting_for_a_request
    ),
    operation(
        "retire with a charge", "retirement.retire", _charges(3), "retire", arrange=_cloning_for_a_request
    ),
    operation(
        "retire with the last charge",
        "retirement.retire",
        _charges(1),
        "retire",
        arrange=_cloning_for_a_request,
    ),
)
