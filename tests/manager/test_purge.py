"""Places that no pool uses any more: what is left there is destroyed with care, where that is wanted."""

import pytest
from structlog.testing import capture_logs

from tests.manager.site import OFTEN, Site
from tests.support.eventually import eventually

POOLS = {"debian": 1}


@pytest.fixture
async def orphan(site: Site) -> str:
    """Leave an orphan in a folder that no pool uses, and nothing else of its pool."""
    await site.start({"debian": 1, "old": {"size": 1, "folder": "Attic"}})
    [name] = await site.ready("old", 1)
    await site.stop()
    keys = [f"{site.prefix}:vm:{name}", f"{site.prefix}:ready:old"]
    for command in (("DEL", *keys), ("HDEL", f"{site.prefix}:pools", "old")):
        await site.store.connection.call(command)
    return name


async def test_an_orphan_at_a_place_that_no_pool_uses_is_destroyed(site: Site, orphan: str) -> None:
    row = site.row(orphan)
    site.put_back(row | {"number": 1000, "id": "theirs", "name": "mail-server", "tag_installation": "other"})
    config = {"purge_unconfigured_resources": True, "purge_interval": 2.5}
    manager = await site.start(POOLS, listing=OFTEN, **config)

    async def only_theirs_is_left() -> bool:
        return {row["name"] for row in site.cloud.vms() if row["place"] == "Attic"} == {"mail-server"}

    await eventually(only_theirs_is_left)
    assert await site.state(orphan) == "gone"
    assert await site.reason(orphan) == "orphan"
    assert manager.metric("provider_unused_places", provider="dummy") == 1
    await site.settled(debian=1)


@pytest.mark.parametrize(
    ("config", "provider"),
    [({"purge_dry_run": True}, {}), ({}, {"resources_allowlist": ["Attic"]})],
)
async def test_a_dry_run_and_the_list_of_allowed_places_spare_it(
    site: Site, orphan: str, config: dict[str, bool], provider: dict[str, list[str]]
) -> None:
    wanted = {"purge_unconfigured_resources": True, "purge_interval": 0.2} | config
    with capture_logs() as logs:
        manager = await site.start(POOLS, provider=provider, **wanted)
        looks = 2.5 / 0.2  # more than `create_grace`, after which an orphan may be adopted

        async def looked_often() -> bool:
            return manager.calls("unreferenced") >= looks

        await eventually(looked_often)
    assert orphan in site.in_cloud()
    unused = [line for line in logs if line["event"] == "place.unused"]
    assert [line["place"] for line in unused] == (["Attic"] if config else [])


async def test_nothing_is_looked_for_unless_it_is_wanted(site: Site, orphan: str) -> None:
    manager = await site.start(POOLS, purge_interval=0.1)
    await site.settled(debian=1)
    assert manager.calls("unreferenced") == 0
    assert orphan in site.in_cloud()
