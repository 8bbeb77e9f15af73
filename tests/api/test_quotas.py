"""What users, groups, admins and addresses may have at once, as they are told."""

from typing import Any

import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api

ALICE, CI, ROOT = ({"X-AUTH-TOKEN": f"{name}s"} for name in ("alice", "ci", "root"))
LIMITS = {
    "running_vms": 2,
    "ondemand_vms": 3,
    "disk_gigabytes": 10,
    "groups": [{"users": ["ci"], "running_vms": 4, "waiting_checkouts": 1}],
}


def limited(with_api: WithApi, limits: dict[str, Any] | None = None) -> Any:
    return with_api(auth="dummy", config={"admins": ["root"]}, sections={"limits": limits or LIMITS})


async def tokens(api: Api) -> None:
    for user in ("alice", "ci", "root"):
        await api.fleet.token(f"{user}s", user)
    await api.fleet.ready("pool1", *(f"vm{number}" for number in range(9)))


async def test_a_user_over_the_limit_is_told_what_is_held_and_allowed(with_api: WithApi) -> None:
    async with limited(with_api) as api:
        await tokens(api)
        assert (await api.client.post("/api/v3/vm/pool1+pool1", headers=ALICE)).status_code == 200
        answer = await api.client.post("/api/v3/vm/pool1?wait=30", headers=ALICE)
        assert answer.status_code == 403
        assert answer.json()["ok"] is False
        assert "you have 2 VMs that run or are on order, and would have 3; 2 are allowed" in answer.text
        ordered = await api.client.post("/api/v3/ondemandvm", json={"pool1": 1}, headers=ALICE)
        assert ordered.status_code == 403
        assert api.metric("quota_refusals_total", limit="running_vms") == 2
        assert (await api.client.post("/api/v3/vm/pool1")).status_code == 200


async def test_a_group_has_its_own_numbers_and_admins_have_none(with_api: WithApi) -> None:
    async with limited(with_api) as api:
        await tokens(api)
        assert (await api.client.post("/api/v3/vm/pool1+pool1+pool1+pool1", headers=CI)).status_code == 200
        before = api.metric("redis_round_trips_total")
        assert "4 are allowed" in (await api.client.post("/api/v3/vm/pool1", headers=CI)).text
        assert api.metric("redis_round_trips_total") == before + 1
        assert (await api.client.post("/api/v3/vm/pool1+pool1+pool1+pool1", headers=ROOT)).status_code == 200


async def test_disks_are_limited_on_both_ways(with_api: WithApi) -> None:
    async with limited(with_api) as api:
        await tokens(api)
        await api.fleet.running("pool2", "mine", token="alices")
        assert (await api.client.post("/api/v3/vm/mine/disk/8", headers=ALICE)).status_code == 202
        for answer in (
            await api.client.post("/api/v3/vm/mine/disk/8", headers=ALICE),
            await api.client.put("/api/v3/vm/mine", json={"disk": "8"}, headers=ALICE),
        ):
            assert answer.status_code == 403
            assert "8 GB of disks, and would have 16; 10 are allowed (limits.disk_gigabytes)" in answer.text


async def test_without_authentication_what_is_to_come_is_limited_for_all_together(with_api: WithApi) -> None:
    async with with_api(sections={"limits": {"anonymous_ondemand_vms": 3, "running_vms": 1}}) as api:
        assert (await api.client.post("/api/v3/ondemandvm", json={"pool1": 2})).status_code == 201
        answer = await api.client.post("/api/v3/ondemandvm", json={"pool1": 2})
        assert answer.status_code == 403
        assert "3 are allowed (limits.anonymous_ondemand_vms)" in answer.json()["message"]


async def test_addresses_are_limited_only_where_that_is_configured(with_api: WithApi) -> None:
    async with with_api(sections={"limits": {"by_address": {"running_vms": 1}}}) as api:
        await api.fleet.ready("pool1", "a", "b")
        assert (await api.client.post("/api/v3/vm/pool1")).status_code == 200
        answer = await api.client.post("/api/v3/vm/pool1")
        assert (answer.status_code, "1 are allowed" in answer.text) == (403, True)


async def test_a_client_with_too_many_requests_that_are_over_is_told_when_to_ask_again(
    with_api: WithApi,
) -> None:
    async with with_api() as api:
        now = await api.fleet.server_ms()
        key = f"{api.fleet.prefix}:finished:a:127.0.0.1"
        await api.fleet.client.zadd(key, {f"r{number}": now for number in range(1000)})
        answer = await api.client.post("/api/v3/ondemandvm", json={"pool1": 1})
        assert answer.status_code == 429
        assert 3590 <= int(answer.headers["Retry-After"]) <= 3600
        assert "over in the last hour" in answer.json()["message"]


@pytest.mark.parametrize(
    "groups",
    [
        "ci",
        [5],
        [{}],
        [{"users": []}],
        [{"users": ["ci"], "running": 5}],
        [{"users": ["ci"], "running_vms": -1}],
        [{"users": ["ci"], "running_vms": "many"}],
    ],
)
async def test_groups_that_make_no_sense_are_refused(with_api: WithApi, groups: Any) -> None:
    with pytest.raises(Exception, match="groups"):
        async with limited(with_api, {"groups": groups}):
            pass
