"""Making, listing, showing and deleting tokens. The numbers are those of the 3.x contract's checklist."""

import base64
import re
from datetime import UTC, datetime

import httpx
import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.store.dataset import Entry

ALICE = ("alice", "secret")
BOB = ("bob", "secret")
ADMIN = ("root", "secret")
ROUTES = [
    ("GET", "/api/v3/token"),
    ("POST", "/api/v3/token"),
    ("GET", "/api/v3/token/x"),
    ("DELETE", "/api/v3/token/x"),
]
WITH_LOGIN = [route for route in ROUTES if route != ("GET", "/api/v3/token/x")]


async def make_token(api: Api, user: tuple[str, str] = ALICE) -> str:
    answer = await api.client.post("/api/v3/token", auth=user)
    assert answer.status_code == 200
    return str(answer.json()["token"])


def refused(answer: httpx.Response) -> bool:
    """Tell whether the answer asks for credentials."""
    return (
        answer.status_code == 401
        and answer.json() == {"ok": False}
        and answer.headers["WWW-Authenticate"] == 'Basic realm="Authentication required"'
    )


def header(text: str | bytes, scheme: str = "Basic") -> dict[str, str]:
    raw = text if isinstance(text, bytes) else text.encode()
    return {"Authorization": f"{scheme} {base64.b64encode(raw).decode()}"}


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_79_without_authentication_there_are_no_token_routes(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, path, auth=ALICE)
    assert (answer.status_code, answer.json()) == (404, {"ok": False})
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize(("method", "path"), WITH_LOGIN)
async def test_80_without_credentials_they_are_asked_for(secured_api: Api, method: str, path: str) -> None:
    assert refused(await secured_api.client.request(method, path))


async def test_81_the_dummy_directory_takes_all_but_the_name_as_password(secured_api: Api) -> None:
    assert refused(await secured_api.client.post("/api/v3/token", auth=("alice", "alice")))
    assert (await secured_api.client.post("/api/v3/token", auth=("bob", "alice"))).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        header("alice"),
        header(":secret"),
        header("alice:"),
        header("alice:secret", "Bearer"),
        header(" alice:secret"),
        header("ali\x00ce:secret"),
        header("a" * 257 + ":secret"),
        header(b"alice:\xff"),
        {"Authorization": "Basic"},
        {"Authorization": "Basic ???"},
        {"Authorization": ""},
    ],
)
async def test_83_other_headers_are_no_credentials(secured_api: Api, headers: dict[str, str]) -> None:
    assert refused(await secured_api.client.post("/api/v3/token", headers=headers))


async def test_a_password_may_hold_colons_and_any_letter(secured_api: Api) -> None:
    answer = await secured_api.client.post("/api/v3/token", headers=header("zoë:pä:ss", "bASIC"))
    assert answer.status_code == 200


async def test_84_a_token_is_32_characters_that_only_its_digest_keeps(secured_api: Api) -> None:
    answer = await secured_api.client.post("/api/v3/token", auth=ALICE, content="{not read")
    assert list(answer.json()) == ["ok", "token"]
    token = answer.json()["token"]
    assert re.fullmatch("[a-z][a-z0-9]{31}", token)
    assert token not in str((await secured_api.fleet.dataset()).entries)
    shown = (await secured_api.client.get(f"/api/v3/token/{token}")).json()[token]
    assert shown["user"] == "alice"
    assert datetime.strptime(shown["created"], "%Y-%m-%d %H:%M:%S %z").tzinfo == UTC


async def test_every_token_is_another(secured_api: Api) -> None:
    assert len({await make_token(secured_api) for _ in range(20)}) == 20


async def test_85_a_user_sees_when_a_token_was_made(secured_api: Api) -> None:
    token = await make_token(secured_api, ADMIN)
    created = (await secured_api.client.get(f"/api/v3/token/{token}")).json()[token]["created"]
    answer = await secured_api.client.get("/api/v3/token", auth=ADMIN)
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, f"{token[:8]}…": {"created": created, "last": "never"}}


