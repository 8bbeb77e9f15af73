"""The pools: how full they are, how they are configured, and how the service is."""

from collections.abc import Mapping

from pydantic import Field

from vmpooler_client.models.base import Holder, Model, Moment, Names


class Problem(Model):
    """The worst thing that is wrong with a pool."""

    kind: str
    text: str
    """The provider's last error."""
    since: Moment
    next_try: Moment = None
    tries: int
    """How often it has failed in a row."""


class Pause(Model):
    """Why an operator has paused a pool."""

    reason: str
    since: Moment


class Overridden(Model):
    """What was set through the API in place of what is configured."""

    size: int | None = None
    template: str | None = None
    clone_target: str | None = None


class Manager(Model):
    """A manager that lives."""

    name: str
    heartbeat: Moment = None
    pools: int


class Provider(Model):
    """What VMs are made at."""

    state: str
    """`ok`, `failing`, `throttled` or `deletion paused`."""
    reason: str | None = None
    release_command: str | None = None
    """What resumes deletion, once the reason is found to be in order."""


class Pool(Model):
    """One pool, in numbers."""

    ready: int
    running: int
    pending: int
    max: int
    """How many ready VMs it should have."""
    last_boot: Moment = Field(default=None, alias="lastBoot")
    """When a VM last became ready."""
    alias: Names = ()
    broken: str | None = None
    """Why it can't work."""
    held: int | None = None
    """Of the ready VMs, those that are kept for checkouts that wait."""
    holders: int | None = None
    """How many checkouts these are."""
    held_by: tuple[Holder, ...] = ()
    paused: bool | None = None
    pause: Pause | None = None
    """Of a pool that an operator has paused."""
    problem: Problem | None = None
    overridden: Overridden | None = None
    draining: int | None = None
    """VMs of an earlier revision that are being replaced."""
    destroying: int | None = None


class Durations(Model):
    """Seconds, of today; all 0 when there was nothing."""

    average: float
    min: float
    max: float
    total: float


class Count(Model):
    """How many there were today."""

    total: int


class DurationsAndCount(Model):
    """Today's clones, or boots."""

    duration: Durations
    count: Count


class Capacity(Model):
    """How full all pools are."""

    current: int
    total: int
    percent: float


class Queue(Model):
    """VMs of all pools, by state."""

    requested: int
    """Wanted by on-demand requests, and not there yet."""
    pending: int
    cloning: int
    booting: int
    ready: int
    running: int
    completed: int
    total: int


class RedisState(Model):
    """What the service's Redis is good for, when that isn't everything."""

    state: str
    since: Moment
    remedy: str | None = None
    """What an operator can do, where that is known."""


class Verdict(Model):
    """Whether all is well."""

    ok: bool
    message: str
    empty: tuple[str, ...] = ()
    """Pools without a ready VM."""
    uptime: float | None = None
    """Seconds that the process that answered has run."""


class Status(Model):
    """What was asked for of the service's status."""

    boot: DurationsAndCount | None = None
    capacity: Capacity | None = None
    clone: DurationsAndCount | None = None
    managers: tuple[Manager, ...] = ()
    pools: Mapping[str, Pool] = Field(default_factory=dict)
    providers: Mapping[str, Provider] = Field(default_factory=dict)
    queue: Queue | None = None
    redis: RedisState | None = None
    status: Verdict
    verdict: tuple[str, ...] = ()
    """What an operator should look at, in sentences.

    A 3.x service tells of no managers, no providers and no verdict.
    """


class PoolExplanation(Model):
    """Why a pool has the VMs that it has."""

    pool: str
    summary: tuple[str, ...]
    """All of it in a few sentences, what is wrong first."""
    can_hand_out: bool
    """Whether a checkout of one VM would get one now."""
    provider: str
    manager: str | None = None
    """The one that holds the pool."""
    size: int
    ready: int
    pending: int
    running: int
    destroying: int
    draining: int
    suspects: int
    """Ready VMs that are set aside, because listings of the provider miss them."""
    backlog: int
    """VMs that on-demand requests wait for."""
    waiting: int
    """Checkouts that wait and could take VMs of it."""
    held: int
    held_by: tuple[Holder, ...] = ()
    paused: bool
    pause: Pause | None = None
    problem: Problem | None = None
    overridden: Overridden | None = None
    release_command: str | None = None


class Configured(Model):
    """What counts when nothing is set through the API."""

    size: int
    template: str
    clone_target: str | None = None


class PoolConfiguration(Model):
    """One pool: what counts now."""

    name: str
    alias: Names = ()
    size: int
    template: str | None = None
    provider: str | None = None
    clone_target: str | None = None
    dns_plugin: str | None = None
    timeout: float | None = None
    """Minutes, like `ready_ttl`."""
    ready_ttl: float | None = None
    check_loop_delay_min: float | None = None
    """Seconds, like the next."""
    check_loop_delay_max: float | None = None
    check_loop_delay_decay: float | None = None
    paused: bool | None = None
    template_ready: bool | None = None
    """Whether its manager makes VMs from this template already."""
    configured: Configured | None = None
    """Not told by a 3.x service."""
