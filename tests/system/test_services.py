"""The two services as processes: they start, answer, drain, and say what hinders them."""

import os
import signal
from pathlib import Path

import httpx
import pytest

from tests.support.documents import pooler_document
from tests.support.eventually import eventually
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService, Service, ServiceDiedError


@pytest.fixture(params=["api", "manager"])
def service(
    request: pytest.FixtureRequest,
    make_service: MakeService,
    redis_server: RedisServer,
    redis_prefix: str,
) -> Service:
    document = pooler_document(redis_url=redis_server.url, prefix=redis_prefix, pools={"tested": 1})
    return make_service(request.param, document=document)


async def test_a_service_ends_in_order_when_it_is_told_to(service: Service) -> None:
    await service.start()
    assert await service.stop() == 0


async def test_a_service_starts_again_after_a_kill(service: Service) -> None:
    await service.start()
    service.kill()
    await service.start()
    assert service.is_running


async def test_a_paused_service_answers_nothing_until_it_is_resumed(service: Service) -> None:
    await service.start()
    async with httpx.AsyncClient(base_url=service.base_url, timeout=0.3) as client:
        service.pause()
        with pytest.raises(httpx.TimeoutException):
            await client.get("/healthcheck")
        service.resume()
        assert (await client.get("/healthcheck", timeout=10)).status_code == httpx.codes.OK


@pytest.mark.parametrize("name", ["api", "manager"])
async def test_a_service_with_a_mistake_in_its_file_ends_and_names_it(
    name: str, make_service: MakeService, redis_prefix: str
) -> None:
    document = pooler_document(redis_url="redis://127.0.0.1:1", prefix=redis_prefix, pools={"tested": -5})
    with pytest.raises(ServiceDiedError, match="size"):
        await make_service(name, document=document).start()


@pytest.mark.parametrize("name", ["api", "manager"])
async def test_a_hang_up_reopens_the_log_and_ends_nothing(
    name: str, make_service: MakeService, redis_server: RedisServer, redis_prefix: str, tmp_path: Path
) -> None:
    """As logrotate does it: the file is renamed, then the process is told."""
    logfile = tmp_path / "service.log"
    config = {"logfile": str(logfile)}
    document = pooler_document(
        redis_url=redis_server.url, prefix=redis_prefix, pools={"tested": 1}, config=config
    )
    async with make_service(name, document=document) as service:
        rotated = logfile.rename(tmp_path / "service.log.1")
        os.kill(service.process_id, signal.SIGHUP)

        async def reopened() -> bool:
            return logfile.exists() and "log.reopened" in logfile.read_text()

        await eventually(reopened)
        assert "log.reopened" not in rotated.read_text()
        assert await service.stop() == 0
