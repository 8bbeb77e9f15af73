"""A real Redis server whose clock a test sets: it stands still in between, and jumps as it is told."""

import os
from datetime import UTC, datetime
from pathlib import Path

from tests.support.needs import needs_library
from tests.support.redis_server import RedisServer

START = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)


class ClockedServer(RedisServer):
    """`now` is the server's time, in whole milliseconds."""

    def __init__(self, directory: Path) -> None:
        library = needs_library("libfaketimeMT.so.1", package="libfaketime")
        self._file = directory / "clock"
        directory.mkdir(parents=True, exist_ok=True)
        super().__init__(
            directory,
            environment={
                **os.environ,
                "LD_PRELOAD": str(library),
                "FAKETIME_TIMESTAMP_FILE": str(self._file),
                "FAKETIME_NO_CACHE": "1",
                "DONT_FAKE_MONOTONIC": "1",
                "TZ": "UTC",
            },
        )
        self.now = START

    @property
    def now(self) -> datetime:
        """The time that the server tells."""
        return self._now

    @now.setter
    def now(self, now: datetime) -> None:
        self._now = now
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03}\n")
        fresh.rename(self._file)  # whole or not at all: the server reads it at any moment
