"""Section 9.8 of the checklist: looking at VMs, and giving them back."""

from datetime import datetime, timedelta

import httpx
import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api, make_ready
from tests.store.fleet import SITUATIONS, Fleet
from tests.support.refusals import refusal_of
from vmpooler_common.store.vms.changes import Access, VmChange

HOUR = timedelta(hours=1)
GOOD, BAD = {"X-AUTH-TOKEN": "good"}, {"X-AUTH-TOKEN": "bad"}
NOT_FOUND = (404, {"ok": False})
CHALLENGE = 'Basic realm="Authentication required"'


async def test_158_a_running_vm_is_told_with_its_times(client: httpx.AsyncClient, fleet: Fleet) -> None:
    """[C] Given a running VM, when GET `/vm/H`, then 200 with template, lifetime, running, remaining,
    start_time, end_time, state `running`, ip, host.
    """
    await fleet.running("pool1", "one", lifetime=12 * HOUR)
    answer = await client.get("/api/v3/vm/one")
    assert answer.status_code == 200
    told = answer.json()["one"]
    expected = {"template": "pool1", "lifetime": 12, "state": "running", "ip": "192.0.2.1", "host": "host-1"}
    assert told | expected == told
    start, end = (datetime.fromisoformat(told[member]) for member in ("start_time", "end_time"))
    assert end - start == 12 * HOUR
    assert (told["running"], told["remaining"]) == (pytest.approx(0, abs=0.1), pytest.approx(12, abs=0.1))


async def test_160_the_end_is_the_configured_lifetime_after_the_start(with_api: WithApi) -> None:
    """[H] Given no hash lifetime and configured default 24, then `end_time` is 24 h after `start_time`."""
    async with with_api(config={"vm_lifetime": 24}) as api:
        await api.fleet.ready("pool1", "one")
        await api.client.post("/api/v3/vm/pool1")
        told = (await api.client.get("/api/v3/vm/one")).json()["one"]
    start, end = (datetime.fromisoformat(told[member]) for member in ("start_time", "end_time"))
    assert (end - start, told["lifetime"]) == (24 * HOUR, 24)


async def test_161_a_name_with_a_domain_is_the_same_vm(client: httpx.AsyncClient, fleet: Fleet) -> None:
    """[C] Given the name with any domain suffix, then the answer is the same and keyed by the short
    name.
    """
    await fleet.ready("pool1", "one")
    short, long = [await client.get(f"/api/v3/vm/{name}") for name in ("one", "one.what.ever")]
    assert list(short.json()) == ["ok", "one"]
    assert short.json() == long.json()


