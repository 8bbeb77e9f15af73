"""Section 9.10 of the checklist: showing the configuration and changing pools."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from vmpooler_common.model.events import EventName
from vmpooler_common.model.overrides import CurrentOverrides

SIZE, TEMPLATE, TARGET = (f"/api/v3/config/{name}" for name in ("poolsize", "pooltemplate", "clonetarget"))
RESET = "/api/v3/poolreset"
POSTS = (SIZE, TEMPLATE, TARGET, RESET)
DELETES = tuple(f"{path}/pool1" for path in (SIZE, TEMPLATE, TARGET))
GOOD_VALUE: dict[str, Any] = {SIZE: 3, TEMPLATE: "a/b", TARGET: "cluster", RESET: 1}
CONFIGURED = "templates/pool1"
PLAIN = {"ok": False}
EXPERIMENTAL = {"experimental_features": True}


@pytest.fixture
async def changeable(with_api: WithApi) -> AsyncIterator[Api]:
    """Yield an API without authentication whose pools may be changed."""
    async with with_api(config=EXPERIMENTAL) as api:
        yield api


async def post(api: Api, path: str, body: Any, **arguments: Any) -> tuple[int, Any]:
    answer = await api.client.post(path, content=json.dumps(body), **arguments)
    return answer.status_code, answer.json()


async def delete(api: Api, path: str) -> tuple[int, list[tuple[str, Any]]]:
    """Give the status and the members in their order."""
    answer = await api.client.delete(path)
    return answer.status_code, list(answer.json().items())


async def current(api: Api) -> CurrentOverrides:
    return await api.fleet.store.overrides.current()


async def shown(api: Api, pool: str = "pool1") -> dict[str, Any]:
    report = (await api.client.get("/api/v3/config")).json()
    (found,) = [one for one in report["pool_configuration"] if one["name"] == pool]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("path", [*POSTS, *DELETES])
async def test_230_pools_can_not_be_changed_without_experimental_features(
    with_api: WithApi, path: str
) -> None:
    """[C] Given `experimental_features` off, when any of POST/DELETE `config/*` or POST `poolreset`,
    then 405 plain, even without token and with a broken body.
    """
    async with with_api(auth="dummy") as api:
        method = "POST" if path in POSTS else "DELETE"
        answer = await api.client.request(method, path, content="{bad")
    assert (answer.status_code, answer.json()) == (405, PLAIN)


@pytest.mark.parametrize("path", [*POSTS, *DELETES])
@pytest.mark.parametrize("headers", [{}, {"X-AUTH-TOKEN": "forged"}])
async def test_231_with_authentication_a_token_is_needed(
    with_api: WithApi, path: str, headers: dict[str, str]
) -> None:
    """[C] Given auth on and no token, then 401."""
    async with with_api(auth="dummy", config=EXPERIMENTAL) as api:
        method = "POST" if path in POSTS else "DELETE"
        answer = await api.client.request(method, path, json={"pool1": GOOD_VALUE.get(path)}, headers=headers)
        assert (answer.status_code, answer.json()) == (401, PLAIN)
        assert (await api.fleet.dataset()).events == []


async def test_232_a_size_is_set(changeable: Api) -> None:
    """[C] When POST `config/poolsize` `{"pool1":"2"}`, then 201 ok and the override hash has pool1 = 2."""
    assert await post(changeable, SIZE, {"pool1": "2"}) == (201, {"ok": True})
    assert (await current(changeable)).sizes == {"pool1": "2"}


async def test_233_the_status_tells_whether_any_size_is_another_one(changeable: Api) -> None:
    """[C] Given several pools changed, then 201; none changed, then 200; one of two changed, then 201."""
    assert await post(changeable, SIZE, {"pool1": 2, "pool2": 3}) == (201, {"ok": True})
    assert await post(changeable, SIZE, {"pool1": 2, "pool2": 3}) == (200, {"ok": True})
    assert await post(changeable, SIZE, {"pool1": 2, "pool2": 4}) == (201, {"ok": True})
    assert await post(changeable, SIZE, {}) == (200, {"ok": True})


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"pool10": 2}, ["pool10"]),
        ({"pool1": "four"}, ["pool1"]),
        ({"pool1": "-1"}, ["pool1"]),
        ({"pool10": "four"}, ["pool10"]),
    ],
)
async def test_234_pools_that_are_unknown_or_whose_size_is_wrong_are_listed(
    changeable: Api, body: dict[str, Any], refused: list[str]
) -> None:
    """[C] Given an unknown pool, then 400 `not_configured` = [pool]; "four" or "-1", then 400
    `not_configured` = [pool1].

    The contract lists a pool once for each rule that it breaks; here each stands once.
    """
    assert await post(changeable, SIZE, body) == (400, {"ok": False, "not_configured": refused})


async def test_235_one_bad_entry_keeps_all_others_from_being_set(changeable: Api) -> None:
    """[C] Given one bad entry among good ones, then nothing is changed."""
    assert (await post(changeable, SIZE, {"pool1": 2, "pool2": "x", "pool3": 1}))[0] == 400
    assert (await current(changeable)).sizes == {}


async def test_236_a_size_is_taken_back(changeable: Api) -> None:
    """[C] Given an override 2 on start-up size 5, when DELETE `config/poolsize/pool1`, then 201 with
    ok, pool_size_before_reset 2, pool_size_before_overrides 5, in this order.
    """
    await post(changeable, SIZE, {"pool1": 2})
    assert await delete(changeable, f"{SIZE}/pool1") == (
        201,
        [("ok", True), ("pool_size_before_reset", 2), ("pool_size_before_overrides", 5)],
    )
    assert (await shown(changeable))["size"] == 5


async def test_237_taking_back_what_was_not_set_changes_nothing(changeable: Api) -> None:
    """[C] Given no override, when DELETE, then 200 with both values 5; unknown pool, then 404 plain."""
    assert await delete(changeable, f"{SIZE}/pool1") == (
        200,
        [("ok", True), ("pool_size_before_reset", 5), ("pool_size_before_overrides", 5)],
    )
    assert await delete(changeable, f"{SIZE}/pool10") == (404, [("ok", False)])


async def test_238_a_template_is_set(changeable: Api) -> None:
    """[C] When POST `config/pooltemplate` `{"pool1":"templates/new_template"}`, then 201; same value
    again, then 200.
    """
    body = {"pool1": "templates/new_template"}
    assert await post(changeable, TEMPLATE, body) == (201, {"ok": True})
    assert await post(changeable, TEMPLATE, body) == (200, {"ok": True})
    assert (await current(changeable)).templates == body


@pytest.mark.parametrize("template", ["template", "/templates/a", "templates/a/"])
async def test_239_a_template_is_a_path_with_a_slash_in_it(changeable: Api, template: str) -> None:
    """[C] Given a template without `/`, with leading `/` or with trailing `/`, then 400 `bad_templates`
    = [pool1].
    """
    assert await post(changeable, TEMPLATE, {"pool1": template}) == (
        400,
        {"ok": False, "bad_templates": ["pool1"]},
    )


async def test_240_an_unknown_pool_keeps_all_templates_from_being_set(changeable: Api) -> None:
    """[C] Given a known and an unknown pool, then 400 `bad_templates` = [unknown] and nothing is
    changed.
    """
    body = {"pool1": "templates/a", "pool10": "templates/b"}
    assert await post(changeable, TEMPLATE, body) == (400, {"ok": False, "bad_templates": ["pool10"]})
    assert (await current(changeable)).templates == {}


async def test_241_a_template_is_taken_back(changeable: Api) -> None:
    """[C] Given an override, when DELETE `config/pooltemplate/pool1`, then 201 with
    template_before_reset (new) and template_before_overrides (original); no override, then 200;
    unknown, then 404.
    """
    await post(changeable, TEMPLATE, {"pool1": "templates/new"})
    before, after = "template_before_reset", "template_before_overrides"
    assert await delete(changeable, f"{TEMPLATE}/pool1") == (
        201,
        [("ok", True), (before, "templates/new"), (after, CONFIGURED)],
    )
    assert await delete(changeable, f"{TEMPLATE}/pool1") == (
        200,
        [("ok", True), (before, CONFIGURED), (after, CONFIGURED)],
    )
    assert await delete(changeable, f"{TEMPLATE}/pool10") == (404, [("ok", False)])


async def test_242_what_is_taken_back_counts_no_more_and_the_manager_is_told(
    changeable: Api,
) -> None:
    """[C] Given a reset, then the pool is in the corresponding `undo` set and the override field is
    gone.

    By meaning: there is no set of pools to be undone, but a drain and an event.
    """
    await post(changeable, TEMPLATE, {"pool1": "templates/new"})
    await post(changeable, SIZE, {"pool2": 2})
    await changeable.fleet.ready("pool1", "one")
    await delete(changeable, f"{TEMPLATE}/pool1")
    await delete(changeable, f"{SIZE}/pool2")
    data = await changeable.fleet.dataset()
    assert ((await current(changeable)).templates, (await current(changeable)).sizes) == ({}, {})
    assert data.members("stale", "pool1").keys() == {"one"}
    assert data.events[-1] == (EventName.POOL_CHANGED, "pool2", "")


async def test_243_a_clone_target_is_set(changeable: Api) -> None:
    """[C] When POST `config/clonetarget` `{"pool1":"cluster1"}`, then 201; current value, then 200;
    unknown pool, then 400 `bad_templates`.
    """
    assert await post(changeable, TARGET, {"pool1": "cluster1"}) == (201, {"ok": True})
    assert await post(changeable, TARGET, {"pool1": "cluster1"}) == (200, {"ok": True})
    assert await post(changeable, TARGET, {"pool10": "cluster1"}) == (
        400,
        {"ok": False, "bad_templates": ["pool10"]},
    )
    assert (await current(changeable)).clone_targets == {"pool1": "cluster1"}


async def test_244_pools_are_reset(changeable: Api) -> None:
    """[C] When POST `poolreset` `{"pool1":"1"}`, then 201 ok and the set has pool1; two pools, then
    both.

    By meaning: the VMs that are ready are to be replaced, and not handed out any more.
    """
    for pool, vm in (("pool1", "a"), ("pool2", "b"), ("pool3", "c")):
        await changeable.fleet.ready(pool, vm)
    assert await post(changeable, RESET, {"pool1": "1"}) == (201, {"ok": True})
    assert (await changeable.fleet.dataset()).members("stale", "pool1").keys() == {"a"}
    assert await post(changeable, RESET, {"pool1": "1", "pool2": "1"}) == (201, {"ok": True})
    data = await changeable.fleet.dataset()
    assert data.members("stale", "pool2").keys() == {"b"}
    assert data.members("ready", "pool3").keys() == {"c"}
    assert await post(changeable, RESET, {}) == (201, {"ok": True})


async def test_245_an_unknown_pool_keeps_all_others_from_being_reset(changeable: Api) -> None:
    """[C] Given an unknown pool in `poolreset`, then 400 `bad_pools` = [it] and nothing is added."""
    await changeable.fleet.ready("pool1", "a")
    assert await post(changeable, RESET, {"pool1": "1", "pool10": "1"}) == (
        400,
        {"ok": False, "bad_pools": ["pool10"]},
    )
    assert (await changeable.fleet.dataset()).members("ready", "pool1").keys() == {"a"}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("content", [b"", b"{bad"])
async def test_246_a_body_that_is_no_json_is_explained(changeable: Api, path: str, content: bytes) -> None:
    """[H] Given malformed JSON or no body on any of these POST routes, then 400 with message, never
    500.
    """
    answer = await changeable.client.post(path, content=content)
    told = {"ok": False, "message": "JSON payload could not be parsed"}
    assert (answer.status_code, answer.json()) == (400, told)


@pytest.mark.parametrize("path", [*POSTS, *(f"{path}/poolone" for path in (SIZE, TEMPLATE, TARGET))])
async def test_247_an_alias_is_no_pool(changeable: Api, path: str) -> None:
    """[H] Given an alias name on any of these routes, then 400/404, never 500, and no effect."""
    await changeable.fleet.ready("pool1", "a")
    before = await changeable.fleet.dataset()
    if path in POSTS:
        status, _ = await post(changeable, path, {"poolone": GOOD_VALUE[path], "pool2": GOOD_VALUE[path]})
        assert status == 400
    else:
        assert await delete(changeable, path) == (404, [("ok", False)])
    assert await changeable.fleet.dataset() == before


@pytest.mark.parametrize("size", ['"0x10"', "3.7", '"1_0"'])
async def test_248_a_size_is_decimal_digits_up_to_a_limit(changeable: Api, size: str) -> None:
    """[H] Given size `"0x10"`, `3.7` or `"1_0"`, then 400."""
    answer = await changeable.client.post(SIZE, content=f'{{"pool1": {size}}}')
    assert (answer.status_code, answer.json()) == (400, {"ok": False, "not_configured": ["pool1"]})


@pytest.mark.parametrize("path", [TEMPLATE, TARGET])
@pytest.mark.parametrize("value", [None, 3])
async def test_249_a_template_or_clone_target_is_a_text(changeable: Api, path: str, value: Any) -> None:
    """[H] Given a null or numeric template or clone target, then 400."""
    assert await post(changeable, path, {"pool1": value}) == (400, {"ok": False, "bad_templates": ["pool1"]})


async def test_250_the_configuration_lists_the_pools_with_their_settings(with_api: WithApi) -> None:
    """[C] When GET `/config`, then 200, `pool_configuration` equals the pool settings plus
    `template_ready`, and `status.ok` true.

    Beside the settings that are set stand those that count by default, and what is configured.
    """
    pools = {"a": {"size": 5, "alias": ["x"], "folder": "here", "timeout": 3, "clone_target": "red"}, "b": 0}
    async with with_api(pools=pools, config={"ready_ttl": 90}) as api:
        answer = await api.client.get("/api/v3/config")
    assert answer.status_code == 200
    report = answer.json()
    assert list(report) == ["pool_configuration", "status"]
    assert report["status"] == {"ok": True}
    first, second = report["pool_configuration"]
    assert first == {
        "name": "a",
        "alias": ["x"],
        "size": 5,
        "template": "templates/a",
        "provider": "dummy",
        "clone_target": "red",
        "dns_plugin": "test",
        "timeout": 3,
        "ready_ttl": 90,
        "check_loop_delay_min": 5,
        "check_loop_delay_max": 60,
        "check_loop_delay_decay": 2.0,
        "template_ready": False,
        "configured": {"size": 5, "template": "templates/a", "clone_target": "red"},
        "folder": "here",
    }
    assert (second["name"], second["size"], second["configured"]) == (
        "b",
        0,
        {"size": 0, "template": "templates/b"},
    )


async def test_251_a_template_is_ready_when_vms_are_made_from_it(changeable: Api) -> None:
    """[C] Given prepared template = configured template, then `template_ready` true; different or none,
    then false.

    By meaning: the manager has taken it over. No disks are prepared.
    """
    assert not (await shown(changeable))["template_ready"]
    await changeable.fleet.store.views.mark_template_ready("pool1", CONFIGURED)
    assert (await shown(changeable))["template_ready"]
    await post(changeable, TEMPLATE, {"pool1": "templates/new"})
    assert not (await shown(changeable))["template_ready"]
    await changeable.fleet.store.views.mark_template_ready("pool1", "templates/new")
    assert (await shown(changeable))["template_ready"]


async def test_252_what_was_set_is_shown_beside_what_is_configured(changeable: Api) -> None:
    """[C] Given overrides, when GET `/config`, then size and template show them."""
    await post(changeable, SIZE, {"pool1": 2})
    await post(changeable, TEMPLATE, {"pool1": "templates/new"})
    await post(changeable, TARGET, {"pool1": "blue"})
    pool = await shown(changeable)
    assert (pool["size"], pool["template"], pool["clone_target"]) == (2, "templates/new", "blue")
    assert pool["configured"] == {"size": 5, "template": CONFIGURED}


async def test_253_the_full_configuration_is_shown(changeable: Api) -> None:
    """[C] When GET `/full_config`, then 200 with `full_config` and `status.ok` true (with whatever
    access control was chosen).
    """
    answer = await changeable.client.get("/api/v3/full_config")
    assert answer.status_code == 200
    report = answer.json()
    assert list(report) == ["full_config", "status"]
    assert report["status"] == {"ok": True}
    full = report["full_config"]
    assert full["config"]["experimental_features"] is True
    assert [pool["name"] for pool in full["pools"]] == ["pool1", "pool2", "pool3"]


SECRETS = {
    "providers": {
        "dummy": {},
        "lab": {
            "provider_class": "vsphere",
            "server": "vcenter.example.com",
            "username": "vmpooler",
            "password": "hush-1",
        },
        "cloud": {
            "provider_class": "gce",
            "api_key": "hush-2",
            "login": {"PASSPHRASE": "hush-3", "servers": [{"token": "hush-4"}]},
            "proxy": "https://me:hush-5@proxy.example.com/",
        },
    },
    "dns_configs": {"test": {"domain": "example.com", "tsig_secret": "hush-6"}},
    "pools": [
        {"name": "pool1", "size": 1, "template": "a/b", "provider": "dummy", "root_password": "hush-7"}
    ],
}


@pytest.mark.parametrize("path", ["/api/v3/full_config", "/api/v3/config"])
async def test_254_no_secret_is_shown(with_api: WithApi, path: str) -> None:
    """[H] Given secrets in the configuration, when GET `/full_config`, then none of them appears in the
    body.
    """
    async with with_api(sections=SECRETS) as api:
        answer: httpx.Response = await api.client.get(path)
    assert answer.status_code == 200
    assert "hush" not in answer.text
    assert ("root_password" in answer.text) is (path == "/api/v3/full_config"), "shown, but masked"
    assert "pool1" in answer.text
