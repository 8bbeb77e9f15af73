"""Refusals of checkouts, on-demand requests and VM routes say why, and others stay as they were."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.api.queueing import Queue
from tests.support.eventually import eventually
from tests.support.refusals import refusal_of
from vmpooler_common.model.problem import Problem, ProblemKind

VMS, DEMAND = "/api/v3/vm", "/api/v3/ondemandvm"
GOOD, BAD, BOBS = ({"X-AUTH-TOKEN": token} for token in ("good", "bad", "bobs"))


async def refused(api: Api, method: str, path: str, **arguments: Any) -> str:
    """Give the message of a refusal."""
    answer = await api.client.request(method, path, **arguments)
    assert answer.status_code >= 400
    return str(answer.json()["message"])


@pytest.mark.parametrize(
    ("method", "path", "arguments"),
    [
        ("POST", f"{VMS}/pol1", {}),
        ("POST", VMS, {"json": {"Pool1": 1}}),
        ("POST", f"{VMS}/pool1+pool-1", {}),
        ("POST", DEMAND, {"json": {"pool11": 1}}),
        ("POST", f"{DEMAND}/poool1", {}),
    ],
)
async def test_a_typo_names_the_nearest_pool(
    api: Api, method: str, path: str, arguments: dict[str, Any]
) -> None:
    assert "did you mean 'pool1'?" in await refused(api, method, path, **arguments)


async def test_what_is_like_nothing_is_only_called_unknown(api: Api) -> None:
    told = await refused(api, "POST", f"{VMS}/{'x' * 2000}")
    assert told == f"'{'x' * 100}' is neither a pool nor an alias"


@pytest.mark.parametrize("body", ["", "{}"])
async def test_a_request_for_nothing_says_so(api: Api, body: str) -> None:
    assert await refused(api, "POST", VMS, content=body) == "no pool or alias is named"


async def test_a_pool_of_size_0_points_at_requests(api: Api) -> None:
    assert f"POST {DEMAND}" in await refused(api, "POST", f"{VMS}/pool3")


async def test_a_broken_a_paused_and_an_empty_pool_say_so(with_api: WithApi) -> None:
    pools: dict[str, Any] = {name: {"size": 2} for name in ("broken", "paused", "failing", "empty")}
    pools["still"] = {"size": 1, "paused": True}
    async with with_api(pools=pools, config={"experimental_features": True}) as api:
        await api.fleet.store.views.mark_broken("broken", "no template")
        pause = await api.client.post("/api/v3/pool/paused/pause", json={"reason": "upgrade"})
        assert pause.status_code == 201
        problem = Problem(ProblemKind.CLONES, "no disk", since=datetime.now(UTC))
        await api.fleet.store.views.mark_problem("failing", problem)
        told = {name: await refused(api, "POST", f"{VMS}/{name}") for name in pools}
        assert "no template" in told["broken"]
        assert "upgrade" in told["paused"]
        assert "its clones fail: no disk" in told["failing"]
        assert "0 of 1 VM ready" in told["empty"]
        assert "paused" in told["still"]
        answer = await api.client.post(f"{VMS}/empty")
        assert "Retry-After" not in answer.headers


@pytest.mark.parametrize("wait", ["", "?wait=30"])
async def test_a_wrong_token_is_told(secured_api: Api, wait: str) -> None:
    assert "isn't known" in await refused(secured_api, "POST", f"{VMS}/pool1{wait}", headers=BAD)


async def test_a_broken_pool_answers_who_begins_to_wait_at_once(api: Api) -> None:
    await api.fleet.store.views.mark_broken("pool1", "no template")
    assert "no template" in await refused(api, "POST", f"{VMS}/pool1?wait=45")
    assert await Queue(api).places() == 0


async def test_a_pool_that_breaks_answers_all_who_wait(api: Api) -> None:
    queue = Queue(api)
    tasks = [await queue.join("pool1") for _ in range(3)]
    alias = await queue.join("both")
    await api.fleet.store.views.mark_broken("pool1", "no template")

    async def are_answered() -> bool:
        return all(task.done() for task in tasks)

    await eventually(are_answered)
    assert {task.result().status_code for task in tasks} == {503}
    assert "no template" in tasks[0].result().json()["message"]
    assert not alias.done(), "another pool of the alias works"
    await api.fleet.ready("pool2", "a")
    assert (await alias).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "part"),
    [
        ("GET", f"{VMS}/nothing", {}, 404, "nothing is known of a VM nothing"),
        ("DELETE", f"{VMS}/nothing", {}, 404, "no running VM is called nothing"),
        ("DELETE", f"{VMS}/mine", {}, 401, "taken with a token"),
        ("DELETE", f"{VMS}/mine", BOBS, 403, "another user"),
        ("PUT", f"{VMS}/nothing", {}, 404, "no running VM is called nothing"),
        ("PUT", f"{VMS}/mine", BOBS, 403, "another user"),
        ("POST", f"{VMS}/mine/disk/8", {}, 401, "X-AUTH-TOKEN"),
        ("POST", f"{VMS}/mine/snapshot", BOBS, 403, "another user"),
        ("POST", f"{VMS}/mine/snapshot/x", GOOD, 404, "no such snapshot"),
        ("POST", f"{DEMAND}/pool1", {}, 401, "X-AUTH-TOKEN"),
        ("POST", f"{DEMAND}/pool1", BAD, 401, "isn't known"),
        ("DELETE", f"{DEMAND}/r", {}, 401, "X-AUTH-TOKEN"),
        ("DELETE", f"{DEMAND}/r", GOOD, 404, "no request found"),
    ],
)
async def test_the_refusals_of_vms_and_requests_say_why(
    secured_api: Api, method: str, path: str, headers: dict[str, str], status: int, part: str
) -> None:
    await secured_api.fleet.running("pool1", "mine", token="good")
    await secured_api.fleet.token("bobs", "bob")
    answer = await secured_api.client.request(method, path, headers=headers, json={"lifetime": 3})
    assert part in answer.json()["message"]
    assert refusal_of(answer) == (status, {"ok": False})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v3/nothing", 404),
        ("DELETE", VMS, 404),
        ("GET", "/api/v3/summary/nothing", 404),
        ("POST", "/api/v3/config/poolsize", 401),
        ("GET", "/api/v3/full_config", 401),
        ("GET", "/api/v3/token/nothing", 404),
        ("GET", "/api/v3/token", 401),
    ],
)
async def test_other_refusals_keep_the_bare_form(
    secured_api: Api, method: str, path: str, status: int
) -> None:
    answer = await secured_api.client.request(method, path)
    assert (answer.status_code, answer.json()) == (status, {"ok": False})
