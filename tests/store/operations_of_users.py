"""The operations of users: taking VMs, giving them back, asking after them."""

from collections.abc import Awaitable, Callable

from tests.store.fleet import Fleet, want
from tests.store.ondemand import OnDemand
from tests.store.operation import HOUR, Operation, operation
from tests.store.queued_checkouts import QueuedCheckouts
from tests.support.past_days import note_durations
from vmpooler_common.model.allowance import Client
from vmpooler_common.store.access.rates import Allowance
from vmpooler_common.store.checkout.idempotency import IdempotencyKey
from vmpooler_common.store.checkout.values import WaitOptions
from vmpooler_common.store.pools.statistics import Statistic
from vmpooler_common.store.store import Store


async def _ready_here_and_there(fleet: Fleet) -> None:
    await fleet.token("secret", "alice")
    await fleet.ready("one", "a", "b")
    await fleet.ready("two", "c")


def _takes(store: Store) -> Awaitable[object]:
    return store.checkouts.check_out(
        [want("one", 2), want("both", 1, "two")],
        operation="take",
        lifetime=HOUR,
        token="secret",
        client=Client(lifetime_with_token=2 * HOUR),
    )


KEY = IdempotencyKey("build-7", "192.0.2.1")


def _takes_under_a_key(store: Store, operation: str = "take") -> Awaitable[object]:
    return store.checkouts.check_out([want("one", 2)], operation=operation, lifetime=None, key=KEY)


