"""What can go wrong, by what to do about it.

VmpoolerError
├── ConfigurationError        no service is configured, or its address is none
├── UnreachableError          nothing was answered, and nothing was done: it is down, or its name is unknown
│   └── CertificateError      its certificate isn't trusted
├── AnswerLostError           it was asked, and what it did isn't known
├── BadAnswerError            what answered isn't vmpooler, or has a fault
├── VmsLeftError              VMs that were to be given back are still there
├── RequestFailedError        an on-demand request is over without its VMs
├── TimedOutError             what was waited for didn't happen in time
└── RefusedError              the service said no, with a status and mostly a reason
    ├── BadRequestError       400, 422: correct it
    ├── UnauthorizedError     401: log in
    ├── ForbiddenError        403: it is somebody else's, or too much
    ├── NotFoundError         404: no such name
    ├── NotSupportedError     404 of the route, 405: this service can't, or isn't set up for it
    ├── ConflictError         409: something is in the way
    ├── NotReadyError         503 of a checkout: not all VMs are ready
    ├── RateLimitedError      429: later
    └── UnavailableError      503: the service's Redis or directory of users is away
"""

from collections.abc import Sequence


class VmpoolerError(Exception):
    """Anything that this library raises on purpose; its text is a sentence for people."""


class ConfigurationError(VmpoolerError):
    """No service is configured, or its address or its file can't be used."""


class UnreachableError(VmpoolerError):
    """The service can't be reached; it hasn't seen the request."""


class CertificateError(UnreachableError):
    """The certificate of the service, or of a proxy before it, isn't trusted."""


class AnswerLostError(VmpoolerError):
    """The request was sent and no answer came: what became of it isn't known."""


class BadAnswerError(VmpoolerError):
    """The answer isn't one that vmpooler gives."""


class VmsLeftError(VmpoolerError):
    """VMs that were to be given back are still there, or may be."""

    def __init__(self, message: str, hostnames: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.hostnames = tuple(hostnames)
        """Those that are known."""


class RequestFailedError(VmpoolerError):
    """An on-demand request failed or was deleted; the text is the service's reason."""


class TimedOutError(VmpoolerError):
    """What was waited for didn't happen in the time that was given."""


class RefusedError(VmpoolerError):
    """The service refused."""

    def __init__(self, message: str, *, status: int, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        """Seconds after which to try again, if the service says so."""


class BadRequestError(RefusedError):
    """The request can't be understood, or asks for what isn't allowed to anybody."""


class UnauthorizedError(RefusedError):
    """A valid token, or a right name and password, is needed."""


class ForbiddenError(RefusedError):
    """It belongs to another user, is for admins, or is more than may be had."""


class NotFoundError(RefusedError):
    """There is no such pool, VM, request or token."""


class NotSupportedError(RefusedError):
    """The service has no such route, or it is turned off."""


class ConflictError(RefusedError):
    """Something is in the way, such as the id of another request."""


class NotReadyError(RefusedError):
    """Not all VMs that were asked for are ready; none was handed out."""


class RateLimitedError(RefusedError):
    """Too many requests."""


class UnavailableError(RefusedError):
    """The service can't do it for now."""
