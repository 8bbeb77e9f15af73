"""Giving VMs back."""

import httpx
import pytest

from tests.store.fleet import SITUATIONS, Fleet


async def test_a_returned_vm_is_to_be_destroyed(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.running("pool1", "one")
    answer = await client.delete("/api/v3/vm/one")
    assert answer.status_code == 200
    assert answer.text == '{\n  "ok": true\n}'
    assert (await fleet.dataset()).memberships("one") == ["completed:pool1"]


@pytest.mark.parametrize("name", ["one.example.test", "one.anything.at.all"])
async def test_any_domain_will_do(client: httpx.AsyncClient, fleet: Fleet, name: str) -> None:
    await fleet.running("pool1", "one")
    assert (await client.delete(f"/api/v3/vm/{name}")).status_code == 200


@pytest.mark.parametrize("situation", [name for name in SITUATIONS if name != "running"])
async def test_only_a_running_vm_can_be_given_back(
    client: httpx.AsyncClient, fleet: Fleet, situation: str
) -> None:
    await SITUATIONS[situation](fleet, "pool1", "one")
    before = (await fleet.dataset()).entries
    answer = await client.delete("/api/v3/vm/one")
    assert (answer.status_code, answer.json()) == (404, {"ok": False})
    assert (await fleet.dataset()).entries == before


async def test_a_vm_is_given_back_once(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.running("pool1", "one")
    answers = [await client.delete("/api/v3/vm/one") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 404]


async def test_the_spelling_of_a_name_counts(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.running("pool1", "one")
    assert (await client.delete("/api/v3/vm/ONE")).status_code == 404


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("invalid_host!", "Invalid hostname format"),
        ("-one", "Invalid hostname format"),
        ("one.", "Invalid hostname format"),
        ("a" * 64, "Invalid hostname format"),
        ("a" * 254, "Hostname too long"),
        ("one%0A", "Invalid hostname format"),
        ("%ff", "Invalid hostname format"),
    ],
)
@pytest.mark.parametrize("method", ["DELETE", "GET"])
async def test_what_is_no_host_name_is_refused(
    client: httpx.AsyncClient, method: str, name: str, reason: str
) -> None:
    answer = await client.request(method, f"/api/v3/vm/{name}")
    assert (answer.status_code, answer.json()) == (400, {"ok": False, "error": reason})
