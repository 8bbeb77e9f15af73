"""Users of a real LDAP directory. The numbers are those of the 3.x contract's checklist."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.support.slapd import GUESTS, PEOPLE, PERSONS, SERVICE, Slapd

METHODS = ("none", "start_tls", "simple_tls")
ACCOUNT = {"user_dn": SERVICE[0], "password": SERVICE[1]}
ALICE = ("alice", "wonder land: yes")


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """Yield a server for all tests of this module that only ask."""
    with Slapd(tmp_path_factory.mktemp("slapd") / "server") as slapd:
        yield slapd


@pytest.fixture
def own_slapd(tmp_path: Path) -> Iterator[Slapd]:
    """Yield a server of the test's own: to pause, kill, and read the whole log of."""
    with Slapd(tmp_path / "slapd") as slapd:
        yield slapd


def section(slapd: Slapd, method: str = "start_tls", **keys: Any) -> dict[str, Any]:
    """Give the section `auth` for a server; `keys` are changed in `auth.ldap`."""
    ldap = {
        "host": "127.0.0.1",
        "port": slapd.tls_port if method == "simple_tls" else slapd.port,
        "base": PEOPLE,
        "user_object": "uid",
        "encryption": {"method": method, "tls_options": {"ca_file": str(slapd.ca_file)}},
    }
    return {"provider": "ldap", "ldap": ldap | keys}


async def log_in(api: Api, user: str, password: str) -> int:
    """Make a token; give the status. Logins that failed before don't count."""
    await api.fleet.forget_failed_logins()
    credentials = httpx.BasicAuth(user.encode(), password.encode())
    return (await api.client.post("/api/v3/token", auth=credentials)).status_code


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["direct", "account"])
@pytest.mark.parametrize("method", METHODS)
async def test_a_right_password_is_taken_and_a_wrong_one_refused(
    slapd: Slapd, with_api: WithApi, method: str, account: dict[str, str] | None
) -> None:
    async with with_api(auth=section(slapd, method, service_account_hash=account)) as api:
        assert await log_in(api, *ALICE) == 200
        assert await log_in(api, "alice", "wrong") == 401
        assert await log_in(api, "nobody", "wrong") == 401


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["direct", "account"])
@pytest.mark.parametrize("uid", ["zoë", "star * (one), two=2"])
async def test_96_a_name_may_hold_any_sign(
    slapd: Slapd, with_api: WithApi, uid: str, account: dict[str, str] | None
) -> None:
    (password,) = (person.password for person in PERSONS if person.uid == uid)
    async with with_api(auth=section(slapd, service_account_hash=account)) as api:
        assert await log_in(api, uid, password) == 200
        assert await log_in(api, uid, "wrong") == 401


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["direct", "account"])
@pytest.mark.parametrize(
    "name",
    [
        "*",
        "al*",
        "alice)(uid=*",
        "*)(uid=alice",
        "alice,ou=people,dc=lab",
        "alice+cn=Alice Ahearn",
        "al\\69ce",
    ],
)
async def test_96_signs_of_filters_and_names_have_no_meaning_in_a_users_name(
    slapd: Slapd, with_api: WithApi, name: str, account: dict[str, str] | None
) -> None:
    async with with_api(auth=section(slapd, service_account_hash=account)) as api:
        assert await log_in(api, name, ALICE[1]) == 401


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["direct", "account"])
@pytest.mark.parametrize(("user", "password"), [("alice", ""), ("", "wonder land: yes"), ("", "")])
async def test_95_empty_names_and_passwords_are_refused_without_asking_the_directory(
    own_slapd: Slapd, with_api: WithApi, user: str, password: str, account: dict[str, str] | None
) -> None:
    async with with_api(auth=section(own_slapd, service_account_hash=account)) as api:
        assert await log_in(api, user, password) == 401
        assert own_slapd.binds() == []
        own_slapd.kill()
        assert await log_in(api, user, password) == 401


async def test_97_bases_are_tried_in_order_until_one_fits(own_slapd: Slapd, with_api: WithApi) -> None:
    async with with_api(auth=section(own_slapd, base=[GUESTS, PEOPLE])) as api:
        assert await log_in(api, "twin", "second") == 200
        assert own_slapd.binds() == [f"uid=twin,{GUESTS}"]
        assert await log_in(api, "twin", "first") == 200
        assert own_slapd.binds()[1:] == [f"uid=twin,{GUESTS}", f"uid=twin,{PEOPLE}"]
        assert await log_in(api, "twin", "third") == 401


