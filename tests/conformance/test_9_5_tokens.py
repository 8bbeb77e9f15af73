"""Section 9.5 of the checklist: making, listing, showing and deleting tokens."""

import re
from datetime import UTC, datetime

import httpx
import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.api.logins import ADMIN, ALICE, BOB, basic_header, make_token
from vmpooler_common.config import ConfigurationError

ROUTES = [
    ("GET", "/api/v3/token"),
    ("POST", "/api/v3/token"),
    ("GET", "/api/v3/token/x"),
    ("DELETE", "/api/v3/token/x"),
]
WITH_LOGIN = [route for route in ROUTES if route != ("GET", "/api/v3/token/x")]


def refused(answer: httpx.Response) -> bool:
    """Tell whether the answer asks for credentials."""
    return (
        answer.status_code == 401
        and answer.json() == {"ok": False}
        and answer.headers["WWW-Authenticate"] == 'Basic realm="Authentication required"'
    )


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_079_without_authentication_there_are_no_token_routes(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    """[C] Given auth off, when GET/POST `/token` or GET/DELETE `/token/x`, then 404 plain."""
    answer = await client.request(method, path, auth=ALICE)
    assert (answer.status_code, answer.json()) == (404, {"ok": False})
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize(("method", "path"), WITH_LOGIN)
async def test_080_without_credentials_they_are_asked_for(secured_api: Api, method: str, path: str) -> None:
    """[C] Given auth on and no credentials, when GET, POST `/token` or DELETE `/token/x`, then 401,
    `ok` false, `WWW-Authenticate: Basic realm="Authentication required"`.
    """
    assert refused(await secured_api.client.request(method, path))


async def test_081_the_dummy_directory_takes_all_but_the_name_as_password(secured_api: Api) -> None:
    """[C] Given the dummy provider and user = password, then 401; user ≠ password, then accepted."""
    assert refused(await secured_api.client.post("/api/v3/token", auth=("alice", "alice")))
    assert (await secured_api.client.post("/api/v3/token", auth=("bob", "alice"))).status_code == 200


async def test_082_an_unknown_directory_is_refused_at_the_start(with_api: WithApi) -> None:
    """[C] Given an unknown provider, then 401.

    Better than a service that nobody can log in to.
    """
    with pytest.raises(ConfigurationError) as caught:
        async with with_api(auth="nobody"):
            pass
    assert [problem.place for problem in caught.value.problems] == ["auth.provider"]


@pytest.mark.parametrize(
    "headers",
    [
        basic_header("alice"),
        basic_header("alice:secret", "Bearer"),
        {"Authorization": ""},
    ],
)
async def test_083_other_headers_are_no_credentials(secured_api: Api, headers: dict[str, str]) -> None:
    """[C] Given a Basic header without colon in the decoded value or another scheme, then 401."""
    assert refused(await secured_api.client.post("/api/v3/token", headers=headers))


async def test_084_a_token_is_32_characters_that_only_its_digest_keeps(secured_api: Api) -> None:
    """[C] Given valid credentials, when POST `/token`, then 200 with a 32-character token of a-z, 0-9
    that starts with a letter, and `vmpooler__token__T` has `user` and `created`.

    Better than a key that is named by the token.
    """
    answer = await secured_api.client.post("/api/v3/token", auth=ALICE, content="{not read")
    assert list(answer.json()) == ["ok", "token"]
    token = answer.json()["token"]
    assert re.fullmatch("[a-z][a-z0-9]{31}", token)
    assert token not in str((await secured_api.fleet.dataset()).entries)
    shown = (await secured_api.client.get(f"/api/v3/token/{token}")).json()[token]
    assert shown["user"] == "alice"
    assert datetime.strptime(shown["created"], "%Y-%m-%d %H:%M:%S %z").tzinfo == UTC


async def test_085_a_user_sees_when_a_token_was_made(secured_api: Api) -> None:
    """[C] Given a token of user admin, when GET `/token` as admin, then 200, entry with `created` as
    stored and `last` = `never`.

    By its first letters, since the whole of it isn't kept.
    """
    token = await make_token(secured_api, ADMIN)
    created = (await secured_api.client.get(f"/api/v3/token/{token}")).json()[token]["created"]
    answer = await secured_api.client.get("/api/v3/token", auth=ADMIN)
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, f"{token[:8]}…": {"created": created, "last": "never"}}


