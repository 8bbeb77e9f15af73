"""Logins are counted by what became of them."""

import pytest

from tests.api.in_process import Api

TOKEN = "/api/v3/token"
RIGHT, WRONG = ("alice", "secret"), ("alice", "alice")


async def logins(api: Api) -> dict[str, float]:
    results = ("success", "failure", "throttled", "unavailable")
    return {result: api.metric("logins_total", result=result) for result in results}


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", TOKEN), ("GET", TOKEN), ("DELETE", f"{TOKEN}/unknown"), ("DELETE", f"{TOKEN}/bobs")],
)
async def test_a_right_login_is_a_success_whatever_becomes_of_the_wish(
    secured_api: Api, method: str, path: str
) -> None:
    await secured_api.fleet.token("bobs", "bob")
    await secured_api.client.request(method, path, auth=RIGHT)
    assert await logins(secured_api) == {"success": 1, "failure": 0, "throttled": 0, "unavailable": 0}


async def test_a_wrong_login_is_a_failure(secured_api: Api) -> None:
    await secured_api.client.post(TOKEN, auth=WRONG)
    assert await logins(secured_api) == {"success": 0, "failure": 1, "throttled": 0, "unavailable": 0}


@pytest.mark.parametrize("credentials", [RIGHT, WRONG])
async def test_a_login_right_after_a_failed_one_is_throttled(
    secured_api: Api, credentials: tuple[str, str]
) -> None:
    await secured_api.fleet.failed_login("alice")
    await secured_api.client.post(TOKEN, auth=credentials)
    assert await logins(secured_api) == {"success": 0, "failure": 0, "throttled": 1, "unavailable": 0}


async def test_a_request_without_credentials_is_no_login(secured_api: Api) -> None:
    await secured_api.client.post(TOKEN)
    await secured_api.client.get(f"{TOKEN}/good")
    assert not any((await logins(secured_api)).values())
