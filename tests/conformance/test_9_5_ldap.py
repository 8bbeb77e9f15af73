"""Section 9.5 of the checklist: users of a real LDAP directory."""

import asyncio
from typing import Any

import pytest

from tests.api.conftest import WithApi
from tests.api.ldap import ACCOUNT, ALICE, METHODS, log_in, section
from tests.support.slapd import GUESTS, PEOPLE, PERSONS, SERVICE, Slapd


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["direct", "account"])
@pytest.mark.parametrize(("user", "password"), [("alice", ""), ("", "wonder land: yes"), ("", "")])
async def test_095_empty_names_and_passwords_are_refused_without_asking_the_directory(
    own_slapd: Slapd, with_api: WithApi, user: str, password: str, account: dict[str, str] | None
) -> None:
    """[H] Given an empty password with LDAP, then 401 without contacting the directory."""
    async with with_api(auth=section(own_slapd, service_account_hash=account)) as api:
        assert await log_in(api, user, password) == 401
        assert own_slapd.binds() == []
        own_slapd.kill()
        assert await log_in(api, user, password) == 401


@pytest.mark.parametrize("account", [None, ACCOUNT], ids=["direct", "account"])
@pytest.mark.parametrize("uid", ["zoë", "star * (one), two=2"])
async def test_096_a_name_may_hold_any_sign(
    slapd: Slapd, with_api: WithApi, uid: str, account: dict[str, str] | None
) -> None:
    """[H] Given a user name with `*`, `(`, `)`, `,` or `=`, then it is escaped in filter and DN."""
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
async def test_096_signs_of_filters_and_names_have_no_meaning_in_a_users_name(
    slapd: Slapd, with_api: WithApi, name: str, account: dict[str, str] | None
) -> None:
    async with with_api(auth=section(slapd, service_account_hash=account)) as api:
        assert await log_in(api, name, ALICE[1]) == 401


async def test_097_bases_are_tried_in_order_until_one_fits(own_slapd: Slapd, with_api: WithApi) -> None:
    """[C] Given several LDAP bases, then they are tried in order and the first success stops the
    search; all fail → 401.
    """
    async with with_api(auth=section(own_slapd, base=[GUESTS, PEOPLE])) as api:
        assert await log_in(api, "twin", "second") == 200
        assert own_slapd.binds() == [f"uid=twin,{GUESTS}"]
        assert await log_in(api, "twin", "first") == 200
        assert own_slapd.binds()[1:] == [f"uid=twin,{GUESTS}", f"uid=twin,{PEOPLE}"]
        assert await log_in(api, "twin", "third") == 401


async def test_098_all_attributes_are_tried_in_a_base_before_the_next(
    own_slapd: Slapd, with_api: WithApi
) -> None:
    """[C] Given several user objects and bases, then for each base all objects are tried before the
    next base.
    """
    keys: dict[str, Any] = {"base": [PEOPLE, GUESTS], "user_object": ["cn", "uid"]}
    async with with_api(auth=section(own_slapd, service_account_hash=ACCOUNT, **keys)) as api:
        assert await log_in(api, "carol", "guest") == 200
    assert own_slapd.filters() == [
        (PEOPLE, "(cn=carol)"),
        (PEOPLE, "(uid=carol)"),
        (GUESTS, "(cn=carol)"),
        (GUESTS, "(uid=carol)"),
        (f"uid=carol,{GUESTS}", "(objectClass=*)"),  # what carol is called
    ]


async def test_098_all_names_of_a_base_are_tried_before_the_next(own_slapd: Slapd, with_api: WithApi) -> None:
    async with with_api(auth=section(own_slapd, base=[PEOPLE, GUESTS], user_object=["cn", "uid"])) as api:
        assert await log_in(api, "carol", "wrong") == 401
    bases = [base for base in (PEOPLE, GUESTS) for _ in range(2)]
    assert own_slapd.binds() == [
        f"{name}=carol,{base}" for name, base in zip(("cn", "uid") * 2, bases, strict=True)
    ]


async def test_099_an_account_searches_and_the_entry_that_is_found_binds(
    own_slapd: Slapd, with_api: WithApi
) -> None:
    """[C] Given a service account, then authentication searches with it and binds as the found entry."""
    keys: dict[str, Any] = {"user_object": "cn", "service_account_hash": ACCOUNT}
    async with with_api(auth=section(own_slapd, **keys)) as api:
        assert await log_in(api, "Alice Ahearn", ALICE[1]) == 200
    assert own_slapd.binds() == [SERVICE[0], f"uid=alice,{PEOPLE}"]


@pytest.mark.parametrize("method", METHODS)
async def test_100_a_directory_that_is_gone_is_told_until_it_is_back(
    own_slapd: Slapd, with_api: WithApi, method: str
) -> None:
    """[H] Given the directory is unreachable, then not 500."""
    async with with_api(auth=section(own_slapd, method)) as api:
        own_slapd.kill()
        answer = await api.client.post("/api/v3/token", auth=ALICE)
        assert answer.status_code == 503
        assert api.metric("logins_total", result="unavailable") == 1
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
        statuses = {answer.status_code for answer in answers}
        assert statuses == {503, 429}, "those that asked, and those that found no thread"
