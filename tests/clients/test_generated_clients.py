"""Clients that two generators make of the OpenAPI document work: VMs taken, awaited on demand, returned."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.api.in_process import Api
from tests.clients.conftest import TOKEN
from tests.store.ondemand import OnDemand
from tests.support.eventually import eventually
from tests.support.needs import needs_packages, needs_program
from tests.support.project import ROOT

FOLDER = Path(__file__).parent / "generated"
LOCK = FOLDER / "requirements.lock"
PACKAGE = "generated_client"
DEBIAN, ROCKY = "debian-12-x86_64", "rocky-9-x86_64"


@pytest.fixture(scope="module")
def generators() -> Path:
    """Return the programs of an environment with both generators; it is made once for each lock file."""
    needs_program("java", package="default-jre-headless")
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    environment = ROOT / ".generators" / digest
    if not environment.exists():
        made = environment.with_name(f"{digest}-{os.getpid()}")
        needs_packages(LOCK, environment=made)
        made.rename(environment)
    return environment / "bin"


def run(*command: str | Path, within: Path) -> None:
    """Run a generator in a folder; a warning is a failure, for then something is missing."""
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(word) for word in command],
        cwd=within,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def with_openapi_python_client(programs: Path, folder: Path) -> None:
    arguments = ("--path", "openapi.json", "--meta", "none", "--output-path", PACKAGE, "--fail-on-warning")
    run(programs / "openapi-python-client", "generate", *arguments, within=folder)


def with_openapi_generator(programs: Path, folder: Path) -> None:
    options = f"packageName={PACKAGE},generateSourceCodeOnly=true"
    arguments = ("-i", "openapi.json", "-g", "python", "-o", ".", "--additional-properties", options)
    run(programs / "openapi-generator-cli", "generate", *arguments, within=folder)


GENERATORS = {
    "with_openapi_python_client": with_openapi_python_client,
    "with_openapi_generator": with_openapi_generator,
}


@pytest.mark.timeout(300)  # the first one downloads the generators
@pytest.mark.parametrize("generator", GENERATORS)
async def test_a_generated_client_takes_awaits_and_returns_vms(
    generator: str, generators: Path, api: Api, tmp_path: Path
) -> None:
    (tmp_path / "openapi.json").write_text((await api.client.get("/openapi.json")).text)
    await asyncio.to_thread(GENERATORS[generator], generators, tmp_path)
    await api.fleet.ready(DEBIAN, "one", "two")
    await api.fleet.ready(ROCKY, "three")
    program = await asyncio.create_subprocess_exec(
        generators / "python",
        FOLDER / f"{generator}.py",
        str(api.client.base_url).rstrip("/"),
        TOKEN,
        env={"PYTHONPATH": str(tmp_path), "NO_PROXY": "*"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    meeting = asyncio.create_task(_meet_one_request(api))
    output, errors = await program.communicate()
    assert program.returncode == 0, errors.decode()[-4000:]
    await meeting
    _check(json.loads(output))
    assert await api.fleet.state("three") == "running"
    assert {await api.fleet.state(vm) for vm in ("one", "two", "four")} == {"completed"}


async def _meet_one_request(api: Api) -> None:
    """Do what a manager does for the request that the client opens."""
    await api.fleet.store.request_inbox.prepare()
    demand = OnDemand(api.fleet)
    ((entry, request),) = await eventually(demand.entries)
    assert await api.fleet.store.backlog.accept(request, entry=entry) == "accepted"
    assert await demand.booted(DEBIAN, "four") == request


def _check(found: Mapping[str, Any]) -> None:
    assert found["pools"] == [DEBIAN, ROCKY]
    assert found["vms"] == [
        {"name": name, "hostname": vm, "fqdn": f"{vm}.example.test", "pool": DEBIAN}
        for name, vm in (("debian", "one"), ("debian", "two"), (DEBIAN, "four"))
    ]
    assert found["named"] == {"ok": True, ROCKY: {"hostname": "three.example.test"}}
    assert "did you mean 'debian'?" in found["refused"]
    assert found["ready"] is True
    assert found["counts"] == [{"name": DEBIAN, "ready": 1, "pending": 0}]
    assert found["shown"]["four"]["template"] == DEBIAN
    assert found["returned"] == [True] * 3
    assert found["status"] is True
