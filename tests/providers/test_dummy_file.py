"""The file of the dummy provider: which one is used, whose files are left alone, and who else may have it."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.providers.cloud_file import CloudFile
from tests.providers.dummies import POOL, dummy
from vmpooler_manager.providers.dummy.database import BUSY_TIMEOUT
from vmpooler_manager.providers.dummy.provider import DummyProvider
from vmpooler_manager.providers.errors import NotFound, PermanentError, TransientError
from vmpooler_manager.providers.testing import unmeasured
from vmpooler_manager.providers.testing.subject import new_tag, new_task, ref

OLD_FILE = "---\ndebian-7-i386:\n- name: odd-duck\n  hostname: odd-duck\n"


async def test_without_a_file_it_is_said_that_the_vms_are_in_memory() -> None:
    with capture_logs() as logs:
        async with dummy():
            pass
    assert [log["provider"] for log in logs if "in memory" in log.get("message", "")] == ["dummy"]


async def test_with_a_file_nothing_is_said(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with dummy(filename=tmp_path / "cloud.db"):
            pass
    assert logs == []


async def test_vms_outlive_the_provider(tmp_path: Path) -> None:
    tag = new_tag(POOL)
    async with dummy(filename=tmp_path / "cloud.db") as provider:
        made = await provider.create(POOL, tag)
    async with dummy(filename=tmp_path / "cloud.db") as provider:
        assert await provider.find(POOL, tag.clone) == made


async def test_an_id_and_an_address_are_not_used_again_after_a_restart(tmp_path: Path) -> None:
    seen = []
    for _ in range(3):
        async with dummy(filename=tmp_path / "cloud.db", seed=1) as provider:
            vm = await provider.create(POOL, new_tag(POOL))
            await provider.destroy(POOL, ref(vm))
            seen.append(vm)
    assert len({vm.provider_id for vm in seen}) == 3
    assert len({vm.ip for vm in seen}) == 3


async def test_an_empty_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "cloud.db").touch()
    async with dummy(filename=tmp_path / "cloud.db") as provider:
        await provider.create(POOL, new_tag(POOL))
    assert len(CloudFile(tmp_path / "cloud.db").vms()) == 1


async def test_the_file_of_an_old_vmpooler_is_left_alone_and_a_database_made_beside_it(
    tmp_path: Path,
) -> None:
    old = tmp_path / "dummy-backing.yaml"
    old.write_text(OLD_FILE)
    with capture_logs() as logs:
        async with dummy(filename=str(old)) as provider:
            await provider.create(POOL, new_tag(POOL))
    assert old.read_text() == OLD_FILE
    assert len(CloudFile(tmp_path / "dummy-backing.yaml.sqlite3").vms()) == 1
    assert [log["database"] for log in logs if log["log_level"] == "warning"] == [f"{old}.sqlite3"]


async def test_the_database_beside_an_old_file_stays_in_use_when_the_old_file_is_removed(
    tmp_path: Path,
) -> None:
    old = tmp_path / "dummy-backing.yaml"
    old.write_text(OLD_FILE)
    async with dummy(filename=old) as provider:
        await provider.create(POOL, new_tag(POOL))
    old.unlink()
    async with dummy(filename=old) as provider:
        assert len((await provider.list_vms(POOL)).vms) == 1


async def test_any_other_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("Buy milk.\n")
    with pytest.raises(PermanentError, match=r"notes\.txt holds something else: .* was expected"):
        async with dummy(filename=notes):
            pass
    assert notes.read_text() == "Buy milk.\n"


async def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(PermanentError, match="another program"):
        async with dummy(filename=path):
            pass
    assert path.read_bytes() == before


async def test_a_table_of_an_earlier_version_is_completed_and_keeps_its_vms(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    async with dummy(filename=path) as provider:
        vm = await provider.create(POOL, new_tag(POOL))
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("DROP TABLE task")
        database.execute("ALTER TABLE vm DROP COLUMN clone_target")
        for column in ("clone_failure", "hostname", "moves"):
            database.execute(f"ALTER TABLE vm DROP COLUMN {column}")
        database.execute("PRAGMA user_version = 1")
    async with dummy(filename=path) as provider:
        await provider.add_disk(POOL, ref(vm), task=new_task(), size=3)
        assert await provider.disks(ref(vm)) == [3]
        await provider.create(replace(POOL, options={"clone_target": "cluster"}), new_tag(POOL))
    assert [row["clone_target"] for row in CloudFile(path).vms()] == [None, "cluster"]


async def test_a_table_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    async with dummy(filename=path):
        pass
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(PermanentError, match="schema 99, this vmpooler knows 4"):
        async with dummy(filename=path):
            pass


@pytest.mark.parametrize("name", ["missing/cloud.db", "."])
async def test_a_file_that_can_not_be_made_is_a_permanent_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(PermanentError, match="dummy cloud: can't"):
        async with dummy(filename=tmp_path / name):
            pass


async def test_a_damaged_file_is_a_permanent_error(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    path.write_bytes(b"SQLite format 3\x00" + b"\x5a" * 5000)
    with pytest.raises(PermanentError, match="can't use"):
        async with dummy(filename=path):
            pass


async def test_a_table_that_somebody_keeps_busy_is_a_transient_error(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    async with dummy(filename=path) as provider:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            with pytest.raises(TransientError, match="locked"):
                await provider.create(POOL, new_tag(POOL))
            assert (await provider.list_vms(POOL)).vms == ()
        assert await provider.create(POOL, new_tag(POOL))


async def test_somebody_who_reads_the_table_keeps_nobody_from_writing(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    async with dummy(filename=path) as provider:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("BEGIN")
            database.execute("SELECT count(*) FROM vm").fetchone()
            assert await provider.create(POOL, new_tag(POOL))


async def test_opening_waits_for_another_process_that_is_making_the_table(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    provider = DummyProvider("dummy", {"filename": str(path)}, unmeasured())
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        opening = asyncio.create_task(provider.open())
        done, _ = await asyncio.wait([opening], timeout=BUSY_TIMEOUT + 0.5)
        assert not done
    await opening
    assert (await provider.list_vms(POOL)).vms == ()
    await provider.close()


async def test_many_providers_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"

    async def create() -> None:
        async with dummy(filename=path) as provider:
            await provider.create(POOL, new_tag(POOL))

    await asyncio.gather(*(create() for _ in range(8)))
    assert len(CloudFile(path).vms()) == 8


async def test_a_vm_removed_behind_everybodys_back_is_not_found(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    async with dummy(filename=path) as provider:
        vm = await provider.create(POOL, new_tag(POOL))
        CloudFile(path).remove(vm.provider_id)
        with pytest.raises(NotFound):
            await provider.inspect(POOL, ref(vm))


async def test_a_provider_that_was_not_opened_says_so() -> None:
    provider = DummyProvider("unopened", {}, unmeasured())
    with pytest.raises(PermanentError, match="'unopened' was not opened"):
        await provider.list_vms(POOL)
