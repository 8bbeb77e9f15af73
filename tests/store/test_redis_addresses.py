"""How the section `redis` becomes connections: over TLS, with the options of an address."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.support.redis_server import RedisServer
from tests.support.stores import make_store, open_store
from tests.unit.config.documents import COMPLETE, load_text
from vmpooler_common.store.core.errors import StoreUnavailable
from vmpooler_common.store.from_settings import store_options


@asynccontextmanager
async def tls_before(server: RedisServer, directory: Path) -> AsyncIterator[tuple[int, Path]]:
    """Speak TLS for the server; give the port, and the file of the authority."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while received := await reader.read(65536):
            writer.write(received)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with listener:
        yield listener.sockets[0].getsockname()[1], directory / "ca.pem"


def url_for(redis: dict[str, Any]) -> str:
    return store_options(load_text(COMPLETE | {"redis": redis}).settings).redis.url


async def test_redis_is_spoken_to_over_tls_and_its_certificate_is_checked(
    redis_server: RedisServer, redis_prefix: str, tmp_path: Path
) -> None:
    async with tls_before(redis_server, tmp_path) as (port, authority):
        keys = {"server": "127.0.0.1", "port": port, "tls": True}
        async with open_store(url_for(keys | {"tls_ca_file": str(authority)}), redis_prefix) as store:
            assert (await store.views.counts(["pool"])) is not None
        stranger = make_store(url_for(keys), redis_prefix)
        with pytest.raises(StoreUnavailable, match="certificate"):
            await stranger.deployment.prepare()
        await stranger.close()


@pytest.mark.parametrize(
    "options",
    [
        "db=0&username=me&password=x&client_name=pools&socket_keepalive=yes",
        "ssl_cert_reqs=none&ssl_check_hostname=no&ssl_ca_certs=a&ssl_ca_path=b&ssl_certfile=c&ssl_keyfile=d"
        "&ssl_password=e&ssl_ciphers=DEFAULT",
    ],
)
async def test_every_option_that_an_address_may_have_is_one_of_the_library(options: str) -> None:
    """An unknown one is a TypeError of the library's as soon as a connection is made."""
    store = make_store(url_for({"url": f"rediss://127.0.0.1:1?{options}"}), "{test}")
    with pytest.raises(StoreUnavailable):
        await store.deployment.prepare()
    await store.close()
