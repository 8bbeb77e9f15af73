"""Who uses how many VMs; recorded only where `config.usage_stats` is set."""

from collections.abc import Collection

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter
from vmpooler_common.metrics.instrument import Instrument

OPERATION = Label("operation", ("allocate", "destroy"))
_NOBODY = "unauthenticated"


def user_label(user: str | None) -> str:
    """Name a user as vmpooler 3.x does in its metrics; None is one who gave no token."""
    return user.replace(".", "_") if user else _NOBODY


class UserMetrics:
    """VMs by the user that they are handed out to. `pools` closes that label where it is known."""

    USERS = counter(
        "user_total",
        "VMs handed out (allocate) and returned (destroy), by user.",
        labels=(Label("user", is_open=True), OPERATION, Label("pool")),
        dotted="user.{user}.{operation}.{pool}",
    )

    def __init__(self, backend: Backend, *, pools: Collection[str] | None = None) -> None:
        known = {} if pools is None else {"pool": pools}
        self._users = Instrument(backend, self.USERS, known=known)

    def allocated(self, pool: str, *, user: str | None) -> None:
        """A VM was handed out; the user is None for one who gave no token."""
        self._users.record(1, user_label(user), "allocate", pool)

    def destroyed(self, pool: str, *, user: str | None) -> None:
        """A user, likewise, is done with a VM."""
        self._users.record(1, user_label(user), "destroy", pool)
