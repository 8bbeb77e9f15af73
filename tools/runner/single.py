"""One `make run` at a time in one directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunningError(Exception):
    """Another runner holds the directory."""


@contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Hold `directory` (made when missing) for this process; raise AlreadyRunningError when another does.

    The kernel ends the hold together with the process, however that dies.
    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, mode=0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunningError(f"another one is running here (it holds {directory / 'lock'})") from None
    # The process runner forks, and a fork would keep the lock when this process is killed.
    os.register_at_fork(after_in_child=lambda: os.close(descriptor))
    yield
