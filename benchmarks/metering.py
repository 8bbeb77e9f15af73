"""How much a service works: CPU seconds, round trips to Redis, connections."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.services import Service

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_ROUND_TRIPS = re.compile(r"^vmpooler_redis_round_trips_total\{.*\} (\S+)$", re.MULTILINE)
_ESTABLISHED = "01"


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used between two readings."""

    seconds: float
    """Wall-clock."""
    cpu: float
    """CPU seconds of the process with all its threads, in user mode and in the kernel."""
    round_trips: float
    """Sends to Redis, by the service's own metric."""


class Meter:
    """Measures one service since the meter was made, where it is to be launched, or since `start`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._at = time.monotonic()
        self._cpu = 0.0
        self._round_trips = 0.0

    async def start(self) -> None:
        """Begin (again) to measure. Leaves the cost of asking the service out, as `stop` does."""
        self._round_trips = await _round_trips(self._service)
        self._cpu = _cpu_seconds(self._service.process_id)
        self._at = time.monotonic()

    def cpu_seconds(self) -> float:
        """Give the CPU seconds that were used so far."""
        return _cpu_seconds(self._service.process_id) - self._cpu

    async def stop(self) -> Usage:
        """Give what was used; the service goes on."""
        seconds, cpu = time.monotonic() - self._at, self.cpu_seconds()
        return Usage(seconds, cpu, await _round_trips(self._service) - self._round_trips)


def connections_to(port: int, *, process_id: int) -> int:
    """Count the connections that a process has to a port of this machine over IPv4."""
    established = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state, *rest = line.split()
        if state == _ESTABLISHED and int(remote.rpartition(":")[2], 16) == port:
            established.add(f"socket:[{rest[5]}]")
    return len(established & set(_open_files(process_id)))


def _open_files(process_id: int) -> list[str]:
    targets = []
    for entry in Path(f"/proc/{process_id}/fd").iterdir():
        try:
            targets.append(str(entry.readlink()))
        except FileNotFoundError:
            continue  # closed meanwhile
    return targets


def _cpu_seconds(process_id: int) -> float:
    # The second field is the program's name in parentheses and may hold spaces.
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


async def _round_trips(service: Service) -> float:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{service.base_url}/prometheus")
    found = _ROUND_TRIPS.search(answer.text)
    if found is None:
        raise RuntimeError(f"{service.label} doesn't tell its round trips:\n{answer.text}")
    return float(found[1])
