"""Refusals are logged with who tried what, and from where."""

from typing import Any

from structlog.testing import capture_logs

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.api.limits import ON, limits

TOKEN = "/api/v3/token"


async def line_of(api: Api, method: str, path: str, **arguments: Any) -> dict[str, Any]:
    with capture_logs() as entries:
        await api.client.request(method, path, **arguments)
    (line,) = [dict(entry) for entry in entries if entry["event"] in ("login.failed", "http.refused")]
    return line


async def test_a_failed_login_is_told_with_name_address_and_route(secured_api: Api) -> None:
    line = await line_of(secured_api, "POST", TOKEN, auth=("alice", "alice"))
    assert line == {
        "event": "login.failed",
        "log_level": "warning",
        "status": 401,
        "reason": "WrongCredentials",
        "method": "POST",
        "route": TOKEN,
        "client": "127.0.0.1",
        "user": "alice",
    }
    await secured_api.fleet.failed_login("bob")
    line = await line_of(secured_api, "GET", TOKEN, auth=("bob", "secret"))
    assert (line["event"], line["status"], line["user"]) == ("login.failed", 429, "bob")


async def test_requests_that_are_refused_are_told(secured_api: Api) -> None:
    await secured_api.fleet.token("bobs-token-is-long", "bob")
    await secured_api.fleet.running("pool1", "mine", token="good")
    path = "/api/v3/vm/mine"
    line = await line_of(secured_api, "DELETE", path, headers={"X-AUTH-TOKEN": "bobs-token-is-long"})
    assert (line["event"], line["status"], line["token"]) == ("http.refused", 403, "bobs-tok")
    assert (line["route"], line["client"]) == ("/api/v3/vm/{name}", "127.0.0.1")
    line = await line_of(secured_api, "DELETE", path, headers={"X-AUTH-TOKEN": "perhaps a password"})
    assert (line["status"], line.get("token"), "password" in str(line)) == (401, None, False)


async def test_refusals_before_any_route_are_told(with_api: WithApi) -> None:
    async with with_api(config={**ON, "hosts": ["api.test"]}, sections=limits(vm_deletion=1)) as api:
        line = await line_of(api, "DELETE", "/api/v3/vm/a", headers={"Host": "other.test"})
        assert (line["status"], line["route"]) == (403, "/api/v3/vm/{name}")
        line = await line_of(api, "DELETE", "/api/v3/vm/a")
        assert (line["status"], line["route"], line["reason"]) == (
            429,
            "/api/v3/vm/{name}",
            "rate limit vm_deletion",
        )
