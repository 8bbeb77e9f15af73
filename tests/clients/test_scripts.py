"""Other clients' ways to ask: beaker and what is like it, and shell scripts with curl."""

import httpx
import pytest

from tests.api.in_process import Api
from tests.clients.conftest import TOKEN
from tests.support.refusals import refusal_of

DEBIAN, ROCKY = "debian-12-x86_64", "rocky-9-x86_64"
WITH_TOKEN = {"X-AUTH-TOKEN": TOKEN}
AS_CURL_DOES = {"User-Agent": "curl/8.5.0", "Content-Type": "application/x-www-form-urlencoded"}
VERSIONS = ["v1", "v2", "v3"]


def hostnames(answer: httpx.Response) -> dict[str, list[str]]:
    """Read the names of a checkout, as a client that knows all versions does."""
    content = answer.json()
    assert content.pop("ok") is True
    domain = content.pop("domain", "")
    return {
        name: [f"{told}.{domain}" if domain else told for told in _listed(value["hostname"])]
        for name, value in content.items()
    }


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_test_runner_takes_its_machines_and_gives_them_back(api: Api, version: str) -> None:
    await api.fleet.ready(DEBIAN, "one", "two")
    await api.fleet.ready(ROCKY, "three")
    url = f"/api/{version}/vm"
    body = f'{{"{DEBIAN}":"2","{ROCKY}":"1"}}'
    answer = await api.client.post(f"{url}/", content=body, headers=WITH_TOKEN)
    taken = hostnames(answer)
    assert taken == {DEBIAN: ["one.example.test", "two.example.test"], ROCKY: ["three.example.test"]}
    for change in ('{"tags":{"role":"agent","created_by":"alice"}}', '{"lifetime":"9"}'):
        answer = await api.client.put(f"{url}/one", content=change, headers=WITH_TOKEN)
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
    machine = (await api.client.get(f"{url}/one")).json()["one"]
    assert (machine["lifetime"], machine["tags"]) == (9, {"role": "agent", "created_by": "alice"})
    for names in taken.values():
        for name in names:
            answer = await api.client.delete(f"{url}/{name.partition('.')[0]}", headers=WITH_TOKEN)
            assert (answer.status_code, answer.json()) == (200, {"ok": True})


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_shell_script_takes_a_machine_and_gives_it_back(api: Api, version: str) -> None:
    await api.fleet.ready(DEBIAN, "one")
    url = f"/api/{version}/vm"
    answer = await api.client.post(url, content='{"debian":1}', headers=AS_CURL_DOES)
    assert hostnames(answer) == {"debian": ["one.example.test"]}
    answer = await api.client.delete(f"{url}/one.example.test", headers={"User-Agent": "curl/8.5.0"})
    assert answer.status_code == 200
    answer = await api.client.post(f"{url}/debian", headers={"User-Agent": "curl/8.5.0"})
    assert refusal_of(answer) == (503, {"ok": False})


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_test_runner_adds_disks(api: Api, version: str) -> None:
    await api.fleet.running(DEBIAN, "one", token=TOKEN)
    answer = await api.client.post(f"/api/{version}/vm/one/disk/8", headers=WITH_TOKEN)
    assert (answer.status_code, answer.json()) == (202, {"ok": True, "one": {"disk": "+8gb"}})


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_machine_that_was_taken_with_a_token_needs_one_to_be_given_back(
    api: Api, version: str
) -> None:
    await api.fleet.ready(DEBIAN, "one")
    url = f"/api/{version}/vm"
    assert (await api.client.post(f"{url}/{DEBIAN}", headers=WITH_TOKEN)).status_code == 200
    assert (await api.client.delete(f"{url}/one")).status_code == 401
    assert (await api.client.delete(f"{url}/one", headers=WITH_TOKEN)).status_code == 200
