"""What operators do to a pool or a provider while it works: explain, pause, resume, resume deletion."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from vmpooler_common.model.problem import Problem, ProblemKind
from vmpooler_common.model.vm import Guard, VmState
from vmpooler_common.store.retirement.retirement import Condition

PAUSE, EXPLAIN = "/api/v3/pool/pool1/pause", "/api/v3/pool/pool1/explain"
ROOT, ALICE = {"X-AUTH-TOKEN": "roots"}, {"X-AUTH-TOKEN": "alices"}
WHY = {"reason": "its template is being rebuilt"}
SINCE = datetime(2026, 5, 18, 12, tzinfo=UTC)


async def explained(api: Api, pool: str = "pool1") -> dict[str, Any]:
    answer = await api.client.get(f"/api/v3/pool/{pool}/explain")
    assert answer.status_code == 200
    content: dict[str, Any] = answer.json()
    return content


async def test_an_admin_pauses_a_pool_and_lets_it_work_again(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"admins": ["root"]}) as api:
        await api.fleet.token("roots", "root")
        await api.fleet.ready("pool1", "a")
        with capture_logs() as logs:
            first = await api.client.post(PAUSE, json=WHY, headers=ROOT)
            again = await api.client.post(PAUSE, json={"reason": "something else"}, headers=ROOT)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["since"] == again.json()["since"]
        assert [(one["event"], one["user"]) for one in logs] == [("pool.paused", "root")]
        assert (await api.client.post("/api/v3/vm/pool1", headers=ROOT)).status_code == 503
        pool = (await api.client.get("/api/v3/status")).json()["pools"]["pool1"]
        assert (pool["paused"], pool["pause"]["reason"]) == (True, "something else")
        told = await explained(api)
        assert not told["can_hand_out"]
        assert "An operator has paused it since" in told["summary"][0]
        assert "something else" in told["summary"][0]
        assert (await api.client.delete(PAUSE, headers=ROOT)).status_code == 201
        assert (await api.client.delete(PAUSE, headers=ROOT)).status_code == 200
        assert (await api.client.post("/api/v3/vm/pool1", headers=ROOT)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), ({"X-AUTH-TOKEN": "wrong"}, 401), (ALICE, 403)], ids=str
)
@pytest.mark.parametrize("path", [PAUSE, "/api/v3/pool/none/pause", "/api/v3/provider/x/resume-deletion"])
async def test_nobody_but_an_admin_may_and_is_told_what_exists(
    with_api: WithApi, path: str, headers: dict[str, str], status: int
) -> None:
    async with with_api(auth="dummy", config={"admins": ["root"]}) as api:
        await api.fleet.token("alices", "alice")
        assert (await api.client.post(path, json={}, headers=headers)).status_code == status


async def test_without_authentication_it_takes_the_switch_for_changes(with_api: WithApi, api: Api) -> None:
    assert (await api.client.post(PAUSE, json=WHY)).status_code == 405
    async with with_api(config={"experimental_features": True}) as open_api:
        assert (await open_api.client.post(PAUSE, json=WHY)).status_code == 201


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"reason": ""}', b'{"reason": 5}', b'{"reason": "a\\nb"}', b"x" * 20_000]
)
async def test_a_pause_needs_a_reason(with_api: WithApi, body: bytes) -> None:
    async with with_api(config={"experimental_features": True}) as api:
        answer = await api.client.post(PAUSE, content=body)
        assert answer.status_code == 400
        assert answer.json()["error"]
        assert (await explained(api))["paused"] is False


async def test_an_unknown_pool_or_provider_is_404(with_api: WithApi) -> None:
    async with with_api(config={"experimental_features": True}) as api:
        client = api.client
        assert (await client.get("/api/v3/pool/none/explain")).status_code == 404
        assert (await client.post("/api/v3/pool/none/pause", json=WHY)).status_code == 404
        assert (await client.delete("/api/v3/pool/none/pause")).status_code == 404
        assert (await client.post("/api/v3/provider/none/resume-deletion")).status_code == 404


async def test_deletion_is_resumed_at_a_provider(with_api: WithApi) -> None:
    async with with_api(config={"experimental_features": True}) as api:
        fleet = api.fleet
        await fleet.suspect("pool1", "a", "b")
        for vm in ("b", "a"):  # more vanish than the bound allows: deletion is paused
            await fleet.store.retirement.retire(
                vm, VmState.READY, operation=vm, reason="vanished", condition=Condition(Guard.UNSEEN, 1)
            )
        await fleet.managed("pool1", "pool2", "pool3")
        content = (await api.client.get("/api/v3/status")).json()
        assert content["providers"]["dummy"]["state"] == "deletion paused"
        command = "vmpooler-manager --resume-deletion dummy"
        assert content["providers"]["dummy"]["release_command"] == command
        assert any(sentence.startswith("Destroying at dummy is paused") for sentence in content["verdict"])
        assert any(command in sentence for sentence in (await explained(api))["summary"])
        answer = await api.client.post("/api/v3/provider/dummy/resume-deletion")
        assert answer.json() == {"ok": True, "released": 1}
        assert (await api.client.get("/api/v3/status")).json()["providers"] == {"dummy": {"state": "ok"}}


async def test_a_problem_is_told_with_when_it_began_and_is_tried_again(api: Api) -> None:
    problem = Problem(ProblemKind.CLONES, "no room at cluster-red", SINCE, SINCE + timedelta(minutes=1), 3)
    await api.fleet.store.views.mark_problem("pool1", problem)
    await api.fleet.managed("pool1", "pool2", "pool3")
    content = (await api.client.get("/api/v3/status")).json()
    assert content["pools"]["pool1"]["problem"] == {
        "kind": "clones",
        "text": "no room at cluster-red",
        "since": "2026-05-18T12:00:00+00:00",
        "next_try": "2026-05-18T12:01:00+00:00",
        "tries": 3,
    }
    assert content["verdict"] == ["2 of 3 pools need attention: 1 whose clones fail, 1 empty."]
    [manager] = content["managers"]
    assert manager["pools"] == 3
    assert manager["heartbeat"]
    told = await explained(api)
    failing = "Its clones fail since 2026-05-18T12:00:00Z, 3 times in a row: no room at cluster-red"
    assert failing in told["summary"]
    await api.fleet.store.views.mark_problem("pool1", None)
    assert "problem" not in (await explained(api))


async def test_a_pool_without_a_manager_says_so(api: Api) -> None:
    told = await explained(api)
    assert "manager" not in told
    assert told["summary"][0].startswith("No manager holds it")
    status = (await api.client.get("/api/v3/status")).json()
    assert "No manager is running: no VM is made or destroyed." in status["verdict"]
    assert status["providers"]["dummy"] == {"state": "failing", "reason": "no live manager can use it"}
