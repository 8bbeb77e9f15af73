"""What became of VMs that were asked for, and of those to be given back."""

from collections.abc import Collection

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import UNKNOWN, Label, counter
from vmpooler_common.metrics.instrument import Instrument


class CheckoutMetrics:
    """VMs asked for. `names` are all pools and aliases that are configured; others count as unknown."""

    CHECKOUTS = counter(
        "checkouts_total",
        "VMs asked for: handed out (success, by pool), told again under an Idempotency-Key (repeated, by "
        "pool), none ready (empty, by the name asked for), unknown name or wrong request (invalid), "
        "not allowed (unauthorized), "
        "or withdrawn because too few replicas had it (unsafe).",
        labels=(
            Label("pool"),
            Label("result", ("success", "repeated", "empty", "invalid", "unauthorized", "unsafe")),
        ),
        dotted="checkout.{result}.{pool}",
    )

    def __init__(self, backend: Backend, *, names: Collection[str]) -> None:
        self._checkouts = Instrument(backend, self.CHECKOUTS, known={"pool": names})

    def granted(self, pool: str) -> None:
        """A VM of this pool was checked out."""
        self._checkouts.record(1, pool, "success")

    def repeated(self, pool: str) -> None:
        """A VM that was checked out before was reported again, under the same Idempotency-Key."""
        self._checkouts.record(1, pool, "repeated")

    def empty(self, requested: str) -> None:
        """No VM was ready for this pool or alias."""
        self._checkouts.record(1, requested, "empty")

    def invalid(self) -> None:
        """A request couldn't be read, named what isn't configured, or misused an Idempotency-Key."""
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
