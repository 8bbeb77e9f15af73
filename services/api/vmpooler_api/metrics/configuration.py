"""Pools that are changed through the API."""

from collections.abc import Collection

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import UNKNOWN, Label, counter
from vmpooler_common.metrics.instrument import Instrument


class ConfigurationMetrics:
    """What became of each pool in such requests. `names` are pools and aliases; others count as unknown."""

    CHANGES = counter(
        "config_changes_total",
        "Sizes, templates and clone targets that were to be set or taken back: done (changed), as they are "
        "already (unchanged), wrong (invalid), or not allowed (unauthorized).",
        labels=(Label("pool"), Label("result", ("changed", "unchanged", "invalid", "unauthorized"))),
        dotted="config.{result}.{pool}",
    )
    RESETS = counter(
        "pool_resets_total",
        "Pools that were to be reset: done (success), wrong (invalid), or not allowed (unauthorized).",
        labels=(Label("pool"), Label("result", ("success", "invalid", "unauthorized"))),
        dotted="poolreset.{result}.{pool}",
    )

    def __init__(self, backend: Backend, *, names: Collection[str]) -> None:
        self._changes = Instrument(backend, self.CHANGES, known={"pool": names})
        self._resets = Instrument(backend, self.RESETS, known={"pool": names})

    def changed(self, pool: str) -> None:
        """A property of a pool is another one than before."""
        self._changes.record(1, pool, "changed")

    def unchanged(self, pool: str) -> None:
        """A property of a pool was to be what it is."""
        self._changes.record(1, pool, "unchanged")

    def invalid(self, pool: str = UNKNOWN) -> None:
        """A pool isn't configured, or its value is wrong; without a pool the request couldn't be read."""
        self._changes.record(1, pool, "invalid")

    def unauthorized(self) -> None:
        """A change was asked for without a valid token, or not by an admin."""
        self._changes.record(1, UNKNOWN, "unauthorized")

    def reset(self, pool: str) -> None:
        """A pool is reset."""
        self._resets.record(1, pool, "success")

    def invalid_reset(self, pool: str = UNKNOWN) -> None:
        """A pool to be reset isn't configured; without a pool the request couldn't be read."""
        self._resets.record(1, pool, "invalid")

    def unauthorized_reset(self) -> None:
        """A reset was asked for without a valid token, or not by an admin."""
        self._resets.record(1, UNKNOWN, "unauthorized")
