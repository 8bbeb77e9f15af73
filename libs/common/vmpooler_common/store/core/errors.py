"""What can go wrong with the store, grouped by what to do about it.

StoreError
├── StoreUnavailable     wait and try again: Redis is away, restarting, full or read-only
├── DataMismatch         the data isn't this process's
│   ├── InstallationMismatch  set config.installation, or another redis.prefix
│   └── SchemaMismatch   run the version that wrote the data, or use an empty Redis
├── ScriptFailed         a fault in a script or a key of the wrong type: a bug
└── Refused              the answer is no, and no VM was changed
    ├── UnknownToken     give a valid token
    ├── NotOwner         ask the owner, or an admin
    ├── LoginThrottled   wait a second, whether the password was right or wrong
    ├── TooManyTokens    delete some
    ├── TooManyTags      give the tags that the VM has other values
    ├── TooManyTasks     wait until some are over; a VM has only so many disks and snapshots
    ├── QuotaExceeded    give some back; the text says of what, how much there is, and what is allowed
    ├── TooManyRequests  wait for `retry_after` seconds
    ├── IncapableCloud   ask for it where the VM's cloud can do it
    ├── NoneReady        try again when the pool has been filled
    ├── StillWaiting     renew the ticket, and try again when VMs have become ready
    ├── KeyReused        give each checkout an Idempotency-Key of its own
    ├── GrantOver        the same, to get other VMs
    ├── NoSuchVm         there is nothing to act on
    ├── NoSuchRequest    the same, of an on-demand request
    ├── RequestExists    choose another id
    ├── RequestTaken     the same, and it is another user's
    ├── NoSuchToken      there is nothing to act on
    ├── AmbiguousToken   give the whole token: more than one begins like this
    ├── RangeInvalid     ask for other days
    └── NotReplicated    the grant was taken back: too few replicas had it in time
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vmpooler_common.model.problem import Pause, Problem


class StoreError(Exception):
    """Base of the store's errors. Messages hold no secrets."""


