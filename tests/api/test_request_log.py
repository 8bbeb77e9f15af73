"""The log of requests: one line each, and nothing in it that isn't for everybody's eyes."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.api.conftest import WithApi
from tests.api.in_process import Api

ON = {"request_logger": True}


async def logged(api: Api, method: str, path: str, **arguments: Any) -> dict[str, Any]:
    """Send one request and give its line."""
    with capture_logs() as entries:
        await api.client.request(method, path, **arguments)
    (line,) = [dict(entry) for entry in entries if entry["event"] == "http.request"]
    return line


async def test_a_request_is_one_line_with_its_facts(with_api: WithApi) -> None:
    async with with_api(config=ON) as api:
        await api.fleet.running("pool1", "mine")
        line = await logged(api, "DELETE", "/api/v3/vm/mine.example.test")
    assert line.pop("milliseconds") >= 0
    assert line == {
        "event": "http.request",
        "log_level": "info",
        "method": "DELETE",
        "route": "/api/v3/vm/{name}",
        "status": 200,
        "client": "127.0.0.1",
        "bytes": len(b'{\n  "ok": true\n}'),
    }


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/api/v3/vm/unknown", "/api/v3/vm/{name}", 404),
        ("GET", "/api/v3/status/", "/api/v3/status", 200),
        ("HEAD", "/api/v3/status", "/api/v3/status", 200),
        ("GET", "/wp-login.php", "unmatched", 404),
        ("GET", "/healthcheck", "/healthcheck", 200),
        ("POST", "/api/v3/vm/pool3", "/api/v3/vm/{name}", 503),
    ],
)
async def test_a_line_names_the_route_and_the_status(
    with_api: WithApi, method: str, path: str, route: str, status: int
) -> None:
    async with with_api(config=ON) as api:
        line = await logged(api, method, path)
    assert (line["method"], line["route"], line["status"]) == (method, route, status)


async def test_the_answer_to_head_has_no_bytes(with_api: WithApi) -> None:
    async with with_api(config=ON) as api:
        assert (await logged(api, "HEAD", "/healthcheck"))["bytes"] == 0


async def test_bytes_are_those_that_are_sent(with_api: WithApi) -> None:
    pools = {f"pool-{number}": 0 for number in range(200)}
    async with with_api(config=ON, pools=pools) as api:
        packed = await logged(api, "GET", "/api/v3/vm", headers={"Accept-Encoding": "gzip"})
        plain = await logged(api, "GET", "/api/v3/vm", headers={"Accept-Encoding": "identity"})
    assert packed["bytes"] < plain["bytes"] / 2


async def test_a_refusal_of_the_limiter_is_logged_with_its_route(with_api: WithApi) -> None:
    sections = {"rate_limits": {"global_per_ip": {"limit": 1}}}
    async with with_api(config={**ON, "rate_limiting_enabled": True}, sections=sections) as api:
        await api.client.get("/api/v3/status")
        line = await logged(api, "GET", "/api/v3/status")
    assert (line["route"], line["status"]) == ("/api/v3/status", 429)


async def test_no_token_query_path_or_body_is_logged(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config=ON) as api:
        with capture_logs() as entries:
            await api.client.post(
                "/api/v3/vm/hidden-name?token=hidden-query",
                headers={"X-AUTH-TOKEN": "hidden-token", "Authorization": "Basic hidden-login"},
                json={"hidden-body": 1},
            )
    assert [entry["event"] for entry in entries] == ["http.request"]
    assert "hidden" not in str(entries)


async def test_behind_a_trusted_proxy_the_client_is_named(with_api: WithApi) -> None:
    async with with_api(config={**ON, "trusted_proxies": ["127.0.0.1"]}) as api:
        line = await logged(api, "GET", "/healthcheck", headers={"X-Forwarded-For": "192.0.2.7"})
    assert line["client"] == "192.0.2.7"


async def test_a_request_that_ends_in_an_error_is_logged_as_500(with_api: WithApi) -> None:
    async def breaks() -> None:
        raise LookupError

    async with with_api(config=ON) as api:
        api.app.add_api_route("/breaks", breaks)
        line = await logged(api, "GET", "/breaks")
    assert (line["route"], line["status"]) == ("/breaks", 500)


async def test_it_is_off_unless_it_is_asked_for(api: Api) -> None:
    with capture_logs() as entries:
        await api.client.get("/api/v3/status")
    assert not [entry for entry in entries if entry["event"] == "http.request"]
