"""Users who log in to make or manage tokens."""

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter
from vmpooler_common.metrics.instrument import Instrument


class LoginMetrics:
    """Logins by what became of them; never by user."""

    LOGINS = counter(
        "logins_total",
        "Logins: right (success), wrong (failure), not judged since one of the user had just failed "
        "(throttled), refused since too many waited (refused), or the directory of users couldn't be asked "
        "(unavailable).",
        labels=(Label("result", ("success", "failure", "throttled", "refused", "unavailable")),),
        dotted="login.{result}",
    )

    def __init__(self, backend: Backend) -> None:
        self._logins = Instrument(backend, self.LOGINS)

    def succeeded(self) -> None:
        """Name and password were right."""
        self._logins.record(1, "success")

    def failed(self) -> None:
        """They were wrong."""
        self._logins.record(1, "failure")

    def throttled(self) -> None:
        """Whether they were right wasn't told."""
        self._logins.record(1, "throttled")

    def refused(self) -> None:
        """Too many others waited."""
        self._logins.record(1, "refused")

    def unavailable(self) -> None:
        """The directory gave no answer."""
        self._logins.record(1, "unavailable")
