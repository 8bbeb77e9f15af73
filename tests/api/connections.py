"""Clients of an API process that wait for VMs, each over a connection of its own."""

import asyncio

from tests.store.queued_checkouts import QueuedCheckouts
from tests.support.eventually import eventually
from tests.support.services import Service

PATIENCE_SECONDS = 60.0

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def joined(
    service: Service, line: QueuedCheckouts, *, names: str = "pool1", version: str = "v3", key: str = ""
) -> Connection:
    """Ask for VMs, under an Idempotency-Key if one is given; return when the place in line is taken."""
    count = len(await line.places())
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    fields = ["Host: api", "Connection: close", "Content-Length: 0"]
    if key:
        fields.append(f"Idempotency-Key: {key}")
    head = "\r\n".join([f"POST /api/{version}/vm/{names}?wait=60 HTTP/1.1", *fields])
    writer.write(f"{head}\r\n\r\n".encode())
    await writer.drain()

    async def has_place() -> bool:
        return len(await line.places()) == count + 1

    await eventually(has_place)
    return reader, writer


async def answer_of(connection: Connection) -> str:
    """Read the whole answer."""
    reader, writer = connection
    async with asyncio.timeout(PATIENCE_SECONDS):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode()
