"""The manager as a process: its web server, its exit codes, its commands, its end."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.manager.site import Site
from tests.support.documents import pooler_document
from tests.support.eventually import eventually
from tests.support.http import patient_client
from tests.support.ports import free_port
from tests.support.project import ROOT
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService

SECONDS = 30


def plain(site: Site, **provider: Any) -> dict[str, Any]:
    """Give a configuration for processes: they don't find the plug-in of the other tests."""
    return site.document({"debian": 1}, provider={"provider_class": "dummy", **provider})


def command(tmp_path: Path, document: dict[str, Any], *arguments: str) -> "subprocess.CompletedProcess[str]":
    file = tmp_path / "command.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "vmpooler_manager",
            "--config",
            str(file),
            "--port",
            str(free_port()),
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


async def test_the_web_server_tells_of_life_and_work_and_of_nothing_else(
    site: Site, make_service: MakeService
) -> None:
    service = make_service("manager", document=plain(site))
    await service.start()
    async with patient_client(service.base_url) as client:

        async def is_ready() -> bool:
            return (await client.get("/ready")).status_code == httpx.codes.OK

        await eventually(is_ready)
        healthy = await client.get("/healthcheck")
        assert healthy.text == '{\n  "ok": true\n}'
        assert healthy.headers["X-Content-Type-Options"] == "nosniff"
        metrics = await client.get("/prometheus")
        assert "vmpooler_leases_held" in metrics.text
        assert metrics.headers["X-Content-Type-Options"] == "nosniff"
        missing = await client.get("/no-such-page")
        assert (missing.status_code, missing.json()) == (404, {"ok": False})
        assert (await client.post("/healthcheck")).status_code == 404


async def test_without_redis_the_manager_lives_but_is_not_ready(
    make_service: MakeService, redis_prefix: str
) -> None:
    document = pooler_document(
        redis_url=f"redis://127.0.0.1:{free_port()}", prefix=redis_prefix, pools={"debian": 1}
    )
    service = make_service("manager", document=document)
    await service.start()
    async with patient_client(service.base_url) as client:
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()["ok"]) == (503, False)
        assert (await client.get("/healthcheck")).status_code == 200
    assert await service.stop() == 0


async def test_a_port_that_is_taken_is_reported_and_is_code_1(site: Site, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = command(tmp_path, plain(site), "--port", str(port))
    assert ended.returncode == 1
    assert "address already in use" in ended.stderr
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_data_of_a_newer_vmpooler_is_left_alone(site: Site, tmp_path: Path) -> None:
    await site.store.connection.call(("SET", f"{site.prefix}:schema", 99))
    ended = command(tmp_path, plain(site))
    assert ended.returncode == 1
    assert "schema 99" in ended.stdout + ended.stderr
    assert site.in_cloud() == set()


async def test_resume_deletion_works_also_under_its_old_name_release(site: Site, tmp_path: Path) -> None:
    await site.store.connection.call(
        ("HSET", f"{site.prefix}:deletion_paused", "dummy", "absent debian too many")
    )
    ended = command(tmp_path, plain(site), "--release", "dummy")
    assert ended.returncode == 0, ended.stderr
    (paused,) = await site.store.connection.call(("HEXISTS", f"{site.prefix}:deletion_paused", "dummy"))
    assert not paused


@pytest.mark.parametrize("provider", ["nobody", ""])
async def test_resume_deletion_knows_only_configured_providers(
    site: Site, tmp_path: Path, provider: str
) -> None:
    ended = command(tmp_path, plain(site), "--resume-deletion", provider)
    assert ended.returncode == 1
    assert "no provider is called" in ended.stderr


def test_resume_deletion_says_when_redis_is_away(tmp_path: Path, redis_prefix: str) -> None:
    document = pooler_document(
        redis_url=f"redis://127.0.0.1:{free_port()}", prefix=redis_prefix, pools={"debian": 1}
    )
    ended = command(tmp_path, document, "--resume-deletion", "dummy")
    assert ended.returncode == 1
    assert "can't be reached" in ended.stdout + ended.stderr


async def test_a_manager_that_is_told_to_end_hands_a_slow_clone_over(
    site: Site, make_service: MakeService
) -> None:
    slow = plain(site, createvm_max_time=100_000, seed=1)
    first = make_service("manager", document=slow, label="first")
    await first.start()

    async def begun() -> str:
        return next((row["id"] for row in site.cloud.vms()), "")

    vm_id = await eventually(begun)
    assert await first.stop() == 0
    assert len(await site.members("pending", "debian")) == 1
    site.cloud.change(vm_id, clone_ends_at=0, ready_at=0)
    second = make_service("manager", document=slow, label="second")
    await second.start()
    (name,) = await site.ready("debian", 1)
    assert site.row(name)["id"] == vm_id
    assert await second.stop() == 0


async def test_a_manager_ends_in_time_though_redis_hangs(
    own_site: Site, own_redis_server: RedisServer, make_service: MakeService
) -> None:
    service = make_service("manager", document=plain(own_site))
    await service.start()
    await own_site.ready("debian", 1)
    own_redis_server.pause()
    try:
        assert await service.stop() == 0
    finally:
        own_redis_server.resume()


async def test_a_driver_that_crashes_harms_only_its_own_pools(
    site: Site, tmp_path: Path, make_service: MakeService
) -> None:
    document = site.document({"debian": {"size": 1, "provider": "sound"}, "ubuntu": 1})
    document["providers"]["sound"] = {"provider_class": "dummy"}
    site.moods.set(open="crash", close="crash")
    path = f"{tmp_path / 'plug-ins'}{os.pathsep}{ROOT}"
    service = make_service("manager", document=document, environment={"PYTHONPATH": path})
    await service.start()
    await site.ready("debian", 1)

    async def is_broken() -> bool:
        return "told to crash in open" in (await site.numbers("ubuntu")).broken

    await eventually(is_broken)
    assert await service.stop() == 0


async def test_a_driver_that_crashes_in_a_call_is_called_again(site: Site) -> None:
    site.moods.set(create="crash")
    manager = await site.start({"debian": 1})

    async def crashed() -> bool:
        return manager.calls("create") >= 1

    await eventually(crashed)
    site.moods.set()
    await site.settled(debian=1)