async def test_86_the_last_use_is_a_time(secured_api: Api) -> None:
    token = await make_token(secured_api)
    await secured_api.fleet.ready("pool1", "one")
    await secured_api.client.post("/api/v3/vm/pool1", headers={"X-AUTH-TOKEN": token})
    listed = (await secured_api.client.get("/api/v3/token", auth=ALICE)).json()[f"{token[:8]}…"]
    shown = (await secured_api.client.get(f"/api/v3/token/{token}")).json()[token]
    assert listed["last"] == shown["last"]
    assert datetime.strptime(listed["last"], "%Y-%m-%d %H:%M:%S %z")


async def test_a_token_that_was_never_used_is_shown_without_a_last_use(secured_api: Api) -> None:
    token = await make_token(secured_api)
    assert "last" not in (await secured_api.client.get(f"/api/v3/token/{token}")).json()[token]


async def test_87_a_user_without_tokens_has_none_to_list(secured_api: Api) -> None:
    await make_token(secured_api, BOB)
    answer = await secured_api.client.get("/api/v3/token", auth=ALICE)
    assert (answer.status_code, answer.json()) == (404, {"ok": False})


async def test_88_a_token_is_shown_to_whoever_has_it(secured_api: Api) -> None:
    token = await make_token(secured_api)
    answer = await secured_api.client.get(f"/api/v3/token/{token}")
    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert set(answer.json()[token]) == {"user", "created"}


async def test_89_a_token_shows_the_running_vms_that_were_taken_with_it(secured_api: Api) -> None:
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


async def test_90_a_token_whose_vms_were_given_back_shows_none(secured_api: Api) -> None:
    token = await make_token(secured_api)
    await secured_api.fleet.running("pool1", "one", token=token)
    await secured_api.client.delete("/api/v3/vm/one", headers={"X-AUTH-TOKEN": token})
    assert "vms" not in (await secured_api.client.get(f"/api/v3/token/{token}")).json()[token]


@pytest.mark.parametrize("name", ["x", "%ff", "a" * 2000, "*", "%00", "ok"])
async def test_91_an_unknown_token_is_not_found(secured_api: Api, name: str) -> None:
    answer = await secured_api.client.get(f"/api/v3/token/{name}")
    assert (answer.status_code, answer.json()) == (404, {"ok": False})


async def test_92_a_deleted_token_is_gone(secured_api: Api) -> None:
    token = await make_token(secured_api)
    await secured_api.fleet.ready("pool1", "one")
    answer = await secured_api.client.delete(f"/api/v3/token/{token}", auth=ALICE)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert (await secured_api.client.get(f"/api/v3/token/{token}")).status_code == 404
    assert (await secured_api.client.get("/api/v3/token", auth=ALICE)).status_code == 404
    answer = await secured_api.client.post("/api/v3/vm/pool1", headers={"X-AUTH-TOKEN": token})
    assert answer.status_code == 401


async def test_deleting_a_token_leaves_its_vms_to_their_user(secured_api: Api) -> None:
    token, other = await make_token(secured_api), await make_token(secured_api)
    await secured_api.fleet.running("pool1", "one", token=token)
    await secured_api.client.delete(f"/api/v3/token/{token}", auth=ALICE)
    assert await secured_api.fleet.state("one") == "running"
    answer = await secured_api.client.delete("/api/v3/vm/one", headers={"X-AUTH-TOKEN": other})
    assert answer.status_code == 200


async def test_93_an_unknown_token_can_not_be_deleted(secured_api: Api) -> None:
    """The hardened half: 404 and not 401, since the credentials are right."""
    answer = await secured_api.client.delete("/api/v3/token/x", auth=ALICE)
    assert (answer.status_code, answer.json()) == (404, {"ok": False})


async def test_94_another_users_token_is_not_deleted(secured_api: Api) -> None:
    token = await make_token(secured_api)
    answer = await secured_api.client.delete(f"/api/v3/token/{token}", auth=BOB)
    assert (answer.status_code, answer.json()) == (403, {"ok": False})
    assert (await secured_api.client.get(f"/api/v3/token/{token}")).status_code == 200


