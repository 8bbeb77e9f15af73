"""Processes that outlived a runner which was killed with -9."""

import os
import signal
import time
from collections.abc import Collection
from pathlib import Path

DRAIN_SECONDS = 12.0
"""The services promise to end within 10 s of SIGTERM."""

KILL_SECONDS = 2.0

OUR_WORDS = (b"vmpooler_api", b"vmpooler_manager", b"tools.runner")
"""One of these stands in the command line of every process that a runner starts."""


def stop_leftovers(directory: Path) -> None:
    """End the processes whose ids lie in the files `*.pid` of `directory`, if they are still the ones.

    Such a file holds the id of a process and the id of the one that carries its output. An id may belong to
    somebody else by now, so only what has one of our words in its command line and works in this directory is
    ended. Where there is no /proc nothing is; a port that is still taken is then reported as such.
    """
    files = tuple(directory.glob("*.pid"))
    ids = [_read(file) for file in files]
    processes = [pair[0] for pair in ids if pair]
    carriers = [pair[1] for pair in ids if pair]
    _end(processes, signal.SIGTERM, seconds=DRAIN_SECONDS)
    _end(processes + carriers, signal.SIGKILL, seconds=KILL_SECONDS)
    for file in files:
        file.unlink()


def _read(file: Path) -> tuple[int, int] | None:
    words = file.read_text().split()
    if len(words) != 2:  # its writer was killed before it had written
        return None
    return int(words[0]), int(words[1])


def _end(processes: Collection[int], how: signal.Signals, *, seconds: float) -> None:
    for process in filter(_is_ours, processes):
        os.kill(process, how)
    end = time.monotonic() + seconds
    while any(map(_is_ours, processes)) and time.monotonic() < end:
        time.sleep(0.02)


def _is_ours(process_id: int) -> bool:
    process = Path("/proc", str(process_id))
    try:
        command = (process / "cmdline").read_bytes()
        return any(word in command for word in OUR_WORDS) and (process / "cwd").readlink() == Path.cwd()
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return False
