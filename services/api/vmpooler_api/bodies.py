"""Reading a request's body without trusting its length or its content type."""

from starlette.requests import Request

from vmpooler_api.refusals import ClientLeft


async def read_body(request: Request, most: int) -> bytes:
    """Give the body; of one that is longer than `most` bytes only so much that its excess shows.

    Raises ClientLeft when the connection ends before the body does.
    """
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft("while sending its request")
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > most:
            return bytes(body[: most + 1])
