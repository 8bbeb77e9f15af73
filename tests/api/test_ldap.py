"""Users of a real LDAP directory: which connections to it are trusted, and what it costs the others."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.api.conftest import WithApi
from tests.api.ldap import ACCOUNT, ALICE, METHODS, log_in, section
from tests.support.slapd import PEOPLE, Slapd


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["direct", "account"])
@pytest.mark.parametrize("method", METHODS)
async def test_a_right_password_is_taken_and_a_wrong_one_refused(
    slapd: Slapd, with_api: WithApi, method: str, account: dict[str, str] | None
) -> None:
    async with with_api(auth=section(slapd, method, service_account_hash=account)) as api:
        assert await log_in(api, *ALICE) == 200
        assert await log_in(api, "alice", "wrong") == 401
        assert await log_in(api, "nobody", "wrong") == 401


async def test_a_name_that_two_entries_have_is_nobodys(slapd: Slapd, with_api: WithApi) -> None:
    keys: dict[str, Any] = {"user_object": "cn", "service_account_hash": ACCOUNT}
    async with with_api(auth=section(slapd, **keys)) as api:
        assert await log_in(api, "same", "daves") == 401
        assert await log_in(api, "same", "erins") == 401


@pytest.mark.parametrize(
    ("typed", "password", "account", "user"),
    [
        ("ALICE", ALICE[1], ACCOUNT, "alice"),
        ("alice ahearn", ALICE[1], ACCOUNT, "alice"),
        ("AliCe", ALICE[1], None, "alice"),
        ("BoB", "bob's", ACCOUNT, "bob"),
        ("BoB", "bob's", None, "bob"),
    ],
    ids=["case", "other attribute", "direct", "read by the account", "not readable: lower case"],
)
async def test_a_user_has_one_name_however_it_is_typed(
    slapd: Slapd, with_api: WithApi, typed: str, password: str, account: dict[str, str] | None, user: str
) -> None:
    keys: dict[str, Any] = {"user_object": ["uid", "cn"], "service_account_hash": account}
    async with with_api(auth=section(slapd, **keys), config={"admins": [user]}) as api:
        token = (await api.client.post("/api/v3/token", auth=(typed, password))).json()["token"]
        assert (await api.fleet.store.tokens.look_up(token)).user == user
        await api.fleet.token("carols", "carol")
        answer = await api.client.delete("/api/v3/token/carols", auth=(typed, password))
        assert answer.status_code == 200, "the name counts for admins, too"


async def test_the_attribute_that_holds_the_name_is_a_setting(slapd: Slapd, with_api: WithApi) -> None:
    async with with_api(auth=section(slapd, identity_attribute="CN")) as api:
        token = (await api.client.post("/api/v3/token", auth=ALICE)).json()["token"]
        assert (await api.fleet.store.tokens.look_up(token)).user == "Alice Ahearn"


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["direct", "account"])
async def test_who_has_several_names_is_refused(
    slapd: Slapd, with_api: WithApi, account: dict[str, str] | None
) -> None:
    async with with_api(auth=section(slapd, service_account_hash=account)) as api:
        assert await log_in(api, "many", "manys") == 401


async def test_who_sets_an_attribute_to_an_admins_name_does_not_log_in_as_that_admin(
    slapd: Slapd, with_api: WithApi
) -> None:
    keys: dict[str, Any] = {"user_object": ["uid", "cn"], "service_account_hash": ACCOUNT}
    async with with_api(auth=section(slapd, **keys)) as api:
        assert await log_in(api, "root", "mallorys") == 401
        assert await log_in(api, "root", "roots") == 200


async def test_a_search_ends_where_it_finds_two(slapd: Slapd, with_api: WithApi) -> None:
    keys: dict[str, Any] = {"user_object": ["cn", "uid"], "service_account_hash": ACCOUNT}
    async with with_api(auth=section(slapd, **keys)) as api:
        assert await log_in(api, "same", "sams") == 401


async def test_while_a_directory_hangs_all_other_requests_are_served(
    own_slapd: Slapd, with_api: WithApi
) -> None:
    keys: dict[str, Any] = {"connect_timeout": 50, "receive_timeout": 50}
    async with with_api(auth=section(own_slapd, **keys)) as api:
        await api.fleet.token("good", "alice")
        await api.fleet.ready("pool1", "one")
        own_slapd.pause()
        logins = [asyncio.create_task(api.client.post("/api/v3/token", auth=ALICE)) for _ in range(10)]
        good = {"X-AUTH-TOKEN": "good"}
        for method, path in (
            ("POST", "/api/v3/vm/pool1"),
            ("GET", "/api/v3/vm/one"),
            ("DELETE", "/api/v3/vm/one"),
            ("GET", "/api/v3/token/good"),
            ("GET", "/api/v3/status"),
        ):
            assert (await api.client.request(method, path, headers=good)).status_code == 200
        assert not any(login.done() for login in logins)
        own_slapd.resume()
        assert {answer.status_code for answer in await asyncio.gather(*logins)} == {200}


async def test_logins_beyond_what_can_wait_are_refused_and_nobody_blames_the_directory(
    own_slapd: Slapd, with_api: WithApi
) -> None:
    keys: dict[str, Any] = {"connect_timeout": 50, "receive_timeout": 50}
    with capture_logs() as entries:
        async with with_api(auth=section(own_slapd, **keys)) as api:
            own_slapd.pause()
            logins = [asyncio.create_task(api.client.post("/api/v3/token", auth=ALICE)) for _ in range(60)]
            done, waiting = await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)
            assert {login.result().status_code for login in done} == {429}
            assert "too many logins" in done.pop().result().json()["message"]
            own_slapd.resume()
            await asyncio.wait(waiting)
            statuses = [login.result().status_code for login in logins]
            assert (statuses.count(200), statuses.count(429)) == (36, 24)
            assert api.metric("logins_total", result="refused") == 24
    assert not [entry for entry in entries if entry["event"] == "outage.began"]


@pytest.mark.parametrize("method", ["start_tls", "simple_tls"])
async def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    own_slapd: Slapd, with_api: WithApi, method: str
) -> None:
    keys: dict[str, Any] = {"encryption": {"method": method}}
    async with with_api(auth=section(own_slapd, method, **keys)) as api:
        assert await log_in(api, *ALICE) == 503
    assert own_slapd.binds() == []


@pytest.mark.parametrize("method", ["start_tls", "simple_tls"])
async def test_a_certificate_for_another_host_is_not_trusted(
    own_slapd: Slapd, with_api: WithApi, method: str
) -> None:
    async with with_api(auth=section(own_slapd, method, host="localhost")) as api:
        assert await log_in(api, *ALICE) == 503
    assert own_slapd.binds() == []


@pytest.mark.parametrize("mode", ["none", 0, "OpenSSL::SSL::VERIFY_NONE"])
async def test_a_certificate_is_not_checked_where_that_was_turned_off(
    slapd: Slapd, with_api: WithApi, mode: str | int
) -> None:
    keys: dict[str, Any] = {"encryption": {"method": "start_tls", "tls_options": {"verify_mode": mode}}}
    async with with_api(auth=section(slapd, **keys)) as api:
        assert await log_in(api, *ALICE) == 200


async def test_a_server_that_speaks_only_old_tls_is_not_spoken_to(tmp_path: Path, with_api: WithApi) -> None:
    options = ["TLSCipherSuite NORMAL:-VERS-ALL:+VERS-TLS1.2"]
    with Slapd(tmp_path / "old", options=options) as slapd:
        encryption = section(slapd)["ldap"]["encryption"]
        strict = {**encryption["tls_options"], "ssl_version": "TLSv1_3"}
        async with with_api(auth=section(slapd)) as api:
            assert await log_in(api, *ALICE) == 200
        async with with_api(auth=section(slapd, encryption={**encryption, "tls_options": strict})) as api:
            assert await log_in(api, *ALICE) == 503


async def test_a_password_is_never_sent_before_the_connection_is_encrypted(
    tmp_path: Path, with_api: WithApi
) -> None:
    """The server lets nobody bind without encryption, and would have seen the attempt."""
    with Slapd(tmp_path / "strict", options=["security simple_bind=128"]) as slapd:
        async with with_api(auth=section(slapd)) as api:
            assert await log_in(api, *ALICE) == 200
        async with with_api(auth=section(slapd, "none")) as api:
            assert await log_in(api, *ALICE) == 503


@pytest.mark.parametrize(
    "account", [ACCOUNT | {"password": "wrong"}, {"user_dn": f"uid=bob,{PEOPLE}", "password": "wrong"}]
)
async def test_an_account_that_is_refused_is_the_directorys_failure_and_not_the_users(
    slapd: Slapd, with_api: WithApi, account: dict[str, str]
) -> None:
    async with with_api(auth=section(slapd, service_account_hash=account)) as api:
        assert await log_in(api, *ALICE) == 503
        assert not [name for name in (await api.fleet.dataset()).entries if name.startswith("failed:")]


async def test_a_login_is_one_round_trip_to_redis(slapd: Slapd, with_api: WithApi) -> None:
    async with with_api(auth=section(slapd)) as api:
        for password in (ALICE[1], "wrong"):
            before = api.metric("redis_round_trips_total")
            await api.client.post("/api/v3/token", auth=("alice", password))
            assert api.metric("redis_round_trips_total") - before == 1
