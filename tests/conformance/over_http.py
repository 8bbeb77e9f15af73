"""The API served over TCP, as its process serves it, in the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
from fastapi import FastAPI
from uvicorn.server import ServerState

from tests.api.in_process import Reach
from tests.support.http import patient_client
from vmpooler_api.process import server_config
from vmpooler_common.metrics.backends.null import NullBackend
from vmpooler_common.metrics.catalogues.http import ConnectionCounts
from vmpooler_common.web.connections import ConnectionLimits, Connections
from vmpooler_common.web.protocol import protocol_within

HOST = "127.0.0.1"
FAR_LIMITS = ConnectionLimits(1000, head=60, body=60, send=60)


def over_http(app: FastAPI) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    """Yield a client of the app, whose lifespan has been entered, at a port that was free."""
    return over_http_within(FAR_LIMITS, ConnectionCounts(NullBackend()))(app)


def over_http_within(limits: ConnectionLimits, metrics: ConnectionCounts) -> Reach:
    """Give a way to reach an app whose connections have these limits."""
    return lambda app: _served(app, Connections(limits, metrics, always_served=frozenset({"/prometheus"})))


@asynccontextmanager
async def _served(app: FastAPI, connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    config = server_config(app, connections=connections)
    config.load()
    state = ServerState()
    # Not `uvicorn.Server`, which sleeps when it ends, too long for as many tests as there are.
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol_within(connections)(config=config, server_state=state, app_state={}), HOST, 0
    )
    port = server.sockets[0].getsockname()[1]
    try:
        async with patient_client(f"http://{HOST}:{port}") as client:
            yield client
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(state.tasks)
        await server.wait_closed()
