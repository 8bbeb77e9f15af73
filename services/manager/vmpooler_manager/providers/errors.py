"""What can go wrong with a provider, grouped by what to do about it.

ProviderError
├── TransientError      try again later, with growing delays
│   └── Throttled       the cloud asks for a pause: leave all of its pools alone for a while
├── PermanentError      trying again is useless until somebody changes something: the pool is broken
└── NotFound            the cloud says for certain that this VM doesn't exist
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


class PermanentError(ProviderError):
    """The call can't work as configured: missing template, wrong password, driver not installed."""


class NotFound(ProviderError):  # noqa: N818 - the field's word
    """The cloud was asked for this one VM and answered that there is none."""
