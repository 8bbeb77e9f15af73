"""What an attacker gets who opens connections and then doesn't read, or doesn't finish a request.

25 clients ask for a summary of 36 MB and read nothing; 300 others send a byte of a request every few seconds.
Before the answers were streamed and times limited, each of the first kept its whole summary in the API's
memory, and all of them stayed for as long as they liked.
"""

import asyncio
import re
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx

from benchmarks.figures import Figure
from benchmarks.stage import Stage, say
from benchmarks.summarising import fill_year, whole_year
from tests.support.services import Service

POOLS = 200
READERS = 25
DRIPPERS = 300
SECONDS = 50
"""Longer than all time limits of the API, as they are by default."""
_DRIP_SECONDS = 3
_SMALL_BUFFER = 4096
_MEMORY = re.compile(r"^(VmRSS|VmHWM):\s+(\d+) kB$", re.MULTILINE)
_OK = b"HTTP/1.1 200"
_HEAD = b"GET /healthcheck HTTP/1.1\r\nX-Endless: "


async def run(stage: Stage) -> list[Figure]:
    """Attack; about 60 s."""
    installation = await stage.install("api", pools={"pool": 0})
    say(f"  a year of {POOLS} pools")
    await fill_year(installation, POOLS)
    service = installation.service
    await service.start()
    async with httpx.AsyncClient(base_url=service.base_url, trust_env=False, timeout=60) as client:
        await client.get(whole_year())  # whatever is needed once
        before = _megabytes(service)["VmRSS"]
        say(f"  {READERS} clients that don't read, {DRIPPERS} that hardly send, for {SECONDS} s")
        with ExitStack() as stack:
            readers = [await _open(service, stack) for _ in range(READERS)]
            for reader in readers:
                await asyncio.get_running_loop().sock_sendall(
                    reader, f"GET {whole_year()} HTTP/1.1\r\nHost: api\r\n\r\n".encode()
                )
            drippers = [await _open(service, stack) for _ in range(DRIPPERS)]
            for dripper in drippers:
                dripper.send(_HEAD)
            longest = await _drip(drippers, client)
            after = _megabytes(service)
            left = sum(map(_is_open, drippers))
            answered = [await _beginning(reader) for reader in readers]
    await service.stop()
    return [
        Figure("API memory before the attack", "MB", (before,)),
        Figure("  at its peak", "MB", (after["VmHWM"],), before + 100),
        Figure(f"  {SECONDS} s later, the clients still there", "MB", (after["VmRSS"],), before + 100),
        Figure(f"summaries begun for {READERS} clients that don't read", "", (answered.count(_OK),), 12),
        Figure(f"connections left of {DRIPPERS} that never end a request", "", (left,), 0),
        Figure("longest wait of another request meanwhile", "ms", (longest * 1000,)),
    ]


async def _open(service: Service, stack: ExitStack) -> socket.socket:
    connection = stack.enter_context(socket.socket())
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", service.port))
    return connection


async def _drip(drippers: list[socket.socket], client: httpx.AsyncClient) -> float:
    """Send a little now and then, and ask for something else meanwhile; give the longest wait for that."""
    ends, drips, longest = time.monotonic() + SECONDS, time.monotonic(), 0.0
    while time.monotonic() < ends:
        if time.monotonic() > drips:
            drips += _DRIP_SECONDS
            for dripper in drippers:
                _send_a_byte(dripper)
        asked_at = time.monotonic()
        await client.get("/api/v3/vm/unknown")
        longest = max(longest, time.monotonic() - asked_at)
        await asyncio.sleep(0.05)
    return longest


def _send_a_byte(dripper: socket.socket) -> None:
    with suppress(OSError):  # the API has closed it
        dripper.send(b"a")


def _is_open(dripper: socket.socket) -> bool:
    try:
        return bool(dripper.recv(1000)) and bool(dripper.recv(1000))
    except BlockingIOError:
        return True
    except OSError:
        return False


async def _beginning(reader: socket.socket) -> bytes:
    try:
        return await asyncio.wait_for(
            asyncio.get_running_loop().sock_recv(reader, len(_OK)), timeout=_DRIP_SECONDS
        )
    except (OSError, TimeoutError):
        return b""


def _megabytes(service: Service) -> dict[str, float]:
    """Give the memory in use now and at most."""
    status = Path(f"/proc/{service.process_id}/status").read_text()
    return {name: int(kilobytes) / 1000 for name, kilobytes in _MEMORY.findall(status)}
