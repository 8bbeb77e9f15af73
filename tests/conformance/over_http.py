"""The API served over TCP, as its process serves it, in the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from uvicorn.server import ServerState

from vmpooler_api.process import server_config
from vmpooler_common.web.protocol import HttpProtocol

HOST = "127.0.0.1"
_PATIENCE = 30.0
"""Seconds for an answer: these tests aren't about speed, and others run beside them."""


@asynccontextmanager
async def over_http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the app, whose lifespan has been entered, at a port that was free."""
    config = server_config(app, host=HOST, port=0)
    config.load()
    state = ServerState()
    # Not `uvicorn.Server`, which sleeps when it ends, too long for as many tests as there are.
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpProtocol(config=config, server_state=state, app_state={}), HOST, 0
    )
    port = server.sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(
            base_url=f"http://{HOST}:{port}", trust_env=False, timeout=_PATIENCE
        ) as client:
            yield client
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(state.tasks)
        await server.wait_closed()