async def _taken_under_a_key(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b")
    await _takes_under_a_key(fleet.store, "take before")


async def _told_twice(fleet: Fleet) -> None:
    await _taken_under_a_key(fleet)
    await _takes_under_a_key(fleet.store)


def _waits(*, is_last: bool = False) -> Callable[[Store], Awaitable[object]]:
    patience = WaitOptions({"one": 5}, is_last=is_last)
    return lambda store: store.checkouts.check_out(
        [want("one", 2)], operation="take", lifetime=None, wait=patience
    )


async def _two_wait(fleet: Fleet) -> None:
    line = QueuedCheckouts(fleet)
    await line.ask("take", want("one", 2))
    await line.ask("behind", want("one"))
    await fleet.ready("one", "a")
    await OnDemand(fleet).accepted("r", "one")


async def _one_holds(fleet: Fleet) -> None:
    line = QueuedCheckouts(fleet)
    await line.coming("one", "two")
    await line.ask("take", want("one", 2), want("two"))
    await fleet.ready("one", "a")


async def _its_turn(fleet: Fleet) -> None:
    await _two_wait(fleet)
    await fleet.ready("one", "b")


def _asks(store: Store, *, limit: int, token: str | None = None, operation: str = "ask") -> Awaitable[object]:
    with_token, without = Allowance("many", 2 * limit, HOUR), Allowance("few", limit, HOUR)
    return store.rates.admit(
        operation="ask", token=token, address="192.0.2.1", with_token=with_token, without=without
    )


async def _taken_with_a_token(fleet: Fleet) -> None:
    await fleet.token("secret", "alice")
    await fleet.token("other", "bob")
    await fleet.running("one", "a", token="secret")


OPERATIONS_OF_USERS: tuple[Operation, ...] = (
    operation("check_out", "checkouts.check_out", _takes, "checkout", arrange=_ready_here_and_there),
    operation(
        "check_out when one is missing",
        "checkouts.check_out",
        lambda store: store.checkouts.check_out([want("one", 3)], operation="take", lifetime=None),
        "checkout",
        arrange=lambda fleet: fleet.ready("one", "a", "b"),
    ),
    operation(
        "check_out with an unknown token",
        "checkouts.check_out",
        lambda store: store.checkouts.check_out(
            [want("one")], operation="take", lifetime=None, token="forged"
        ),
        "checkout",
        arrange=lambda fleet: fleet.ready("one", "a"),
    ),
    operation(
        "check_out under a key",
        "checkouts.check_out",
        _takes_under_a_key,
        "checkout",
        arrange=lambda fleet: fleet.ready("one", "a", "b"),
    ),
    operation(
        "check_out again under a key",
        "checkouts.check_out",
        _takes_under_a_key,
        "checkout",
        arrange=_taken_under_a_key,
    ),
    operation(
        "cancel what was told twice",
        "checkouts.cancel",
        lambda store: store.checkouts.cancel("take", reason="lost"),
        "cancel",
        arrange=_told_twice,
    ),
    operation("check_out and wait", "checkouts.check_out", _waits(), "checkout"),
    operation("check_out and go on waiting", "checkouts.check_out", _waits(), "checkout", arrange=_two_wait),
    operation("check_out after a wait", "checkouts.check_out", _waits(), "checkout", arrange=_its_turn),
    operation(
        "check_out for the last time",
        "checkouts.check_out",
        _waits(is_last=True),
        "checkout",
        arrange=_two_wait,
    ),
    operation(
        "stay",
        "checkouts.renew",
        lambda store: store.checkouts.renew({"take": "192.0.2.1", "unknown": "192.0.2.1"}, pools=["one"]),
        "renew_tickets",
        arrange=_one_holds,
    ),
    operation(
        "tell who holds VMs back",
        "views.holders",
        lambda store: store.views.holders(["one", "two"], token="good"),
        "show_holders",
        arrange=_one_holds,
        only_reads=True,
    ),
    operation(
        "cancel what waits",
        "checkouts.cancel",
        lambda store: store.checkouts.cancel("take", reason="lost"),
        "cancel",
        arrange=_two_wait,
    ),
    operation(
        "cancel what was granted",
        "checkouts.cancel",
        lambda store: store.checkouts.cancel("take-a", reason="lost"),
        "cancel",
        arrange=lambda fleet: fleet.running("one", "a", "b"),
    ),
    operation(
        "cancel what never came",
        "checkouts.cancel",
        lambda store: store.checkouts.cancel("take-a", reason="lost"),
        "cancel",
    ),
    operation(
        "release",
        "checkouts.release",
        lambda store: store.checkouts.release("a", operation="return"),
        "release",
        arrange=lambda fleet: fleet.running("one", "a"),
    ),
    operation(
        "release what is not running",
        "checkouts.release",
        lambda store: store.checkouts.release("a", operation="return"),
        "release",
        arrange=lambda fleet: fleet.ready("one", "a"),
    ),
    operation(
        "release with the owner's token",
        "checkouts.release",
        lambda store: store.checkouts.release("a", operation="return", token="secret", only_owner=True),
        "release",
        arrange=_taken_with_a_token,
    ),
    operation(
        "release another user's",
        "checkouts.release",
        lambda store: store.checkouts.release("a", operation="return", token="other", only_owner=True),
        "release",
        arrange=_taken_with_a_token,
    ),
    operation(
        "cancel what was taken with a token",
        "checkouts.cancel",
        lambda store: store.checkouts.cancel("take-a", reason="lost"),
        "cancel",
        arrange=_taken_with_a_token,
    ),
    operation(
        "look_up",
        "checkouts.look_up",
        lambda store: store.checkouts.look_up("a"),
        arrange=lambda fleet: fleet.running("one", "a"),
        only_reads=True,
    ),
    operation(
        "read statistics",
        "statistics.read",
        lambda store: anext(store.statistics.read(tuple(Statistic), start=None, end=None)),
        arrange=lambda fleet: note_durations(fleet, "boot", "one", 30),
        only_reads=True,
    ),
    operation("admit", "rates.admit", lambda store: _asks(store, limit=1), "admit_rate"),
    operation(
        "admit by a token",
        "rates.admit",
        lambda store: _asks(store, limit=5, token="secret"),
        "admit_rate",
        arrange=lambda fleet: fleet.token("secret", "alice"),
    ),
)
