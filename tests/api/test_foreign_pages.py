"""Changes that pages of other sites try in a visitor's browser, where no token protects."""

from typing import Any

import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api

VMS = "/api/v3/vm"
FOREIGN = {"ok": False, "message": "a page of another site may not change anything here"}
ELSEWHERE = {"ok": False, "message": "this name of the service isn't among config.hosts"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://api.test.evil.test"},
        {"Origin": "http://api.test:8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://api.test"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://other.test"},
    ],
)
async def test_a_foreign_page_changes_nothing(api: Api, headers: dict[str, str]) -> None:
    await api.fleet.running("pool1", "two")
    await api.fleet.ready("pool1", "one")
    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", f"{VMS}/pool1", {}),
        ("POST", "/api/v1/vm/pool1", {}),
        ("POST", "/vm/pool1", {}),
        ("DELETE", f"{VMS}/two", {}),
        ("PUT", f"{VMS}/two", {"json": {"lifetime": 1}}),
        ("POST", "/api/v3/ondemandvm", {"json": {"pool1": 1}}),
    ]
    for method, path, arguments in changes:
        answer = await api.client.request(method, path, headers=headers, **arguments)
        assert (answer.status_code, answer.json()) == (403, FOREIGN), (method, path)
    assert (await api.fleet.state("one"), await api.fleet.state("two")) == ("ready", "running")
    labels = {"code": "403", "method": "post", "path": "/vm/{name}"}
    assert api.registry.get_sample_value("vmpooler_http_requests_total", labels) == 1
    assert (await api.client.get(f"{VMS}/two", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://api.test"},
        {"Origin": "https://API.test"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind-a-proxy.test"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_our_own_pages_and_other_clients_may_change_what_they_like(
    api: Api, headers: dict[str, str]
) -> None:
    await api.fleet.ready("pool1", "one")
    assert (await api.client.post(f"{VMS}/pool1", headers=headers)).status_code == 200


async def test_with_authentication_tokens_protect(secured_api: Api) -> None:
    await secured_api.fleet.running("pool1", "mine", token="good")
    foreign = {"Origin": "http://evil.test", "Sec-Fetch-Site": "cross-site"}
    assert (await secured_api.client.delete(f"{VMS}/mine", headers=foreign)).status_code == 401
    token = {"X-AUTH-TOKEN": "good"}
    assert (await secured_api.client.delete(f"{VMS}/mine", headers=foreign | token)).status_code == 200


@pytest.mark.parametrize("auth", [None, "dummy"])
async def test_where_hosts_are_named_changes_come_to_one_of_them(with_api: WithApi, auth: str | None) -> None:
    """A page whose name is resolved to this address has the same origin as the API, and its name as host."""
    config = {"hosts": "vm.example.test, [2001:db8::7]"}
    async with with_api(auth=auth, config=config) as api:
        for host, is_known in (
            ("vm.example.test", True),
            ("VM.example.test:4567", True),
            ("[2001:DB8::7]:4567", True),
            ("evil.test", False),
            ("api.test", False),
            ("", False),
        ):
            headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
            answer = await api.client.post(f"{VMS}/pool1", headers=headers)
            assert (answer.status_code == 503) == is_known, host
            assert is_known or (answer.status_code, answer.json()) == (403, ELSEWHERE)
            assert (await api.client.get(VMS, headers=headers)).status_code == 200


async def test_a_proxy_may_change_the_host_where_hosts_are_named(with_api: WithApi) -> None:
    async with with_api(config={"hosts": ["vm.example.test", "api.test"]}) as api:
        known = await api.client.post(f"{VMS}/pool1", headers={"Origin": "https://vm.example.test"})
        foreign = await api.client.post(f"{VMS}/pool1", headers={"Origin": "https://evil.test"})
    assert (known.status_code, foreign.status_code) == (503, 403)