async def test_98_all_attributes_are_tried_in_a_base_before_the_next(
    own_slapd: Slapd, with_api: WithApi
) -> None:
    keys: dict[str, Any] = {"base": [PEOPLE, GUESTS], "user_object": ["cn", "uid"]}
    async with with_api(auth=section(own_slapd, service_account_hash=ACCOUNT, **keys)) as api:
        assert await log_in(api, "carol", "guest") == 200
    assert own_slapd.filters() == [
        (PEOPLE, "(cn=carol)"),
        (PEOPLE, "(uid=carol)"),
        (GUESTS, "(cn=carol)"),
        (GUESTS, "(uid=carol)"),
    ]


async def test_98_all_names_of_a_base_are_tried_before_the_next(own_slapd: Slapd, with_api: WithApi) -> None:
    async with with_api(auth=section(own_slapd, base=[PEOPLE, GUESTS], user_object=["cn", "uid"])) as api:
        assert await log_in(api, "carol", "wrong") == 401
    bases = [base for base in (PEOPLE, GUESTS) for _ in range(2)]
    assert own_slapd.binds() == [
        f"{name}=carol,{base}" for name, base in zip(("cn", "uid") * 2, bases, strict=True)
    ]


async def test_99_an_account_searches_and_the_entry_that_is_found_binds(
    own_slapd: Slapd, with_api: WithApi
) -> None:
    keys: dict[str, Any] = {"user_object": "cn", "service_account_hash": ACCOUNT}
    async with with_api(auth=section(own_slapd, **keys)) as api:
        assert await log_in(api, "Alice Ahearn", ALICE[1]) == 200
    assert own_slapd.binds() == [SERVICE[0], f"uid=alice,{PEOPLE}"]


async def test_a_name_that_two_entries_have_is_nobodys(slapd: Slapd, with_api: WithApi) -> None:
    keys: dict[str, Any] = {"user_object": "cn", "service_account_hash": ACCOUNT}
    async with with_api(auth=section(slapd, **keys)) as api:
        assert await log_in(api, "same", "daves") == 401
        assert await log_in(api, "same", "erins") == 401


@pytest.mark.parametrize("method", METHODS)
async def test_100_a_directory_that_is_gone_is_told_until_it_is_back(
    own_slapd: Slapd, with_api: WithApi, method: str
) -> None:
    async with with_api(auth=section(own_slapd, method)) as api:
        own_slapd.kill()
        answer = await api.client.post("/api/v3/token", auth=ALICE)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert answer.json() == {
            "ok": False,
            "message": "the directory of users can't be used for now; try again",
        }
        own_slapd.start()
        assert await log_in(api, *ALICE) == 200


@pytest.mark.parametrize("method", METHODS)
async def test_100_a_login_at_a_directory_that_hangs_ends(
    own_slapd: Slapd, with_api: WithApi, method: str
) -> None:
    keys: dict[str, Any] = {"connect_timeout": 0.2, "receive_timeout": 0.2}
    async with with_api(auth=section(own_slapd, method, **keys)) as api:
        own_slapd.pause()
        answers = await asyncio.gather(
            *(api.client.post("/api/v3/token", auth=(f"user-{number}", "x")) for number in range(60))
        )
        assert [answer.status_code for answer in answers] == [503] * 60


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


async def test_logins_beyond_what_can_wait_are_refused(own_slapd: Slapd, with_api: WithApi) -> None:
    keys: dict[str, Any] = {"connect_timeout": 50, "receive_timeout": 50}
    async with with_api(auth=section(own_slapd, **keys)) as api:
        own_slapd.pause()
        logins = [asyncio.create_task(api.client.post("/api/v3/token", auth=ALICE)) for _ in range(60)]
        done, waiting = await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)
        assert {login.result().status_code for login in done} == {503}
        own_slapd.resume()
        await asyncio.wait(waiting)
        statuses = [login.result().status_code for login in logins]
        assert (statuses.count(200), statuses.count(503)) == (36, 24)


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
