"""Giving VMs back."""

import httpx
import pytest

from tests.store.fleet import Fleet


@pytest.mark.parametrize("name", ["one.example.test", "one.anything.at.all"])
async def test_any_domain_will_do(client: httpx.AsyncClient, fleet: Fleet, name: str) -> None:
    await fleet.running("pool1", "one")
    assert (await client.delete(f"/api/v3/vm/{name}")).status_code == 200


async def test_a_vm_is_given_back_once(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.running("pool1", "one")
    answers = [await client.delete("/api/v3/vm/one") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 404]


async def test_the_spelling_of_a_name_counts(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.running("pool1", "one")
    assert (await client.delete("/api/v3/vm/ONE")).status_code == 404
