"""The operations of managers: making VMs, ending them, looking at pools and sharing them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from tests.store.fleet import (
    DOMAIN,
    LEASE,
    MANAGER,
    PROVIDER,
    Fleet,
    attempt_of,
    reservation,
    serving,
    untagged,
)
from tests.store.operation import GENERATION, HOUR, PAST, Operation, operation
from tests.support.past_days import note_durations
from vmpooler_common.model.problem import Problem, ProblemKind
from vmpooler_common.model.vm import Guard, VmState
from vmpooler_common.store.retirement.retirement import Condition, Orphan
from vmpooler_common.store.store import Store

EPOCH = datetime.fromtimestamp(0, UTC)


async def _ended(fleet: Fleet) -> None:
    await fleet.running("one", "a", lifetime=PAST)
    begun = await fleet.server_ms()
    while await fleet.server_ms() < begun + 2:
        pass


async def _all_that_may_vanish_has(fleet: Fleet) -> None:
    await fleet.suspect("one", "a", "b")
    await fleet.store.retirement.retire(
        "b", VmState.READY, operation="retire-b", reason="lost", condition=Condition(Guard.UNSEEN, 1)
    )


async def _halted(fleet: Fleet) -> None:
    await _all_that_may_vanish_has(fleet)
    await fleet.store.retirement.retire(
        "a", VmState.READY, operation="retire-a", reason="lost", condition=Condition(Guard.UNSEEN, 1)
    )


async def _working(fleet: Fleet) -> None:
    await fleet.creating("one", "a")
    await fleet.destroying("one", "b")
    await fleet.store.leases.heartbeat(MANAGER, lease=LEASE, offer=serving(["one"]), working_on=[])


async def _abandoned(fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    await fleet.store.retirement.retire("a", VmState.READY, operation="retire-a", reason="old")


async def _left_configuration(fleet: Fleet) -> None:
    await fleet.gone("one", "a")
    await fleet.store.views.mark_broken("one", "no template")


async def _drained_while_it_booted(fleet: Fleet) -> None:
    await fleet.created("one", "a")
    await fleet.drain("one")


async def _given_up_without_id(fleet: Fleet) -> None:
    await fleet.creating("one", "a")
    await fleet.store.retirement.retire(
        "a", VmState.PENDING, operation="retire-a", reason="slow", delay=timedelta(minutes=5)
    )


def _creates(store: Store) -> Awaitable[object]:
    return store.clones.created(
        "a", attempt_of("a"), provider_id="id-a", ip="192.0.2.1", host="host-1", cloned=True
    )


def _boots(store: Store) -> Awaitable[object]:
    return store.clones.booted(
        "a", attempt_of("a"), provider_id="id-a", ip="192.0.2.1", host="host-1", operation="boot"
    )


def _retires(guard: Guard, state: VmState, bound: int) -> Callable[[Store], Awaitable[object]]:
    return lambda store: store.retirement.retire(
        "a", state, operation="retire", reason="test", condition=Condition(guard, bound), delay=LEASE
    )


def _takes_in(bound: int) -> Callable[[Store], Awaitable[object]]:
    return lambda store: store.retirement.adopt_orphan(
        Orphan(
            "z",
            pool="one",
            provider=PROVIDER,
            domain=DOMAIN,
            provider_id="id-z",
            attempt="attempt-z",
            generation=GENERATION,
        ),
        bound=bound,
    )


async def _follows(store: Store) -> object:
    events = store.events.follow()
    first = await anext(events)
    await events.aclose()
    return first.name


def _claims(store: Store) -> Awaitable[object]:
    return store.retirement.claim(["a", "b"], operation="claim", manager=MANAGER, lease=LEASE)


def _reinstates(user: str) -> Callable[[Store], Awaitable[object]]:
    ends = datetime(2030, 1, 1, tzinfo=UTC) if user else None
    return lambda store: store.checkouts.reinstate(
        "a", operation="reinstate", provider_id="id-a", user=user, ends_at=ends
    )


def _heartbeats(store: Store) -> Awaitable[object]:
    return store.leases.heartbeat(MANAGER, lease=LEASE, offer=serving(["one", "two"]), working_on=["a", "b"])


OPERATIONS_OF_MANAGERS: tuple[Operation, ...] = (
    operation("prepare", "deployment.prepare", lambda store: store.deployment.prepare()),
    operation(
        "concerns",
        "deployment.concerns",
        lambda store: store.deployment.concerns(wait_replicas=0),
        only_reads=True,
    ),
    operation(
        "reserve",
        "clones.reserve",
        lambda store: store.clones.reserve(
            reservation("one", size=2, slots=5),
            [("a", "1"), ("b", "2"), ("c", "3")],
            operation="reserve",
            manager=MANAGER,
            lease=LEASE,
        ),
        "reserve",
    ),
    operation(
        "begin",
        "clones.begin",
        lambda store: store.clones.begin("a", operation="begin", manager=MANAGER, lease=LEASE),
        "begin_create",
        arrange=lambda fleet: fleet.reserved("one", "a"),
    ),
    operation(
        "created",
        "clones.created",
        _creates,
        "note_created",
        arrange=lambda fleet: fleet.creating("one", "a"),
    ),
    operation(
        "created after it was given up",
        "clones.created",
        _creates,
        "note_created",
        arrange=_given_up_without_id,
    ),
    operation(
        "created after it was gone",
        "clones.created",
        _creates,
        "note_created",
        arrange=lambda fleet: fleet.gone("one", "a"),
    ),
    operation(
        "booted",
        "clones.booted",
        _boots,
        "note_created",
        "promote",
        arrange=lambda fleet: fleet.creating("one", "a"),
    ),
    operation(
        "promote what is stale",
        "clones.promote",
        lambda store: store.clones.promote("a", attempt_of("a"), operation="promote"),
        "promote",
        arrange=_drained_while_it_booted,
    ),
    operation(
        "promote",
        "clones.promote",
        lambda store: store.clones.promote("a", attempt_of("a"), operation="promote"),
        "promote",
        arrange=lambda fleet: fleet.created("one", "a"),
    ),
    operation(
        "retire",
        "retirement.retire",
        _retires(Guard.NONE, VmState.PENDING, 0),
        "retire",
        arrange=lambda fleet: fleet.creating("one", "a"),
    ),
    operation(
        "retire the excess",
        "retirement.retire",
        _retires(Guard.EXCESS, VmState.READY, 1),
        "retire",
        arrange=lambda fleet: fleet.ready("one", "a", "b"),
    ),
    operation(
        "retire the excess of what has left the configuration",
        "retirement.retire",
        _retires(Guard.LEFT, VmState.READY, 0),
        "retire",
        arrange=lambda fleet: fleet.left("one", "a", "b"),
    ),
    operation(
        "retire the stale",
        "retirement.retire",
        _retires(Guard.STALE, VmState.READY, 0),
        "retire",
        arrange=lambda fleet: fleet.stale("one", "a", "b"),
    ),
    operation(
        "retire the old",
        "retirement.retire",
        _retires(Guard.READY_BEFORE, VmState.READY, 10**14),
        "retire",
        arrange=lambda fleet: fleet.ready("one", "a"),
    ),
    operation(
        "retire the ended",
        "retirement.retire",
        _retires(Guard.ENDED, VmState.RUNNING, 0),
        "retire",
        arrange=_ended,
    ),
    operation(
        "retire the unseen",
        "retirement.retire",
        _retires(Guard.UNSEEN, VmState.READY, 1),
        "retire",
        arrange=lambda fleet: fleet.suspect("one", "a"),
    ),
    operation(
        "retire one unseen too many",
        "retirement.retire",
        _retires(Guard.UNSEEN, VmState.READY, 1),
        "retire",
        arrange=_all_that_may_vanish_has,
    ),
    operation(
        "reinstate",
        "checkouts.reinstate",
        _reinstates("alice"),
        "reinstate",
        arrange=lambda fleet: fleet.ready("one", "a", "b"),
    ),
    operation(
        "reinstate a suspect for nobody known",
        "checkouts.reinstate",
        _reinstates(""),
        "reinstate",
        arrange=lambda fleet: fleet.suspect("one", "a"),
    ),
    operation("adopt_orphan", "retirement.adopt_orphan", _takes_in(1), "adopt_orphan"),
    operation("adopt_orphan one too many", "retirement.adopt_orphan", _takes_in(0), "adopt_orphan"),
    operation(
        "claim",
        "retirement.claim",
        _claims,
        "claim_destruction",
        arrange=lambda fleet: fleet.completed("one", "a", "b"),
    ),
    operation(
        "destroyed",
        "retirement.destroyed",
        lambda store: store.retirement.destroyed("a", attempt_of("a"), provider_id="id-a"),
        "note_destroyed",
        arrange=lambda fleet: fleet.destroying("one", "a"),
    ),
    operation(
        "defer",
        "retirement.defer",
        lambda store: store.retirement.defer("a", manager=MANAGER, delay=LEASE, tries=3, error="no answer"),
        "defer_destruction",
        arrange=lambda fleet: fleet.destroying("one", "a"),
    ),
    operation(
        "mark_suspect",
        "retirement.mark_suspect",
        lambda store: store.retirement.mark_suspect("one", ["a", "b", "unknown"]),
        "mark_suspect",
        arrange=lambda fleet: fleet.ready("one", "a", "b"),
    ),
    operation(
        "clear_suspect",
        "retirement.clear_suspect",
        lambda store: store.retirement.clear_suspect("one", ["a", "unknown"]),
        "mark_suspect",
        arrange=lambda fleet: fleet.suspect("one", "a", "b"),
    ),
    operation(
        "resume",
        "retirement.resume_when_whole",
        lambda store: store.retirement.resume_when_whole(PROVIDER, whole="absent one"),
        "resume_when_whole",
        arrange=_halted,
    ),
    operation(
        "permit",
        "overrides.resume_deletion",
        lambda store: store.overrides.resume_deletion(PROVIDER),
        "resume_deletion",
        arrange=_halted,
    ),
    operation("heartbeat", "leases.heartbeat", _heartbeats, "heartbeat", arrange=_working),
    operation(
        "leave",
        "leases.leave",
        lambda store: store.leases.leave(MANAGER, ["a", "b"]),
        "leave",
        arrange=_working,
    ),
    operation(
        "forget",
        "leases.forget",
        lambda store: store.leases.forget("one"),
        "forget_pool",
        arrange=_left_configuration,
    ),
    operation(
        "observe",
        "views.observe",
        lambda store: store.views.observe("one", PROVIDER, size=1, ready_ttl=HOUR, listed=["a", "z"]),
        "observe",
        "classify",
        arrange=_working,
        only_reads=True,
    ),
    operation(
        "classify",
        "views.classify",
        lambda store: store.views.classify(["a", "z"]),
        "classify",
        arrange=_abandoned,
        only_reads=True,
    ),
    operation(
        "numbers",
        "views.counts",
        lambda store: store.views.counts(["one", "two"]),
        "count_pools",
        arrange=_working,
        only_reads=True,
    ),
    operation(
        "managers",
        "views.managers",
        lambda store: store.views.managers(),
        "show_managers",
        arrange=_halted,
        only_reads=True,
    ),
    operation(
        "standing",
        "views.standing",
        lambda store: store.views.standing("one"),
        "show_pool",
        arrange=_working,
        only_reads=True,
    ),
    operation(
        "mark_problem",
        "views.mark_problem",
        lambda store: store.views.mark_problem("one", Problem(ProblemKind.CLONES, "no room", EPOCH, tries=2)),
    ),
    operation(
        "today",
        "views.today",
        lambda store: store.views.today(),
        "today",
        arrange=lambda fleet: note_durations(fleet, "boot", "one", 30),
        only_reads=True,
    ),
    operation(
        "mark_broken",
        "views.mark_broken",
        lambda store: store.views.mark_broken("one", "no template"),
        "mark_broken",
    ),
    operation(
        "mark_broken no more",
        "views.mark_broken",
        lambda store: store.views.mark_broken("one", ""),
        "mark_broken",
        arrange=_left_configuration,
    ),
    operation(
        "claim_purge",
        "leases.claim_purge",
        lambda store: store.leases.claim_purge("dummy", MANAGER, life=HOUR),
        "claim_purge",
    ),
    operation(
        "remember_place", "views.remember_place", lambda store: store.views.remember_place("one", "{}")
    ),
    operation(
        "mark_template_ready",
        "views.mark_template_ready",
        lambda store: store.views.mark_template_ready("one", "a/b"),
    ),
    operation(
        "mark_backing_off",
        "views.mark_backing_off",
        lambda store: store.views.mark_backing_off("one", "clones fail"),
    ),
    operation(
        "tagged",
        "views.tagged",
        lambda store: store.views.tagged("one", untagged("a")),
        "note_tagged",
        arrange=lambda fleet: fleet.running("one", "a", "b"),
    ),
    operation("follow", "events.follow", _follows, only_reads=True),
)
