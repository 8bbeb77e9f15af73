"""Section 9.8 of the checklist: changing a VM that somebody has."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.store.fleet import Fleet
from tests.support.refusals import refusal_of

GOOD = {"X-AUTH-TOKEN": "good"}
DONE = (200, {"ok": True})
ONE = "/api/v3/vm/one"


async def put(api: Api, body: Any, **headers: str) -> tuple[int, Any]:
    """Ask for a change of the VM `one`; give status and answer."""
    answer = await api.client.put(ONE, json=body, headers=headers)
    return answer.status_code, answer.json()


async def told(api: Api) -> dict[str, Any]:
    """Give what is told of the VM `one`."""
    report: dict[str, Any] = (await api.client.get(ONE)).json()["one"]
    return report


async def is_refused(api: Api, body: Any, *failures: str) -> bool:
    """Tell whether a change is refused for these reasons, and changes nothing."""
    before = await api.fleet.dataset()
    answer = await put(api, body)
    assert answer == (400, {"ok": False, "failure": list(failures)})
    return await api.fleet.dataset() == before


@pytest.fixture
async def running(fleet: Fleet) -> None:
    await fleet.running("pool1", "one")


@pytest.mark.usefixtures("running")
async def test_169_a_tag_is_set(api: Api) -> None:
    """[C] Given a VM, when PUT `{"tags":{"tested_by":"rspec"}}`, then 200 ok, hash field
    `tag:tested_by` = rspec and day hash field `H:tested_by` = rspec.
    """
    assert await put(api, {"tags": {"tested_by": "rspec"}}) == DONE
    assert (await told(api))["tags"] == {"tested_by": "rspec"}
    summary = (await api.client.get("/api/v3/summary/tag")).json()
    assert summary["tag"] == {"tested_by": {"rspec": 1, "total": 1}}


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("value", ["", None])
async def test_170_a_tag_without_a_value_is_not_set(api: Api, value: str | None) -> None:
    """[C] Given `{"tags":{"tested_by":""}}` or null, then 200 and no field is set."""
    before = await api.fleet.dataset()
    assert await put(api, {"tags": {"tested_by": value}}) == DONE
    assert await api.fleet.dataset() == before


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("body", [b'{"tags": {"tested_by": "rspec"', b"[]"])
async def test_171_what_is_no_json_object_is_refused(api: Api, body: bytes) -> None:
    """[C] Given invalid JSON, when PUT, then 400 with `ok` false and nothing set."""
    before = await api.fleet.dataset()
    answer = await api.client.put(ONE, content=body)
    assert (answer.status_code, list(answer.json()), answer.json()["ok"]) == (400, ["ok", "error"], False)
    assert await api.fleet.dataset() == before


async def test_172_with_a_tag_that_is_not_allowed_none_is_set(with_api: WithApi) -> None:
    """[C] Given `allowed_tags` without `tested_by`, when PUT with it, then 400 with a `failure` list
    and nothing set (also not the allowed ones).
    """
    async with with_api(config={"allowed_tags": ["created_by", "project"]}) as api:
        await api.fleet.running("pool1", "one")
        tags = {"project": "installer", "tested_by": "rspec"}
        shown = '{"project": "installer", "tested_by": "rspec"}'
        assert await is_refused(api, {"tags": tags}, f"You provided unsuppored tags ({shown}).")
        assert await put(api, {"tags": {"project": "installer"}}) == DONE


async def test_173_of_a_value_that_a_filter_matches_its_groups_are_kept(with_api: WithApi) -> None:
    """[C] Given tag filter `url` keeping the text before the last `/`, when PUT `url` =
    `foo.com/something.html`, then stored `foo.com`; a value without `/` is stored unchanged.
    """
    async with with_api(sections={"tagfilter": {"url": "(.*)\\/"}}) as api:
        await api.fleet.running("pool1", "one")
        await put(api, {"tags": {"url": "foo.com/something.html", "other": "foo.com/something.html"}})
        assert (await told(api))["tags"] == {"url": "foo.com", "other": "foo.com/something.html"}
        await put(api, {"tags": {"url": "foo.com"}})
        assert (await told(api))["tags"]["url"] == "foo.com"


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("value", ["1", 1])
async def test_174_a_lifetime_is_set_without_authentication(api: Api, value: str | int) -> None:
    """[C] Given auth off, when PUT `{"lifetime":"1"}`, then 200 and hash `lifetime` = 1."""
    assert await put(api, {"lifetime": value}) == DONE
    report = await told(api)
    assert (report["lifetime"], report["remaining"]) == (1, pytest.approx(1, abs=0.1))


@pytest.mark.usefixtures("running")
async def test_175_a_lifetime_of_nothing_is_refused(api: Api) -> None:
    """[C] Given lifetime "0", then 400, `failure` = [`Lifetime must be a positive integer (got 0)`],
    unchanged.
    """
    assert await is_refused(api, {"lifetime": "0"}, "Lifetime must be a positive integer (got 0)")


@pytest.mark.usefixtures("running")
async def test_176_without_a_limit_a_lifetime_may_be_long(api: Api) -> None:
    """[C] Given no upper limit, when lifetime "20000", then 200."""
    assert await put(api, {"lifetime": "20000"}) == DONE
    assert (await told(api))["lifetime"] == 20000


async def test_177_a_lifetime_has_to_be_below_the_limit(with_api: WithApi) -> None:
    """[C] Given upper limit 168, when lifetime 200 or 168, then 400; 167, then 200.

    As in Q-PUT-3: the limit itself is refused, too, and what counts is the time since the checkout.
    """
    async with with_api(config={"max_lifetime_upper_limit": 168}) as api:
        await api.fleet.running("pool1", "one")
        for hours in (200, 168):
            failure = f"You provided a lifetime ({hours}) that exceeds the configured maximum of 168."
            assert await is_refused(api, {"lifetime": hours}, failure)
        assert await put(api, {"lifetime": 167}) == DONE


async def test_178_with_authentication_a_lifetime_needs_a_token(secured_api: Api) -> None:
    """[C] Given auth on, when PUT lifetime without token, then 401; with a valid token, then 200."""
    for name, token in (("one", None), ("two", "good")):
        await secured_api.fleet.running("pool1", name, token=token)
        path = f"/api/v3/vm/{name}"
        for headers in ({}, {"X-AUTH-TOKEN": "bad"}):
            answer = await secured_api.client.put(path, json={"lifetime": 5}, headers=headers)
            assert (answer.status_code, answer.json()["ok"]) == (401, False)
            assert answer.headers["WWW-Authenticate"] == 'Basic realm="Authentication required"'
        answer = await secured_api.client.put(path, json={"lifetime": 5}, headers=GOOD)
        assert (answer.status_code, answer.json()) == DONE


@pytest.mark.usefixtures("running")
async def test_179_an_unknown_member_is_refused(api: Api) -> None:
    """[C] Given an unknown member `{"foo":"bar"}`, then 400, `failure` = [`Unknown argument bar.`]."""
    assert await is_refused(api, {"foo": "bar"}, "Unknown argument bar.")


@pytest.mark.usefixtures("running")
async def test_180_all_that_is_wrong_is_told_in_the_order_of_the_body(api: Api) -> None:
    """[C] Given several invalid members, then all texts are listed in body order and nothing is
    written.
    """
    assert await is_refused(
        api,
        {"foo": "bar", "tags": {"a b": "c", "good": "one", "d": "<"}, "lifetime": 0, "ok": False},
        "Unknown argument bar.",
        "Invalid tag key format",
        "Tag value contains invalid characters",
        "Lifetime must be a positive integer (got 0)",
        "Unknown argument false.",
    )


async def test_181_that_there_is_no_such_vm_is_told_first(client: httpx.AsyncClient) -> None:
    """[C] Given an unknown VM, when PUT with broken JSON, then 404 (existence is checked first)."""
    for body in (b"{bad", b'{"foo": "bar"}', b""):
        answer = await client.put(ONE, content=body)
        assert refusal_of(answer) == (404, {"ok": False})


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_182_nothing_to_be_changed_is_no_mistake(api: Api, body: bytes) -> None:
    """[C] Given an empty object or body, when PUT, then 200 ok."""
    before = await api.fleet.dataset()
    answer = await api.client.put(ONE, content=body)
    assert (answer.status_code, answer.json()) == DONE
    assert await api.fleet.dataset() == before


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    ("tags", "failure"),
    [
        ({"a b": "x"}, "Invalid tag key format"),
        ({"a" * 51: "x"}, "Tag key too long"),
        ({"a": "x" * 256}, "Tag value too long"),
        ({"a": "value<script>"}, "Tag value contains invalid characters"),
    ],
)
async def test_183_keys_and_values_of_tags_have_a_form(api: Api, tags: dict[str, str], failure: str) -> None:
    """[C] Given a tag key with a space, then 400 `Invalid tag key format`; 51 characters, then `Tag key
    too long`; value of 256 characters, then `Tag value too long`; value `value<script>`, then `Tag
    value contains invalid characters`.
    """
    assert await is_refused(api, {"tags": tags}, failure)


@pytest.mark.usefixtures("running")
async def test_183_a_tag_may_be_as_long_as_is_allowed(api: Api) -> None:
    assert await put(api, {"tags": {"a" * 50: "x" * 255}}) == DONE


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("value", [1, True, [], {}])
async def test_184_the_value_of_a_tag_is_a_text(api: Api, value: Any) -> None:
    """[H] Given a tag value of type number, boolean, list or object, or `tags` of a wrong type, then
    400, never 500.
    """
    assert await is_refused(api, {"tags": {"a": value}}, "Tag value must be a string")


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    ("value", "shown"),
    [("x", "x"), (None, ""), ([1, {"a": "b"}], '[1, {"a": "b"}]')],
)
async def test_184_tags_are_an_object(api: Api, value: Any, shown: str) -> None:
    failure = f"You provided tags ({shown}) as something other than a hash."
    assert await is_refused(api, {"tags": value}, failure)


async def test_185_tags_of_a_vm_that_was_taken_with_a_token_need_one(secured_api: Api) -> None:
    """[H] Given auth on and a VM checked out with a token, when PUT tags without token, then 401."""
    await secured_api.fleet.running("pool1", "one", token="good")
    status, refusal = await put(secured_api, {"tags": {"a": "b"}})
    assert (status, refusal["ok"]) == (401, False)
    assert refusal["message"].startswith("a valid token is needed to change this VM")
    assert await put(secured_api, {"tags": {"a": "b"}}, **GOOD) == DONE
    assert (await told(secured_api))["tags"] == {"a": "b"}


async def test_185_where_ownership_is_not_enforced_tags_need_no_token(with_api: WithApi) -> None:
    """As with 3.x: build tools tag the VMs that somebody took with a token."""
    async with with_api(auth="dummy", config={"enforce_ownership": False}) as api:
        await api.fleet.token("good", "alice")
        await api.fleet.running("pool1", "one", token="good")
        assert await put(api, {"tags": {"a": "b"}}) == DONE
        assert (await told(api))["tags"] == {"a": "b"}
        assert (await put(api, {"tags": {"a": "c"}, "lifetime": 5}))[0] == 401
