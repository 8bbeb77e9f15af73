"""Several processes with one dummy cloud between them, some of which are killed."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.providers.cloud_file import CloudFile
from tests.providers.dummies import POOL, dummy
from vmpooler_manager.providers.contract import VmRef, VmStatus
from vmpooler_manager.providers.testing.subject import ref

ROOT = Path(__file__).parents[2]
HOUR = 3600


@asynccontextmanager
async def client(verb: str, argument: object, **settings: Any) -> AsyncIterator[Process]:
    """Run a client; it is killed when the block ends, if it is still there."""
    arguments = ["-m", "tests.providers.client_process", json.dumps(settings), verb, str(argument)]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=PIPE)
    try:
        async with asyncio.timeout(60):
            yield process
    finally:
        if process.returncode is None:
            await kill(process)


async def kill(process: Process) -> None:
    process.kill()
    await process.wait()


async def printed(process: Process, lines: int) -> list[str]:
    assert process.stdout is not None
    return [(await process.stdout.readline()).decode().strip() for _ in range(lines)]


@pytest.fixture
def filename(tmp_path: Path) -> str:
    return str(tmp_path / "cloud.db")


async def test_two_processes_that_make_vms_at_once_disturb_neither_each_other_nor_the_table(
    filename: str,
) -> None:
    async with (
        client("create", 100, filename=filename) as one,
        client("create", 100, filename=filename) as two,
    ):
        ids = {id_ for ids in await asyncio.gather(printed(one, 100), printed(two, 100)) for id_ in ids}
        assert [await one.wait(), await two.wait()] == [0, 0]
    async with dummy(filename=filename) as provider:
        listed = (await provider.list_vms(POOL)).vms
    assert {vm.provider_id for vm in listed} == ids
    assert len({vm.ip for vm in listed}) == 200


async def test_a_process_sees_at_once_what_another_did(filename: str) -> None:
    async with dummy(filename=filename) as provider:
        async with client("create", 1, filename=filename) as maker:
            [made] = await printed(maker, 1)
            await maker.wait()
        [vm] = (await provider.list_vms(POOL)).vms
        assert vm.provider_id == made
        async with client("destroy", made, filename=filename) as destroyer:
            assert await destroyer.wait() == 0
        assert (await provider.list_vms(POOL)).vms == ()


async def test_every_vm_that_was_told_is_there_when_its_maker_is_killed_among_its_work(filename: str) -> None:
    async with client("create", 100_000, filename=filename) as maker:
        told = await printed(maker, 30)
        await kill(maker)
        assert maker.stdout is not None
        rest = (await maker.stdout.read()).decode()
    told += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    cloud = CloudFile(Path(filename))
    assert {id_.strip() for id_ in told} <= {vm["id"] for vm in cloud.vms()}
    assert cloud.damage() == "ok"


async def test_a_clone_goes_on_when_its_maker_is_killed(filename: str) -> None:
    slow: dict[str, Any] = {"filename": filename, "createvm_max_time": HOUR, "seed": 1}
    async with client("create", 2, **slow) as maker:
        [first, _] = await printed(maker, 2)
        await kill(maker)
    async with dummy(**slow) as provider:
        [cloning, _] = (await provider.list_vms(POOL)).vms
        assert (cloning.provider_id, cloning.status) == (first, VmStatus.CLONING)
        CloudFile(Path(filename)).change(first, clone_ends_at=0, ready_at=0)
        assert (await provider.inspect(POOL, ref(cloning))).status is VmStatus.RUNNING


async def test_a_destroy_whose_process_is_killed_is_ended_by_the_next(filename: str) -> None:
    async with client("create", 1, filename=filename) as maker:
        [made] = await printed(maker, 1)
        await maker.wait()
    cloud = CloudFile(Path(filename))
    async with client("destroy", made, filename=filename, destroyvm_max_time=HOUR, seed=1) as destroyer:
        while cloud.vm(made)["powered_on"]:  # noqa: ASYNC110 - the file tells nobody when it changes
            await asyncio.sleep(0.01)
        await kill(destroyer)
    async with dummy(filename=filename) as provider:
        vm = VmRef(name="vm", attempt="", provider_id=made)
        assert (await provider.inspect(POOL, vm)).status is VmStatus.OFF
        await provider.destroy(POOL, vm)
    assert cloud.vms() == []


async def test_a_process_that_fails_without_closing_its_provider_ends(filename: str) -> None:
    async with client("fail", "as the test wishes", filename=filename) as process:
        assert await process.wait() == 1