async def test_an_admin_deletes_everybodys_tokens(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"admins": ["root"]}) as api:
        token = await make_token(api)
        assert (await api.client.delete(f"/api/v3/token/{token}", auth=ADMIN)).status_code == 200
        assert (await api.client.get(f"/api/v3/token/{token}")).status_code == 404
        assert (await api.client.get("/api/v3/token", auth=ALICE)).status_code == 404


async def test_a_token_ends_after_the_configured_time(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"token_ttl": 3}) as api:
        await make_token(api)
        (key,) = [name for name in (await api.fleet.dataset()).entries if name.startswith("token:")]
        seconds = await api.fleet.client.ttl(f"{api.fleet.prefix}:{key}")
        assert 2.9 * 3600 < seconds <= 3 * 3600


async def test_a_token_has_no_end_unless_one_is_configured(secured_api: Api) -> None:
    await make_token(secured_api)
    entries = (await secured_api.fleet.dataset()).entries
    assert not any(entry.expires for name, entry in entries.items() if name.startswith("token:"))


async def failures(api: Api) -> list[Entry]:
    """Give what is kept of failed logins."""
    entries = (await api.fleet.dataset()).entries
    return [entry for name, entry in entries.items() if name.startswith("failed:")]


class TestThrottle:
    """At most one failing login of a user in a second."""

    @pytest.mark.parametrize("password", ["alice", "secret"])
    async def test_after_a_failed_login_right_and_wrong_passwords_are_told_the_same(
        self, secured_api: Api, password: str
    ) -> None:
        token = await make_token(secured_api)
        await secured_api.fleet.failed_login("alice")
        for method, path in (("GET", ""), ("POST", ""), ("DELETE", f"/{token}")):
            answer = await secured_api.client.request(
                method, f"/api/v3/token{path}", auth=("alice", password)
            )
            assert answer.status_code == 429
            assert answer.headers["Retry-After"] == "1"
            assert answer.json()["ok"] is False
            assert "second" in answer.json()["message"]

    async def test_a_refused_guess_does_nothing(self, secured_api: Api) -> None:
        token = await make_token(secured_api)
        await secured_api.fleet.failed_login("alice")
        before = (await secured_api.fleet.dataset()).entries
        await secured_api.client.delete(f"/api/v3/token/{token}", auth=ALICE)
        await secured_api.client.post("/api/v3/token", auth=ALICE)
        assert (await secured_api.fleet.dataset()).entries == before

    async def test_other_spellings_of_the_name_are_the_same_user(self, secured_api: Api) -> None:
        await secured_api.fleet.failed_login("alice")
        answer = await secured_api.client.post("/api/v3/token", auth=("AlicE", "secret"))
        assert answer.status_code == 429

    async def test_other_users_are_not_concerned(self, secured_api: Api) -> None:
        await secured_api.fleet.failed_login("alice")
        assert (await secured_api.client.post("/api/v3/token", auth=BOB)).status_code == 200

    async def test_a_failed_login_counts_for_a_second(self, secured_api: Api) -> None:
        await secured_api.client.get("/api/v3/token", auth=("alice", "alice"))
        # None is left, should a second have gone by already.
        assert [entry.expires for entry in await failures(secured_api)] in ([True], [])
        await secured_api.fleet.forget_failed_logins()
        assert (await secured_api.client.post("/api/v3/token", auth=ALICE)).status_code == 200

    async def test_no_successful_login_is_counted(self, secured_api: Api) -> None:
        await make_token(secured_api)
        await make_token(secured_api)
        assert await failures(secured_api) == []


async def test_a_user_has_a_thousand_tokens_at_most(secured_api: Api) -> None:
    for number in range(1000):
        await secured_api.fleet.store.tokens.issue(f"token-{number}", "alice", ttl=None)
    answer = await secured_api.client.post("/api/v3/token", auth=ALICE)
    assert answer.status_code == 409
    assert "too many" in answer.json()["message"]
    await secured_api.client.delete("/api/v3/token/token-1", auth=ALICE)
    assert (await secured_api.client.post("/api/v3/token", auth=ALICE)).status_code == 200