class StoreUnavailable(StoreError):  # noqa: N818 - a state, not a fault of the caller
    """Redis could not be reached, didn't answer in time or refuses to work for now."""

    def __init__(self, message: str, *, kind: str, may_have_run: bool = True, remedy: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        """`unreachable`, `timeout`, `read_only` (it answers, and takes no writes) or `refused`."""
        self.may_have_run = may_have_run
        """False when it is certain that Redis never got the call."""
        self.remedy = remedy
        """What an operator can do, of one that is read-only."""


class DataMismatch(StoreError):  # noqa: N818 - a state, not a fault of the caller
    """The data in Redis isn't this process's to work with; the process has to end."""


class SchemaMismatch(DataMismatch):
    """The data was written by another version of vmpooler, whose schema this one doesn't read."""


class InstallationMismatch(DataMismatch):
    """The data belongs to an installation of another name."""

    def __init__(self, stored: str, own: str) -> None:
        super().__init__(
            f"the data in Redis belongs to the installation {stored!r}, and this process is of {own!r}: "
            f"if only the title (site_name) has changed, set config.installation to {stored!r}; "
            "if it is another installation, give it another redis.prefix"
        )


class ScriptFailed(StoreError):  # noqa: N818 - says what happened
    """A script ended with an error that isn't Redis's state."""


class Refused(StoreError):  # noqa: N818 - an answer, not a fault
    """The act isn't possible; no VM was changed."""


class UnknownToken(Refused):
    """The token is missing where one is needed, or isn't known; users read the text, if there is one."""


class NotOwner(Refused):
    """The VM, request or token belongs to another user; users read the text, if there is one."""


class LoginThrottled(Refused):
    """A login with this name has failed there within a second; this one is told nothing."""


class TooManyTokens(Refused):
    """The user has as many tokens as one may have."""


class TooManyTags(Refused):
    """The VM would have more tags than one may have."""


class TooManyTasks(Refused):
    """Too many tasks of the VM wait, or it has as many disks or snapshots as it may; users read the text."""


class QuotaExceeded(Refused):
    """The client would have more of something than it may; users read the text."""

    def __init__(self, what: str, *, user: str | None, has: int, would_have: int, allowed: int) -> None:
        super().__init__(_QUOTAS[what].format(has=has, would_have=would_have, allowed=allowed))
        self.what = what
        """Name of the member of `Allowance`, or `anonymous_ondemand_vms`."""
        self.user = user
        self.would_have = would_have


_QUOTAS = {
    "running_vms": "you have {has} VMs that run or are on order, and would have {would_have}; {allowed} are "
    "allowed (limits.running_vms). Return some",
    "ondemand_vms": "you wait for {has} VMs on demand, and would for {would_have}; {allowed} are allowed "
    "(limits.ondemand_vms). Wait for some, or delete a request",
    "waiting_checkouts": "{has} of your checkouts wait already, and {allowed} may (max_waiting_per_client). "
    "Have one answered first",
    "disk_gigabytes": "the running VMs of whoever took this one have {has} GB of disks, and would have "
    "{would_have}; {allowed} are allowed (limits.disk_gigabytes)",
    "anonymous_ondemand_vms": "requests without a token wait for {has} VMs on demand, and would for "
    "{would_have}; {allowed} are allowed (limits.anonymous_ondemand_vms). Try again when some are there",
}


class TooManyRequests(Refused):
    """Too many on-demand requests of the client were over in the last hour; users read the text."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"too many of your on-demand requests were over in the last hour; ask again in {retry_after} s"
        )
        self.retry_after = retry_after


class IncapableCloud(Refused):
    """The cloud of the VM can't do this, whoever asks and whenever; users read the text."""


@dataclass(frozen=True, slots=True)
class PoolShortage:
    """A pool that hasn't as many VMs as are wanted, and what there is to tell of it."""

    pool: str
    size: int | None
    """Set through the API, in place of the configured one."""
    ready: int
    free: int
    """Those of the ready ones that are owed to nobody else."""
    pending: int
    broken: str
    problem: Problem | None
    pause: Pause | None


class NoneReady(Refused):
    """Not all of the wanted VMs are ready."""

    def __init__(self, name: str, pools: Sequence[PoolShortage] = ()) -> None:
        super().__init__(f"not enough VMs ready for {name}")
        self.name = name
        """The requested pool or alias that could not be served."""
        self.pools = tuple(pools)
        """Those of the name that may hand VMs out, as configured; none where all of them are paused."""


class StillWaiting(Refused):
    """Not all of the wanted VMs are ready, or they are owed to others; the checkout has a ticket."""

    def __init__(self, name: str, *, turn: int, beyond: Sequence[str]) -> None:
        super().__init__(f"waiting for {name}")
        self.name = name
        """The requested pool or alias that could not be served."""
        self.turn = turn
        """Of its ticket; lower ones come first. A ticket that has lapsed is taken anew."""
        self.beyond = tuple(beyond)
        """Pools with ready VMs for those who come after this checkout."""


class KeyReused(Refused):
    """The Idempotency-Key was used for another checkout within an hour."""


class GrantOver(Refused):
    """Not all VMs that were granted under the Idempotency-Key are the caller's any more."""


class NoSuchVm(Refused):
    """No VM of this name is in the state that the act needs; users read the text."""


def not_running(vm: str) -> str:
    """Say of what isn't a running VM that it is none."""
    return f"no running VM is called {vm}: it was returned, or has ended, or never was"


class NoSuchRequest(Refused):
    """No on-demand request has this id (any more)."""


class RequestExists(Refused):
    """The id of the on-demand request is taken."""

    def __init__(self, request: str) -> None:
        super().__init__(f"request_id '{request}' has already been created")
        self.request = request


class RequestTaken(Refused):
    """The id of the on-demand request is taken by another user."""

    def __init__(self, request: str) -> None:
        super().__init__(f"request_id '{request}' is another user's; choose another one")


class NoSuchToken(Refused):
    """The token isn't known, or not any more."""


class AmbiguousToken(Refused):
    """More than one token of the user begins as was said; users read the text."""


class RangeInvalid(Refused):
    """No statistics can be read for these days; the text says why, in words that clients may know."""


class NotReplicated(Refused):
    """Fewer replicas than `redis.wait_replicas` had the grant in time, so it was taken back."""

    def __init__(self, message: str, *, pools: Sequence[str]) -> None:
        super().__init__(message)
        self.pools = tuple(pools)
        """The pool of each VM that was taken back."""
