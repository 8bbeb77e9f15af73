"""VMs that are moved to better hosts soon after their checkout."""

import pytest

from tests.manager.running_manager import RunningManager
from tests.manager.site import Site
from tests.support.eventually import eventually

MOVES = {"migratevm_couldmove_percent": 100}


async def test_a_vm_is_moved_once_soon_after_its_checkout(site: Site) -> None:
    manager = await site.start({"debian": 1}, provider=MOVES, migration_limit=2)
    await site.ready("debian", 1)
    [name] = await site.take("debian")

    async def moved() -> bool:
        record, _ = await site.store.checkouts.look_up(name)
        assert record is not None
        return record.is_migrated and record.host == "HOST2"

    await eventually(moved)
    assert site.row(name)["moves"] == 1
    assert manager.metric("migrations_total", source="HOST1", target="HOST2") == 1


@pytest.mark.parametrize(
    ("limit", "cloud"), [(0, MOVES), (2, {}), (2, MOVES | {"migratevm_fail_percent": 100})]
)
async def test_a_vm_that_is_not_moved_stays_with_its_user(
    site: Site, limit: int, cloud: dict[str, int]
) -> None:
    manager = await site.start({"debian": 1}, provider=cloud, migration_limit=limit)
    await site.ready("debian", 1)
    [name] = await site.take("debian")
    await eventually(lambda: _is_noted(manager, "migrate" if limit else "annotate"))
    await site.release(name)
    await site.becomes(name, "gone")
    assert not manager.metric("migrations_total")


async def _is_noted(manager: RunningManager, call: str) -> bool:
    return manager.calls(call) == 1
