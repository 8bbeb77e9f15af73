"""The command: what it prints, how it starts and how it ends."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.store.fleet import Fleet
from tests.support.documents import pooler_document
from tests.support.http import patient_client
from tests.support.needs import needs_program
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService, Service
from tests.support.stores import open_store


@pytest.fixture
def service(redis_server: RedisServer, redis_prefix: str, make_service: MakeService) -> Service:
    document = pooler_document(
        redis_url=redis_server.url,
        prefix=redis_prefix,
        pools={"pool1": {"size": 1, "timeout_notification": 3, "stray_key": 1}},
        config={"health_check_enabled": True},
    )
    made: Service = make_service("api", document=document)
    return made


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "vmpooler_api", *arguments], capture_output=True, text=True)


def test_the_table_of_metrics_is_printed() -> None:
    result = run("--print-metrics")
    assert result.returncode == 0
    assert re.search(r"^vmpooler_checkouts_total +counter", result.stdout, re.MULTILINE)
    assert "vmpooler_connection_waited_seconds" in result.stdout


def test_wrong_usage_is_code_2() -> None:
    assert run("--what").returncode == 2


async def test_a_signal_ends_it_without_an_error(service: Service) -> None:
    async with service:
        assert await service.stop() == 0
    assert "Traceback" not in service.log.read_text()


async def test_the_start_tells_what_is_doubtful(service: Service) -> None:
    async with service:
        log = service.log.read_text()
    assert "stray_key" in log
    in_vain = [line for line in log.splitlines() if "configuration.not_in_effect" in line]
    assert len(in_vain) == 1
    assert "health_check_enabled" in in_vain[0]
    assert "timeout_notification" in in_vain[0]
    assert "appendonly is off" in log


async def test_a_port_that_is_taken_is_code_1(service: Service) -> None:
    async with service:
        result = run("--config", str(service.config), "--port", str(service.port))
    assert result.returncode == 1
    assert "address already in use" in result.stderr


async def test_handing_out_and_taking_back_are_one_line_each(
    service: Service, redis_server: RedisServer, redis_prefix: str
) -> None:
    async with (
        open_store(redis_server.url, redis_prefix) as store,
        Redis.from_url(redis_server.url, decode_responses=True, protocol=2) as redis,
    ):
        await Fleet(store, redis, redis_prefix).ready("pool1", "one")
    async with service, patient_client(service.base_url) as client:
        secret = {"X-AUTH-TOKEN": "a-secret"}
        await client.post("/api/v3/vm/pool1", headers=secret)
        await client.delete("/api/v3/vm/one", headers=secret)
    log = service.log.read_text()
    facts = "vm=one pool=pool1 provider_id=id-one"
    assert len(re.findall(rf"vm\.checked_out {facts} requested=pool1$", log, re.MULTILINE)) == 1
    assert len(re.findall(rf"vm\.returned {facts} reason=returned$", log, re.MULTILINE)) == 1
    assert "a-secret" not in log


def check_metrics(promtool: Path, metrics: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([promtool, "check", "metrics"], input=metrics, capture_output=True)


async def test_metrics_are_as_prometheus_wants_them(service: Service) -> None:
    promtool = needs_program("promtool", package="prometheus")
    async with service, patient_client(service.base_url) as client:
        for path in ("/api/v3/vm", "/nope", "/api/v3/status"):
            await client.get(path)
        metrics = (await client.get("/prometheus")).content
    result = await asyncio.to_thread(check_metrics, promtool, metrics)
    assert result.returncode == 0, result.stdout + result.stderr
