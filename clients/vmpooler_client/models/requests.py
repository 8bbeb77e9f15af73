"""On-demand requests: how far they are, and what they wait for."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from vmpooler_client.models.base import Holder, Model, Moment
from vmpooler_client.orders import TakenVm


class NameCounts(Model):
    """VMs of one name that a request waits for."""

    ready: int
    pending: int


class Request(Model):
    """An on-demand request."""

    request_id: str
    ready: bool
    """Whether all VMs are there."""
    is_over: bool
    """Whether it is ready, failed or deleted."""
    message: str | None = None
    """Why it is over without its VMs."""
    counts: Mapping[str, NameCounts] = Field(default_factory=dict)
    """By the name that was asked for; while it isn't over."""
    vms: Sequence[TakenVm] = ()
    """Once it is ready."""


class WantedVm(Model):
    """One VM of a request."""

    name: str
    """The pool or alias that was asked for."""
    pool: str
    state: str
    """`granted`, `booting`, `cloning` or `waiting`."""
    hostname: str | None = None
    ahead: int | None = None
    """VMs of the pool that go to others before."""
    failed_attempts: int
    last_error: str | None = None


class Making(Model):
    """VMs of a pool that are being made, for whomever."""

    reserved: int
    cloning: int
    booting: int


class Limit(Model):
    """Something that holds a pool back."""

    kind: str
    text: str
    in_use: int | None = None
    limit: int | None = None


class PoolLine(Model):
    """A pool that a request still waits for."""

    waiting: int
    ahead: int | None = None
    owed: int
    held_by: tuple[Holder, ...] = ()
    backlog: int
    making: Making
    ready: int
    limits: tuple[Limit, ...]


class Explanation(Model):
    """What a request waits for, and what holds it up."""

    request_id: str
    status: str
    """`open`, `ready`, `failed` or `deleted`."""
    summary: tuple[str, ...]
    """The same in a few sentences."""
    created: Moment
    deadline: Moment
    seconds_left: float | None = None
    accepted: bool
    """Whether a manager has taken it up."""
    reason: str | None = None
    last_error: str | None = None
    pools: Mapping[str, PoolLine]
    vms: tuple[WantedVm, ...]
