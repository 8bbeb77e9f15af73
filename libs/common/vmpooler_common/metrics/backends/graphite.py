"""Sends what was gathered to Graphite: lines of its plain text protocol over one TCP connection."""

import asyncio
from collections.abc import Iterator
from time import time

from vmpooler_common.metrics.backends.gathering import Gathered


class Graphite:
    """One receiver; the connection stays open, and is made anew when it broke.

    `patience` is how many seconds connecting and sending may each take.
    """

    NAME = "graphite"

    def __init__(self, server: str, port: int, *, patience: float = 5.0) -> None:
        self._server = server
        self._port = port
        self._patience = patience
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, gathered: Gathered) -> None:
        """Send everything. Raises OSError, TimeoutError among them.

        What was under way when a connection broke may be lost without a sign: nothing is acknowledged.
        """
        text = "".join(f"{line}\n" for line in lines(gathered, int(time())))
        try:
            writer = await self._open()
            writer.write(text.encode())
            async with asyncio.timeout(self._patience):
                await writer.drain()
        except BaseException:  # half a line may have been sent: only a new connection is sure to begin one
            self.close()
            raise

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection[1].transport.abort()
            self._connection = None

    async def _open(self) -> asyncio.StreamWriter:
        if self._connection is not None:
            reader, writer = self._connection
            # Nothing ever comes from there but the end.
            if not reader.at_eof() and not writer.is_closing():
                return writer
            self.close()
        async with asyncio.timeout(self._patience):
            reader, writer = await asyncio.open_connection(self._server, self._port)
        # To be drained is to have left the process, not to have a place in a buffer of ours.
        writer.transport.set_write_buffer_limits(0)
        self._connection = reader, writer
        return writer


def lines(gathered: Gathered, now: int) -> Iterator[str]:
    """Write `path value epoch`: counts since the last time, levels, and the mean of observations.

    Graphite keeps one number for a path and moment, the last: several observations would be lost there.
    """
    for name, count in gathered.counts.items():
        yield f"{name} {count:.15g} {now}"
    for name, level in gathered.levels.items():
        yield f"{name} {level:.15g} {now}"
    for name, observations in gathered.observations.items():
        yield f"{name} {sum(observations) / len(observations):.15g} {now}"