async def test_086_the_last_use_is_a_time(secured_api: Api) -> None:
    """[C] Given a used token, then `last` is a timestamp."""
    token = await make_token(secured_api)
    await secured_api.fleet.ready("pool1", "one")
    await secured_api.client.post("/api/v3/vm/pool1", headers={"X-AUTH-TOKEN": token})
    listed = (await secured_api.client.get("/api/v3/token", auth=ALICE)).json()[f"{token[:8]}…"]
    shown = (await secured_api.client.get(f"/api/v3/token/{token}")).json()[token]
    assert listed["last"] == shown["last"]
    assert datetime.strptime(listed["last"], "%Y-%m-%d %H:%M:%S %z")


async def test_087_a_user_without_tokens_has_none_to_list(secured_api: Api) -> None:
    """[C] Given tokens of other users only, when GET `/token`, then 404 plain."""
    await make_token(secured_api, BOB)
    answer = await secured_api.client.get("/api/v3/token", auth=ALICE)
    assert (answer.status_code, answer.json()) == (404, {"ok": False})


async def test_088_a_token_is_shown_to_whoever_has_it(secured_api: Api) -> None:
    """[C] Given auth on and an existing token, when GET `/token/T` without credentials, then 200 with
    `user`, `created`.
    """
    token = await make_token(secured_api)
    answer = await secured_api.client.get(f"/api/v3/token/{token}")
    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert set(answer.json()[token]) == {"user", "created"}


async def test_089_a_token_shows_the_running_vms_that_were_taken_with_it(secured_api: Api) -> None:
    """[C] Given a VM in a configured pool's running set with `token:token` = T, then `vms.running`
    contains its short name.
    """
    token = await make_token(secured_api)
    await secured_api.fleet.ready("pool1", "one", "two")
    await secured_api.fleet.ready("pool2", "three")
    mine = {"X-AUTH-TOKEN": token}
    for pool, headers in (("pool1", mine), ("pool1", {}), ("pool2", mine)):
        await secured_api.client.post(f"/api/v3/vm/{pool}", headers=headers)
    records = (await secured_api.fleet.dataset()).records
    anonymous = {vm for vm, record in records.items() if not record["token"]}
    shown = (await secured_api.client.get(f"/api/v3/token/{token}")).json()[token]
    assert set(shown["vms"]["running"]) == {"one", "two", "three"} - anonymous
    assert len(shown["vms"]["running"]) == 2


async def test_090_a_token_whose_vms_were_given_back_shows_none(secured_api: Api) -> None:
    """[C] Given no such VM, then there is no `vms` member."""
    token = await make_token(secured_api)
    await secured_api.fleet.running("pool1", "one", token=token)
    await secured_api.client.delete("/api/v3/vm/one", headers={"X-AUTH-TOKEN": token})
    assert "vms" not in (await secured_api.client.get(f"/api/v3/token/{token}")).json()[token]


@pytest.mark.parametrize("name", ["x", "%ff", "a" * 2000, "*", "%00", "ok"])
async def test_091_an_unknown_token_is_not_found(secured_api: Api, name: str) -> None:
    """[C] Given an unknown token, when GET `/token/x`, then 404 plain."""
    answer = await secured_api.client.get(f"/api/v3/token/{name}")
    assert (answer.status_code, answer.json()) == (404, {"ok": False})


async def test_092_a_deleted_token_is_gone(secured_api: Api) -> None:
    """[C] Given valid credentials, when DELETE own `/token/T`, then 200 ok and the key is gone."""
    token = await make_token(secured_api)
    await secured_api.fleet.ready("pool1", "one")
    answer = await secured_api.client.delete(f"/api/v3/token/{token}", auth=ALICE)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert (await secured_api.client.get(f"/api/v3/token/{token}")).status_code == 404
    assert (await secured_api.client.get("/api/v3/token", auth=ALICE)).status_code == 404
    answer = await secured_api.client.post("/api/v3/vm/pool1", headers={"X-AUTH-TOKEN": token})
    assert answer.status_code == 401


async def test_093_an_unknown_token_can_not_be_deleted(secured_api: Api) -> None:
    """[C/H] Given valid credentials and an unknown token, when DELETE, then 401 in strict mode, 404 in
    hardened mode.

    The hardened half: 404 and not 401, since the credentials are right.
    """
    answer = await secured_api.client.delete("/api/v3/token/x", auth=ALICE)
    assert (answer.status_code, answer.json()) == (404, {"ok": False})


async def test_094_another_users_token_is_not_deleted(secured_api: Api) -> None:
    """[H] Given another user's token, when DELETE, then it is not deleted."""
    token = await make_token(secured_api)
    answer = await secured_api.client.delete(f"/api/v3/token/{token}", auth=BOB)
    assert (answer.status_code, answer.json()) == (403, {"ok": False})
    assert (await secured_api.client.get(f"/api/v3/token/{token}")).status_code == 200
