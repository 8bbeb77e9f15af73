"""Runs benchmarks and prints what was measured beside what is to be reached."""

import argparse
import asyncio
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import (
    admission,
    filling,
    greedy,
    handover,
    idling,
    ondemand,
    refilling,
    showing,
    summarising,
    unread,
    vsphere,
)
from benchmarks.figures import Figure, as_data, as_table
from benchmarks.stage import Stage, open_stage, say

BENCHMARKS: Mapping[str, Callable[[Stage], Awaitable[list[Figure]]]] = {
    "handover": handover.run,
    "admission": admission.run,
    "showing": showing.run,
    "summarising": summarising.run,
    "unread": unread.run,
    "greedy": greedy.run,
    "filling": filling.run,
    "refilling": refilling.run,
    "ondemand": ondemand.run,
    "idling": idling.run,
    "vsphere": vsphere.run,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; give the exit code."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - BENCHMARKS.keys():
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; see --help")
    try:
        figures = asyncio.run(_run(chosen.names or list(BENCHMARKS)))
    except asyncio.CancelledError:
        say("stopped")
        return 130
    print(f"\n{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(as_table(figures))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(as_data(figures), indent=2, ensure_ascii=False) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure what the services cost. Without names all benchmarks run, for about 10 minutes.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="benchmarks:\n" + "\n".join(f"  {name:<10} {_summary(name)}" for name in BENCHMARKS),
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="what to run")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to this file, too")
    return parser


def _summary(name: str) -> str:
    module = sys.modules[BENCHMARKS[name].__module__]
    return (module.__doc__ or "").splitlines()[0]


async def _run(names: Sequence[str]) -> list[Figure]:
    # However the run ends, it ends what it has started.
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    figures: list[Figure] = []
    for name in names:
        started = time.monotonic()
        say(f"{name}:")
        async with open_stage() as stage:
            figures += await BENCHMARKS[name](stage)
        say(f"  done in {time.monotonic() - started:.0f} s")
    return figures


if __name__ == "__main__":
    sys.exit(main())
