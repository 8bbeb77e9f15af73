"""What the API reports beside HTTP, Redis and connections: what became of VMs that were asked for."""

from collections.abc import Collection

from vmpooler_common.metrics.backend import Backend
from vmpooler_common.metrics.connections import ConnectionMetrics
from vmpooler_common.metrics.declaration import UNKNOWN, Label, counter, gauge
from vmpooler_common.metrics.http import HttpMetrics
from vmpooler_common.metrics.instrument import Instrument
from vmpooler_common.metrics.pushing import PushMetrics
from vmpooler_common.metrics.redis import RedisMetrics


class CheckoutMetrics:
    """VMs asked for. `names` are all pools and aliases that are configured; others count as unknown."""

    CHECKOUTS = counter(
        "checkouts_total",
        "VMs asked for: handed out (success, by pool), none ready (empty, by the name asked for), "
        "unknown name or wrong request (invalid), not allowed (unauthorized), "
        "or withdrawn because too few replicas had it (unsafe).",
        labels=(Label("pool"), Label("result", ("success", "empty", "invalid", "unauthorized", "unsafe"))),
        dotted="checkout.{result}.{pool}",
    )

    def __init__(self, backend: Backend, *, names: Collection[str]) -> None:
        self._checkouts = Instrument(backend, self.CHECKOUTS, known={"pool": names})

    def granted(self, pool: str) -> None:
        """A VM of this pool was handed out."""
        self._checkouts.record(1, pool, "success")

    def empty(self, requested: str) -> None:
        """No VM was ready for this pool or alias."""
        self._checkouts.record(1, requested, "empty")

    def invalid(self) -> None:
        """A request named no pool, or one that isn't configured, or couldn't be read."""
        self._checkouts.record(1, UNKNOWN, "invalid")

    def unauthorized(self) -> None:
        """A request came without a valid token."""
        self._checkouts.record(1, UNKNOWN, "unauthorized")

    def unsafe(self, pool: str) -> None:
        """A VM was taken but not told, since too few replicas acknowledged it; it is retired."""
        self._checkouts.record(1, pool, "unsafe")


class DeleteMetrics:
    """VMs that their users gave back."""

    DELETES = counter(
        "vm_deletes_total",
        "VMs to be given back: done (success), not a running VM (failed), or not allowed (unauthorized).",
        labels=(Label("result", ("success", "failed", "unauthorized")),),
        dotted="delete.{result}",
    )

    def __init__(self, backend: Backend) -> None:
        self._deletes = Instrument(backend, self.DELETES)

    def done(self) -> None:
        """A running VM was given back."""
        self._deletes.record(1, "success")

    def failed(self) -> None:
        """There was no such running VM."""
        self._deletes.record(1, "failed")

    def unauthorized(self) -> None:
        """The VM was taken with a token, and the request had no valid one, or another user's."""
        self._deletes.record(1, "unauthorized")


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


class LimitMetrics:
    """What became of requests where their rate is limited."""

    REFUSALS = counter(
        "rate_limit_refusals_total",
        "Requests that were refused because their client had asked too often.",
        labels=(Label("category", ("vm_creation", "vm_deletion", "authenticated", "global_per_ip")),),
    )
    UNCHECKED = counter(
        "rate_limit_unchecked_total", "Requests that passed unlimited because Redis couldn't be asked."
    )

    def __init__(self, backend: Backend) -> None:
        self._refusals = Instrument(backend, self.REFUSALS)
        self._unchecked = Instrument(backend, self.UNCHECKED)

    def refused(self, category: str) -> None:
        """A request was refused; `category` is a key of the section `rate_limits`."""
        self._refusals.record(1, category)

    def unchecked(self) -> None:
        """A request passed without being counted."""
        self._unchecked.record(1)


class ApiMetrics:
    """All that the API reports, one attribute for each subsystem. `names`: as for CheckoutMetrics."""

    def __init__(self, backend: Backend, *, names: Collection[str]) -> None:
        self.checkouts = CheckoutMetrics(backend, names=names)
        self.deletes = DeleteMetrics(backend)
        self.ondemand = OnDemandMetrics(backend)
        self.limits = LimitMetrics(backend)
        self.http = HttpMetrics(backend)
        self.redis = RedisMetrics(backend)


CATALOGUES = (
    CheckoutMetrics,
    DeleteMetrics,
    OnDemandMetrics,
    LimitMetrics,
    HttpMetrics,
    RedisMetrics,
    ConnectionMetrics,
    PushMetrics,
)
"""Every catalogue whose metrics an API process may report."""
