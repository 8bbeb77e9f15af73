"""Metrics on their way from the services to statsd and Graphite."""

import pytest

from tests.support.documents import pooler_document
from tests.support.eventually import eventually
from tests.support.http import patient_client
from tests.support.listeners import TcpListener, UdpListener
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService, Service

POOLS = {"tested": {"size": 1}}


@pytest.fixture
def make(make_service: MakeService, redis_server: RedisServer, redis_prefix: str) -> MakeService:
    """Return a function that makes a service with some sections of its own."""

    def make_it(name: str, **sections: object) -> Service:
        document = pooler_document(redis_url=redis_server.url, prefix=redis_prefix, pools=POOLS)
        service: Service = make_service(name, document=document | sections)
        return service

    return make_it


async def test_statsd_hears_what_became_of_checkouts(make: MakeService, free_port: int) -> None:
    listener = UdpListener(free_port)
    await listener.open()
    service = make("api", statsd={"server": "127.0.0.1", "port": free_port, "prefix": "lab"})
    async with service, patient_client(service.base_url) as client:
        assert (await client.post("/api/v3/vm/tested")).status_code == 503
        await listener.saw("lab.checkout.empty.tested:1|c")
        shown = (await client.get("/prometheus")).text
    await listener.close()
    assert 'vmpooler_checkouts_total{pool="tested",result="empty",vmpooler_instance="test"} 1.0' in shown


async def test_graphite_hears_of_the_pools(make: MakeService, free_port: int) -> None:
    listener = TcpListener(free_port)
    await listener.open()
    service = make("manager", graphite={"server": "127.0.0.1", "port": free_port})
    async with service, patient_client(service.base_url) as client:

        async def is_filled() -> bool:
            return (
                'pool_vms{pool="tested",state="ready",vmpooler_instance="test"} 1.0'
                in (await client.get("/prometheus")).text
            )

        await eventually(is_filled)
        assert await service.stop() == 0
        await listener.saw("vmpooler.ready.tested 1")
    await listener.close()
    assert [line for line in listener.lines if line.startswith("vmpooler.time_to_ready_state.tested ")]


async def test_statsd_is_stronger_than_graphite(make: MakeService, free_port: int) -> None:
    statsd, graphite = UdpListener(free_port), TcpListener(free_port)
    await statsd.open()
    await graphite.open()
    section = {"server": "127.0.0.1", "port": free_port}
    async with make("api", statsd=section, graphite=section) as service:
        await statsd.saw("vmpooler.redis_up:1|g")
        await service.stop()
    await statsd.close()
    await graphite.close()
    assert graphite.connections == 0


@pytest.mark.parametrize("section", ["statsd", "graphite"])
async def test_a_receiver_that_is_away_changes_nothing_for_clients(
    make: MakeService, free_port: int, section: str
) -> None:
    service = make("api", **{section: {"server": "127.0.0.1", "port": free_port}})
    async with service, patient_client(service.base_url) as client:
        assert (await client.get("/api/v3/status")).status_code == 200
        assert await service.stop() == 0
