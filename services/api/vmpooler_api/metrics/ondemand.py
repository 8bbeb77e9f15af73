"""On-demand requests, as the API sees them."""

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter, gauge
from vmpooler_common.metrics.instrument import Instrument


class OnDemandMetrics:
    """On-demand requests as clients make them and wait for them; what becomes of them is the manager's."""

    REQUESTS = counter(
        "ondemand_requests_total",
        "On-demand requests: accepted (created), id in use (duplicate), unknown name or wrong request "
        "(invalid), more VMs than allowed (toomany), or without a valid token (unauthorized).",
        labels=(Label("result", ("created", "duplicate", "invalid", "toomany", "unauthorized")),),
    )
    WAITING = gauge(
        "ondemand_waiting_clients", "Clients whose question is held until their on-demand request is over."
    )

    def __init__(self, backend: Backend) -> None:
        self._requests = Instrument(backend, self.REQUESTS)
        self._waiting = Instrument(backend, self.WAITING)
        self.waiting(0)

    def created(self) -> None:
        """A request was opened."""
        self._requests.record(1, "created")

    def duplicate(self) -> None:
        """A client chose the id of another request."""
        self._requests.record(1, "duplicate")

    def invalid(self) -> None:
        """A request couldn't be understood, or names what isn't configured."""
        self._requests.record(1, "invalid")

    def too_many(self) -> None:
        """A request was for more VMs than are allowed."""
        self._requests.record(1, "toomany")

    def unauthorized(self) -> None:
        """A request came without a valid token."""
        self._requests.record(1, "unauthorized")

    def waiting(self, clients: int) -> None:
        """So many clients wait now."""
        self._waiting.record(clients)
