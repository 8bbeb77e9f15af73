"""Making and deleting tokens: what the conformance checklist doesn't speak of."""

import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.api.logins import ADMIN, ALICE, BOB, basic_header, make_token
from tests.store.dataset import Entry
from tests.store.fleet import ALICE_HERE


async def test_a_password_may_hold_colons_and_any_letter(secured_api: Api) -> None:
    answer = await secured_api.client.post("/api/v3/token", headers=basic_header("zoë:pä:ss", "bASIC"))
    assert answer.status_code == 200


async def test_every_token_is_another(secured_api: Api) -> None:
    assert len({await make_token(secured_api) for _ in range(20)}) == 20


async def test_a_token_that_was_never_used_is_shown_without_a_last_use(secured_api: Api) -> None:
    token = await make_token(secured_api)
    assert "last" not in (await secured_api.client.get(f"/api/v3/token/{token}")).json()[token]


async def test_deleting_a_token_leaves_its_vms_to_their_user(secured_api: Api) -> None:
    token, other = await make_token(secured_api), await make_token(secured_api)
    await secured_api.fleet.running("pool1", "one", token=token)
    await secured_api.client.delete(f"/api/v3/token/{token}", auth=ALICE)
    assert await secured_api.fleet.state("one") == "running"
    answer = await secured_api.client.delete("/api/v3/vm/one", headers={"X-AUTH-TOKEN": other})
    assert answer.status_code == 200


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


class TestBeginning:
    """A token under the name that lists show."""

    @pytest.mark.parametrize("ending", ["", "…", "...", "… (2)"])
    async def test_a_listed_name_shows_and_revokes_the_token(self, secured_api: Api, ending: str) -> None:
        token = await make_token(secured_api)
        path = f"/api/v3/token/{token[:8]}{ending}"
        shown = (await secured_api.client.get(path, auth=ALICE)).json()
        assert shown["ok"] is True
        assert set(shown[token[:8] + ending]) == {"user", "created"}
        assert (await secured_api.client.delete(path, auth=ALICE)).status_code == 200
        assert (await secured_api.client.get(f"/api/v3/token/{token}")).status_code == 404

    async def test_without_a_login_it_tells_nothing(self, secured_api: Api) -> None:
        token = await make_token(secured_api)
        for beginning in (token[:8], "notoken1"):
            answer = await secured_api.client.get(f"/api/v3/token/{beginning}")
            assert (answer.status_code, answer.json()) == (401, {"ok": False})

    async def test_another_users_login_finds_nothing(self, secured_api: Api) -> None:
        token = await make_token(secured_api)
        for method in ("GET", "DELETE"):
            path = f"/api/v3/token/{token[:8]}"
            answer = await secured_api.client.request(method, path, auth=BOB)
            assert answer.status_code == 404
            answer = await secured_api.client.request(method, f"{path}?user=alice", auth=BOB)
            assert answer.status_code == 403
        assert (await secured_api.client.get(f"/api/v3/token/{token}")).status_code == 200

    async def test_an_admin_lists_and_revokes_by_user(self, secured_api: Api) -> None:
        token = await make_token(secured_api)
        listed = (await secured_api.client.get("/api/v3/token?user=alice", auth=ADMIN)).json()
        assert list(listed) == ["ok", f"{token[:8]}…"]
        path = f"/api/v3/token/{token[:8]}…"
        assert (await secured_api.client.delete(path, auth=ADMIN)).status_code == 404, "root has none"
        assert (await secured_api.client.delete(f"{path}?user=alice", auth=ADMIN)).status_code == 200
        assert (await secured_api.client.get(f"/api/v3/token/{token}")).status_code == 404

    async def test_two_that_begin_alike_are_told_apart_by_the_whole_token_only(
        self, secured_api: Api
    ) -> None:
        for token in ("alike-12-a", "alike-12-b"):
            await secured_api.fleet.store.tokens.issue(token, "alice", attempt=ALICE_HERE, ttl=None)
        for method in ("GET", "DELETE"):
            answer = await secured_api.client.request(method, "/api/v3/token/alike-12…", auth=ALICE)
            assert answer.status_code == 409
            assert "whole token" in answer.json()["message"]
        assert (await secured_api.client.delete("/api/v3/token/alike-12-a", auth=ALICE)).status_code == 200

    async def test_a_whole_token_is_tried_first(self, secured_api: Api) -> None:
        for token in ("alike-12", "alike-12-b"):
            await secured_api.fleet.store.tokens.issue(token, "alice", attempt=ALICE_HERE, ttl=None)
        assert (await secured_api.client.get("/api/v3/token/alike-12")).status_code == 200
        assert (await secured_api.client.delete("/api/v3/token/alike-12", auth=ALICE)).status_code == 200
        assert (await secured_api.client.get("/api/v3/token/alike-12-b")).status_code == 200


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

    async def test_the_user_logs_in_from_elsewhere(self, with_api: WithApi) -> None:
        async with with_api(auth="dummy", config={"trusted_proxies": ["127.0.0.1"]}) as api:
            await api.fleet.failed_login("alice", address="192.0.2.7")
            statuses = {
                address: (
                    await api.client.post("/api/v3/token", auth=ALICE, headers={"X-Forwarded-For": address})
                ).status_code
                for address in ("192.0.2.7", "192.0.2.8")
            }
            assert statuses == {"192.0.2.7": 429, "192.0.2.8": 200}

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
        await secured_api.fleet.store.tokens.issue(f"token-{number}", "alice", attempt=ALICE_HERE, ttl=None)
    answer = await secured_api.client.post("/api/v3/token", auth=ALICE)
    assert answer.status_code == 409
    assert "too many" in answer.json()["message"]
    await secured_api.client.delete("/api/v3/token/token-1", auth=ALICE)
    assert (await secured_api.client.post("/api/v3/token", auth=ALICE)).status_code == 200


async def test_no_answer_about_tokens_is_kept_by_a_proxy_or_browser(secured_api: Api) -> None:
    made = await secured_api.client.post("/api/v3/token", auth=ALICE)
    path = f"/api/v3/token/{made.json()['token']}"
    answers = [
        made,
        await secured_api.client.get("/api/v3/token", auth=ALICE),
        await secured_api.client.get(path),
        await secured_api.client.get(path.replace("v3", "v1")),
        await secured_api.client.delete(path, auth=ALICE),
    ]
    assert {(answer.status_code, answer.headers["Cache-Control"]) for answer in answers} == {
        (200, "no-store")
    }