async def test_162_an_unknown_vm_is_not_found(client: httpx.AsyncClient) -> None:
    """[C] Given an unknown VM, then 404 plain."""
    answer = await client.get("/api/v3/vm/one")
    assert refusal_of(answer) == NOT_FOUND


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("invalid_host!", "Invalid hostname format"),
        ("a" * 300, "Hostname too long"),
        ("one%0A", "Invalid hostname format"),
        ("%ff", "Invalid hostname format"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_163_what_is_no_host_name_is_refused(
    client: httpx.AsyncClient, method: str, name: str, reason: str
) -> None:
    """[C] Given `/vm/invalid_host!`, then 400 `Invalid hostname format`; 300 characters, then 400
    `Hostname too long`.
    """
    answer = await client.request(method, f"/api/v3/vm/{name}")
    assert (answer.status_code, answer.json()) == (400, {"ok": False, "error": reason})


@pytest.mark.parametrize(
    ("situation", "state"),
    [
        ("reserved", "pending"),
        ("created", "pending"),
        ("ready", "ready"),
        ("suspect", "ready"),
        ("running", "running"),
        ("completed", "destroyed"),
        ("destroying", "destroyed"),
        ("gone", "destroyed"),
    ],
)
async def test_164_the_state_is_the_records(api: Api, situation: str, state: str) -> None:
    """[C] Given only `check` in the hash, then state `ready`; neither checkout nor check, then
    `pending`; `destroy`, then `destroyed` without `remaining`.

    The better of Q-VM-3: what fields the record happens to have doesn't matter.
    """
    await SITUATIONS[situation](api.fleet, "pool1", "one")
    told = (await api.client.get("/api/v3/vm/one")).json()["one"]
    assert told["state"] == state
    assert ("remaining" in told) == (state == "running")


async def test_165_tags_are_an_object(client: httpx.AsyncClient, fleet: Fleet) -> None:
    """[C] Given tag fields, then `tags` object; snapshot fields, then `snapshots` list; `disk`
    `+8gb:+9gb`, then list of two.
    """
    await fleet.running("pool1", "one")
    assert "tags" not in (await client.get("/api/v3/vm/one")).json()["one"]
    tags = {"project": "installer", "tested_by": "rspec"}
    await fleet.store.changes.modify("one", VmChange(tags=tags), operation="tag", access=Access.ANYBODY)
    assert (await client.get("/api/v3/vm/one")).json()["one"]["tags"] == tags


async def test_166_the_full_name_has_the_pools_domain(client: httpx.AsyncClient, fleet: Fleet) -> None:
    """[C] Given hash field `pool` in the configuration, then `fqdn` = short name + pool domain."""
    await make_ready(fleet, "pool1", "one", domain="one.example.test")
    assert (await client.get("/api/v3/vm/one")).json()["one"]["fqdn"] == "one.one.example.test"


async def test_167_an_address_that_is_not_known_is_empty(client: httpx.AsyncClient, fleet: Fleet) -> None:
    """[C] Given an unresolvable name, then `ip` is `""` (or the stored address in hardened mode) and
    the request does not fail.

    The better of Q-VM-2: the stored address; no name is looked up.
    """
    await make_ready(fleet, "pool1", "one", domain="no.such.domain.test")
    await fleet.ready("pool1", "two")
    assert (await client.get("/api/v3/vm/one")).json()["one"]["ip"] == ""
    assert (await client.get("/api/v3/vm/two")).json()["two"]["ip"] == "192.0.2.1"


async def test_168_a_vm_outlives_its_pools_place_in_the_configuration(api: Api) -> None:
    """[H] Given the pool is no longer configured, then 200 without `fqdn`.

    Its full name, too, which is stored with it: no reason to leave it out.
    """
    await api.fleet.running("former", "one")
    answer = await api.client.get("/api/v3/vm/one")
    told = answer.json()["one"]
    assert answer.status_code == 200
    assert (told["template"], told["fqdn"], told["state"]) == ("former", "one.example.test", "running")


async def test_186_a_vm_that_is_given_back_is_to_be_destroyed(
    client: httpx.AsyncClient, fleet: Fleet
) -> None:
    """[C] Given a running VM, when DELETE, then 200 ok, it left `running` and is in `completed` of its
    pool.
    """
    await fleet.running("pool1", "one")
    answer = await client.delete("/api/v3/vm/one")
    assert (answer.status_code, answer.text) == (200, '{\n  "ok": true\n}')
    assert (await fleet.dataset()).memberships("one") == ["completed:pool1"]


async def test_187_an_unknown_vm_can_not_be_given_back(client: httpx.AsyncClient) -> None:
    """[C] Given an unknown VM, when DELETE, then 404 plain."""
    answer = await client.delete("/api/v3/vm/one")
    assert refusal_of(answer) == NOT_FOUND


async def test_188_an_anonymous_vm_is_given_back_without_a_token(secured_api: Api) -> None:
    """[C] Given auth on and a VM checked out without token, when DELETE without token, then 200."""
    await secured_api.fleet.running("pool1", "one", "two")
    assert (await secured_api.client.delete("/api/v3/vm/one")).status_code == 200
    assert (await secured_api.client.delete("/api/v3/vm/two", headers=BAD)).status_code == 200


async def test_189_a_vm_taken_with_a_token_is_only_given_back_with_one(secured_api: Api) -> None:
    """[C] Given a VM checked out with a token, when DELETE without token, then 401 and it stays
    running; with a valid token, then 200.

    The better of Q-DEL-2: with one of its user or of an admin; the tests of ownership have those.
    """
    await secured_api.fleet.running("pool1", "one", token="good")
    for headers in ({}, BAD):
        refused = await secured_api.client.delete("/api/v3/vm/one", headers=headers)
        assert refusal_of(refused) == (401, {"ok": False})
        assert refused.headers["WWW-Authenticate"] == CHALLENGE
        assert await secured_api.fleet.state("one") == "running"
    assert (await secured_api.client.delete("/api/v3/vm/one", headers=GOOD)).status_code == 200
    assert await secured_api.fleet.state("one") == "completed"


async def test_190_a_token_is_needed_even_when_authentication_was_turned_off(api: Api) -> None:
    """[C] Given auth off and a VM hash with `token:token`, when DELETE without token, then 401."""
    await api.fleet.token("good", "alice")
    await api.fleet.running("pool1", "one", token="good")
    assert (await api.client.delete("/api/v3/vm/one")).status_code == 401
    assert (await api.client.delete("/api/v3/vm/one", headers=GOOD)).status_code == 200


@pytest.mark.parametrize("situation", [name for name in SITUATIONS if name != "running"])
async def test_191_only_a_running_vm_can_be_given_back(
    client: httpx.AsyncClient, fleet: Fleet, situation: str
) -> None:
    """[H] Given a ready VM, when DELETE, then 404 and it stays ready and is not in `completed`."""
    await SITUATIONS[situation](fleet, "pool1", "one")
    before = (await fleet.dataset()).entries
    answer = await client.delete("/api/v3/vm/one")
    assert refusal_of(answer) == NOT_FOUND
    assert (await fleet.dataset()).entries == before
