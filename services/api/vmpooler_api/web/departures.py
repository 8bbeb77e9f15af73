"""Noticing that a client has gone before it was answered."""

from starlette.requests import Request


async def client_leaves(request: Request) -> None:
    """Return when the client has closed its connection; what it still sends is dropped."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
