"""Sends metrics in the background, and goes on when they can't be sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.backends.gathering import Gathered, Gathering
from vmpooler_common.metrics.declaration import Label, counter
from vmpooler_common.metrics.instrument import Instrument
from vmpooler_common.outages import Outage

_LONGEST_PAUSE = 60.0
_SECONDS_FOR_THE_LAST = 1.0
"""For what is left when the service ends."""


class Receiver(Protocol):
    """Where gathered metrics go."""

    NAME: str
    """Which kind it is: `statsd` or `graphite`."""

    async def send(self, gathered: Gathered) -> None:
        """Send everything, or as much as it takes to find out that it can't be. Raises OSError."""

    def close(self) -> None:
        """End the connection, if there is one; `send` makes a new one."""


class PushMetrics:
    """How well metrics are sent to statsd or Graphite."""

    LOST = counter(
        "metrics_lost_total",
        "Durations that could not be sent; counts and levels are sent later instead.",
        labels=(Label("backend", ("statsd", "graphite")),),
    )
    FAILURES = counter(
        "metrics_send_failures_total",
        "Attempts to send metrics that failed.",
        labels=(Label("backend", ("statsd", "graphite")),),
    )

    def __init__(self, backend: Backend) -> None:
        self._lost = Instrument(backend, self.LOST)
        self._failures = Instrument(backend, self.FAILURES)

    def lost(self, backend: str, count: int) -> None:
        """So many durations were not sent and won't be."""
        self._lost.record(count, backend)

    def failed(self, backend: str) -> None:
        """What was gathered could not be sent."""
        self._failures.record(1, backend)


class Pushing:
    """Takes from `gathering` every `interval` seconds, and sends to `receiver`.

    After a failure it waits longer each time, up to a minute. Meanwhile counts add up and levels stay.
    """

    def __init__(
        self, gathering: Gathering, receiver: Receiver, *, interval: float, metrics: PushMetrics
    ) -> None:
        self._gathering = gathering
        self._receiver = receiver
        self._interval = interval
        self._metrics = metrics
        self._outage = Outage(f"metrics to {receiver.NAME}")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send in the background while the context is open, and what is left at its end."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            with suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS_FOR_THE_LAST):
                    await self._push()
            self._receiver.close()

    async def _run(self) -> None:
        pause = self._interval
        while True:
            await asyncio.sleep(pause)
            if await self._push():
                pause = self._interval
            else:
                pause = min(2 * pause, max(self._interval, _LONGEST_PAUSE))

    async def _push(self) -> bool:
        """Send what there is; tell whether that worked."""
        gathered = self._gathering.take()
        failure: Exception | None = None
        is_sent = False
        try:
            await self._receiver.send(gathered)
            is_sent = True
        except (OSError, UnicodeError) as error:  # the latter for names that no host can have
            failure = error
        finally:
            # Also when it is cancelled on the way.
            if not is_sent:
                self._gathering.put_back(gathered.counts)
            if lost := gathered.lost + (0 if is_sent else gathered.observation_count):
                self._metrics.lost(self._receiver.NAME, lost)
        if failure is not None:
            self._metrics.failed(self._receiver.NAME)
            self._outage.began(str(failure) or "no answer in time")
            return False
        self._outage.ended()
        return True
