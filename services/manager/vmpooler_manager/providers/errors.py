"""What can go wrong with a provider, grouped by what to do about it.

ProviderError
├── TransientError      try again later, with growing delays
│   ├── Throttled       the cloud asks for a pause: leave all of its pools alone for a while
│   └── NoCapacity      the cloud works but has no room for another VM: nobody's fault, wait for room
├── PermanentError      trying again is useless until somebody changes something: the pool is broken
└── NotFound            the cloud says for certain that this VM doesn't exist
    └── CloneFailed     … because its clone failed after `create` had returned; says why
"""

from datetime import timedelta


class ProviderError(Exception):
    """Base of all errors that a driver raises. The message is shown to operators: no secrets in it."""


class TransientError(ProviderError):
    """The call failed and may work later: network, time-out, load, a fault of the cloud."""


class Throttled(TransientError):  # noqa: N818 - the field's word
    """The cloud refuses for now because of too many requests."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NoCapacity(TransientError):  # noqa: N818 - the field's word
    """There is no room for another VM now: a full datastore, no host below its limits, a quota.

    The message names what is full; users who wait are shown it.
    """


class PermanentError(ProviderError):
    """The call can't work as configured: missing template, wrong password, driver not installed."""


class NotFound(ProviderError):  # noqa: N818 - the field's word
    """The cloud was asked for this one VM and answered that there is none."""


class CloneFailed(NotFound):
    """There is no such VM and never will be: the cloud had accepted its `create` and then failed.

    `cause` is what `create` would have raised, had it waited: TransientError, NoCapacity, PermanentError.
    """

    def __init__(self, cause: ProviderError) -> None:
        super().__init__(str(cause))
        self.cause = cause
