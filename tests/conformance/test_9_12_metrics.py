"""Section 9.12 of the checklist: metrics, by the names that statsd and Graphite know.

Item 275 doesn't apply: the path label of HTTP metrics is the template of the route.
"""

import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.support.failing_backend import UnreachableBackend

USAGE = {"usage_stats": True}
MATRIX = "https://ci.example.com/job/stream_project_some_job_main/OS=el9,RMM_COMPONENT_TO_TEST_NAME=agent/7/"
GOOD = {"X-AUTH-TOKEN": "good"}


async def tag(api: Api, vm: str, url: str) -> None:
    """Say which build a VM is used for."""
    tags = {"tags": {"jenkins_build_url": url}}
    assert (await api.client.put(f"/api/v3/vm/{vm}", json=tags, headers=GOOD)).status_code == 200


async def test_268_a_checkout_is_counted_for_each_vm(api: Api) -> None:
    """[C] Given a checkout of pool1, then `checkout.success.pool1` is counted once per VM."""
    await api.fleet.ready("pool1", "one", "two", "three")
    await api.client.post("/api/v3/vm", json={"pool1": 1, "poolone": 2})
    assert api.counted() == {"checkout.success.pool1": 3}


@pytest.mark.parametrize("name", ["pool1", "poolone"])
async def test_269_an_empty_pool_is_counted_by_the_name_that_was_asked_for(api: Api, name: str) -> None:
    """[C] Given an empty pool, then `checkout.empty.<requested name>`."""
    await api.client.post(f"/api/v3/vm/{name}")
    assert api.counted() == {f"checkout.empty.{name}": 1}


@pytest.mark.parametrize("body", ['{"nope": 1}', '{"pool1": 1, "nope": 1}', "", "{}", "{bad"])
async def test_270_an_unknown_pool_is_counted_as_unknown(api: Api, body: str) -> None:
    """[C] Given an unknown pool, then `checkout.invalid.<name>`; empty body, then
    `checkout.invalid.unknown`.

    Better than 3.9.1: what isn't configured has no label of its own.
    """
    await api.client.post("/api/v3/vm", content=body)
    assert api.counted() == {"checkout.invalid.unknown": 1}


async def test_271_a_return_is_counted(api: Api) -> None:
    """[C] Given a DELETE, then `delete.success`."""
    await api.fleet.running("pool1", "one")
    for _ in range(2):
        await api.client.delete("/api/v3/vm/one")
    assert api.counted() == {"delete.success": 1, "delete.failed": 1}


async def test_272_with_usage_statistics_a_checkout_is_counted_by_user(with_api: WithApi) -> None:
    """[C] Given usage statistics on, and a VM of pool `pool.3` without user, when checkout, then
    `user.unauthenticated.allocate.pool_3`.
    """
    async with with_api(pools={"pool.3": 1}, config=USAGE) as api:
        await api.fleet.ready("pool.3", "one")
        await api.client.post("/api/v3/vm/pool.3")
        assert api.counted() == {
            "checkout.success.pool_3": 1,
            "user.unauthenticated.allocate.pool_3": 1,
        }


async def test_273_a_return_from_a_litmus_build_is_counted_by_user(with_api: WithApi) -> None:
    """[C] Given a build URL containing `litmus`, when deleted, then
    `usage_litmus.<user>.destroy.<pool>`.
    """
    async with with_api(auth="dummy", config=USAGE) as api:
        await api.fleet.token("good", "a.user")
        await api.fleet.running("pool1", "one", token="good")
        await tag(api, "one", "https://ci.example.com/job/litmus_a_b/x/")
        await api.client.delete("/api/v3/vm/one", headers=GOOD)
        assert api.counted() == {
            "delete.success": 1,
            "user.a_user.destroy.pool1": 1,
            "usage_litmus.a_user.destroy.pool1": 1,
        }


async def test_274_a_return_from_a_matrix_build_is_counted_by_what_its_url_says(with_api: WithApi) -> None:
    """[C] Given a Jenkins matrix URL, then the three usage counters with instance, value stream,
    branch, project, job and component.
    """
    async with with_api(config=USAGE) as api:
        await api.fleet.running("pool1", "one")
        await tag(api, "one", MATRIX)
        await api.client.delete("/api/v3/vm/one")
        assert api.counted() == {
            "delete.success": 1,
            "user.unauthenticated.destroy.pool1": 1,
            "usage_jenkins_instance.ci_example_com.stream.destroy.pool1": 1,
            "usage_branch_project.main.project.destroy.pool1": 1,
            "usage_job_component.some_job.agent.destroy.pool1": 1,
        }


async def test_276_no_token_is_in_a_path_label(secured_api: Api) -> None:
    """[C] Given a request to `/api/v3/token/abc`, then the path label does not contain the token."""
    await secured_api.client.get("/api/v3/token/some-secret-token")
    shown = (await secured_api.client.get("/prometheus")).text
    assert 'path="/api/v3/token/{token}"' in shown
    assert "some-secret-token" not in shown


async def test_277_unknown_paths_and_names_make_no_new_series(api: Api) -> None:
    """[H] Given unknown paths or pool names, then label cardinality stays bounded."""

    async def ask_for(what: str) -> int:
        await api.client.get(f"/{what}")
        await api.client.post(f"/api/v3/vm/{what}")
        await api.client.post("/api/v3/vm", json={what: 1})
        await api.client.delete(f"/api/v3/vm/{what}")
        await api.client.post("/api/v3/ondemandvm", json={what: 1})
        await api.client.get(f"/api/v3/summary/boot/{what}")
        await api.client.request(what.upper(), "/api/v3/status")
        return len((await api.client.get("/prometheus")).text.splitlines())

    await ask_for("first")
    series = await ask_for("second")
    assert [await ask_for(what) for what in ("third", "fourth", "fifth")] == [series] * 3


async def test_278_a_failing_backend_changes_no_answer(with_api: WithApi) -> None:
    """[C] Given a failing metrics backend, then requests are unaffected."""
    backend = UnreachableBackend()
    async with with_api(backend=backend, config=USAGE) as api:
        await api.fleet.ready("pool1", "one")
        taken = await api.client.post("/api/v3/vm/pool1")
        returned = await api.client.delete("/api/v3/vm/one")
        unknown = await api.client.get("/nope")
    assert [answer.status_code for answer in (taken, returned, unknown)] == [200, 200, 404]
    assert taken.json()["pool1"]["hostname"] == "one.example.test"
    assert backend.asked > 5
