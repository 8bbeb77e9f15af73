"""Metrics of what is asked of Redis, and of how it answers."""

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter, gauge
from vmpooler_common.metrics.instrument import Instrument


class RedisMetrics:
    """How often Redis is asked, and whether it answers. Each send is `sent`, then one of the others."""

    ROUND_TRIPS = counter("redis_round_trips_total", "Sends to Redis that wait for replies.")
    COMMANDS = counter("redis_commands_total", "Commands in those sends; a script is one.")
    ERRORS = counter(
        "redis_errors_total",
        "Failed sends: no connection, no reply in time, an error reply, or a script that stopped.",
        labels=(Label("kind", ("unreachable", "timeout", "read_only", "refused", "script")),),
    )
    UP = gauge("redis_up", "Whether Redis answered when it was last asked (1) or not (0).")

    WRITABLE = gauge(
        "redis_writable",
        "Whether Redis took the last write of this process (1), or said that it can't be written (0).",
    )

    def __init__(self, backend: Backend) -> None:
        self._round_trips = Instrument(backend, self.ROUND_TRIPS)
        self._commands = Instrument(backend, self.COMMANDS)
        self._errors = Instrument(backend, self.ERRORS)
        self._up = Instrument(backend, self.UP)
        self._writable = Instrument(backend, self.WRITABLE)

    def sent(self, commands: int) -> None:
        """So many commands were sent at once, and their replies are awaited."""
        self._round_trips.record(1)
        self._commands.record(commands)

    def answered(self) -> None:
        """All replies came, and none was an error."""
        self._up.record(1)

    def unreachable(self) -> None:
        """There was no connection, or it broke before the replies came."""
        self._errors.record(1, "unreachable")
        self._up.record(0)

    def timed_out(self) -> None:
        """The replies didn't come in time."""
        self._errors.record(1, "timeout")
        self._up.record(0)

    def written(self) -> None:
        """Redis took what this process writes all the time."""
        self._writable.record(1)

    def read_only(self) -> None:
        """Redis said that it can't be written: a replica, memory or disk full, too few replicas."""
        self._errors.record(1, "read_only")
        self._up.record(1)
        self._writable.record(0)

    def refused(self) -> None:
        """Redis replied with an error: loading, wrong password, a command that isn't allowed."""
        self._errors.record(1, "refused")
        self._up.record(1)

    def script_failed(self) -> None:
        """A script stopped with an error: a fault of ours or of the data."""
        self._errors.record(1, "script")
        self._up.record(1)
