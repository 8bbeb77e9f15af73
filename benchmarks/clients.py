"""Has clients work, and tells what that costs a service."""

import asyncio
import sys

from benchmarks.metering import Meter, Usage
from tests.support.project import ROOT
from tests.support.services import Service

CONNECTIONS = 16
NOTHING = "/healthcheck"
"""The route that does nothing: what HTTP alone costs."""
_PATIENCE_SECONDS = 60.0


async def hold(
    service: Service, count: int, work: str, *details: str, connections: int = CONNECTIONS
) -> Usage:
    """Let `benchmarks.load` do some work so many times, over so many connections."""
    meter = Meter(service)
    await meter.start()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.load", str(service.port), str(connections), str(count)),
        *(work, *details),
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            if await process.wait() != 0:
                raise RuntimeError("the clients gave up; their message stands above")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return await meter.stop()
