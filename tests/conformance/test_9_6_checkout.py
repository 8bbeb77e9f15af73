"""Section 9.6 of the checklist: listing pools and taking VMs from them."""

from collections.abc import Mapping
from datetime import datetime

import httpx
import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api, make_ready
from tests.store.fleet import Fleet
from tests.support.refusals import refusal_of

GOOD = {"X-AUTH-TOKEN": "good"}
BAD = {"X-AUTH-TOKEN": "bad"}
HOUR_MS = 3600 * 1000
LIST = "/api/v3/vm"


async def take(api: Api, wanted: Mapping[str, int | str]) -> dict[str, str | list[str]]:
    """Take VMs; give the host names by requested name, in the order of the answer."""
    answer = await api.client.post(LIST, json=wanted)
    assert answer.status_code == 200
    (ok, *delivered) = answer.json().items()
    assert ok == ("ok", True)
    return {name: vms["hostname"] for name, vms in delivered}


def is_refused(answer: httpx.Response, status: int) -> bool:
    return refusal_of(answer) == (status, {"ok": False})


async def record_of(fleet: Fleet, vm: str) -> Mapping[str, str]:
    return (await fleet.dataset()).records[vm]


async def test_101_pools_are_listed_without_aliases(api: Api) -> None:
    """[C] When GET `/vm`, then a JSON array of pool names in configuration order without aliases."""
    assert (await api.client.get(LIST)).json() == ["pool1", "pool2", "pool3"]


async def test_102_one_vm_is_a_name(api: Api) -> None:
    """[C] Given one ready VM `abcdefghijkl` in pool1, when POST `/vm` `{"pool1":"1"}`, then 200, body
    exactly `ok` and `pool1.hostname` = `abcdefghijkl.one.example.com` (string).
    """
    await make_ready(api.fleet, "pool1", "abcdefghijkl", domain="one.example.com")
    answer = await api.client.post(LIST, json={"pool1": "1"})
    assert answer.status_code == 200
    assert answer.text == (
        '{\n  "ok": true,\n  "pool1": {\n    "hostname": "abcdefghijkl.one.example.com"\n  }\n}'
    )


async def test_103_an_alias_is_answered_under_its_own_name(api: Api) -> None:
    """[C] Given the same, when requested by alias `poolone`, then the key is `poolone`."""
    await api.fleet.ready("pool1", "one")
    assert await take(api, {"poolone": "1"}) == {"poolone": "one.example.test"}


async def test_104_each_vm_has_the_domain_of_its_pool(api: Api) -> None:
    """[C] Given ready VMs in pool1 and pool2, when `{"pool1":"1","pool2":"1"}`, then both with their
    own domains, in request order.
    """
    await make_ready(api.fleet, "pool1", "one", domain="one.example.com")
    await make_ready(api.fleet, "pool2", "two", domain="two.example.com")
    taken = await take(api, {"pool2": "1", "pool1": "1"})
    assert list(taken.items()) == [("pool2", "two.two.example.com"), ("pool1", "one.one.example.com")]


async def test_105_several_vms_are_a_list(api: Api) -> None:
    """[C] Given two ready in pool1, one in pool2, when `{"pool1":"2","pool2":"1"}`, then pool1 is a
    list of two, pool2 a string.
    """
    await api.fleet.ready("pool1", "a1", "a2")
    await api.fleet.ready("pool2", "b1")
    taken = await take(api, {"pool1": "2", "pool2": "1"})
    assert sorted(taken["pool1"]) == ["a1.example.test", "a2.example.test"]
    assert taken["pool2"] == "b1.example.test"


async def test_106_every_vm_of_a_list_is_another(api: Api) -> None:
    """[C] Given counts 2 and 3 with enough VMs, then lists of 2 and 3 distinct names."""
    await api.fleet.ready("pool1", "a1", "a2", "a3")
    await api.fleet.ready("pool2", "b1", "b2", "b3", "b4")
    taken = await take(api, {"pool1": 2, "pool2": 3})
    assert [len(taken[pool]) for pool in ("pool1", "pool2")] == [2, 3]
    assert len({*taken["pool1"], *taken["pool2"]}) == 5


async def test_107_an_alias_takes_from_all_its_pools(with_api: WithApi) -> None:
    """[C] Given alias genericpool → pool1, pool2, pool3 with one ready VM each, when
    `{"genericpool":"3"}`, then all three are delivered under one key with three domains.
    """
    pools = {name: {"size": 1, "alias": ["genericpool"]} for name in ("pool1", "pool2", "pool3")}
    async with with_api(pools=pools) as api:
        for pool in pools:
            await make_ready(api.fleet, pool, f"vm-{pool}", domain=f"{pool}.example.com")
        taken = await take(api, {"genericpool": "3"})
    assert list(taken) == ["genericpool"]
    assert sorted(taken["genericpool"]) == [f"vm-{pool}.{pool}.example.com" for pool in pools]


async def test_108_an_unknown_pool_is_not_found(api: Api) -> None:
    """[C] Given an unknown pool, when POST `/vm`, then 404 plain."""
    assert is_refused(await api.client.post(LIST, json={"nope": 1}), 404)


async def test_109_nothing_is_taken_when_one_name_is_unknown(api: Api) -> None:
    """[C] Given known and unknown pools, then 404 and nothing is moved."""
    await api.fleet.ready("pool1", "one")
    assert is_refused(await api.client.post(LIST, json={"pool1": 1, "nope": 1}), 404)
    assert await api.fleet.state("one") == "ready"


async def test_110_an_empty_pool_has_nothing_for_now(api: Api) -> None:
    """[C] Given an empty pool, then 503 plain."""
    answer = await api.client.post(LIST, json={"pool1": 1})
    assert is_refused(answer, 503)
    assert "Retry-After" not in answer.headers


async def test_111_an_alias_gets_nothing_from_pools_that_are_not_its_own(api: Api) -> None:
    """[C] Given alias poolone whose pool1 is empty, then 503 even if pool2 has VMs."""
    await api.fleet.ready("pool2", "two")
    assert is_refused(await api.client.post(LIST, json={"poolone": 1}), 503)


@pytest.mark.parametrize("wanted", [{"pool1": 1, "pool2": 1}, {"pool2": 1, "pool1": 1}])
async def test_112_nothing_is_taken_when_one_pool_is_empty(api: Api, wanted: dict[str, int]) -> None:
    """[C] Given one ready in pool1 and none in pool2, when both are requested, then 503 and the pool1
    VM is ready again.
    """
    await api.fleet.ready("pool1", "one")
    assert is_refused(await api.client.post(LIST, json=wanted), 503)
    assert (await api.fleet.dataset()).memberships("one") == ["ready:pool1"]


@pytest.mark.parametrize("wanted", [{"pool1": 2}, {"both": 1, "pool1": 1}])
async def test_113_nothing_is_taken_when_a_pool_has_too_few(api: Api, wanted: dict[str, int]) -> None:
    """[C] Given one ready in pool1, when 2 are requested, then 503 and the VM is ready again."""
    await api.fleet.ready("pool1", "one")
    assert is_refused(await api.client.post(LIST, json=wanted), 503)
    assert (await api.fleet.dataset()).memberships("one") == ["ready:pool1"]


async def test_114_two_that_are_there_are_not_taken_without_the_other_three(api: Api) -> None:
    """[C] Given two ready in pool1 and two requested plus three of pool2, then 503 and both are ready
    again.
    """
    await api.fleet.ready("pool1", "a1", "a2")
    await api.fleet.ready("pool2", "b1", "b2")
    assert is_refused(await api.client.post(LIST, json={"pool1": 2, "pool2": 3}), 503)
    assert set((await api.fleet.dataset()).states.values()) == {"ready"}


@pytest.mark.parametrize("headers", [{}, GOOD])
async def test_115_a_refusal_leaves_no_trace_on_the_vms(secured_api: Api, headers: dict[str, str]) -> None:
    """[C] Given a roll-back, then `checkout`, `token:token`, `token:user` are absent from the VM hash,
    and the VM is in neither `migrating` nor `active` nor `running`.
    """
    await secured_api.fleet.ready("pool1", "one")
    before = await secured_api.fleet.dataset()
    answer = await secured_api.client.post(LIST, json={"pool1": 1, "pool2": 1}, headers=headers)
    assert is_refused(answer, 503)
    after = await secured_api.fleet.dataset()
    assert after.records == before.records
    assert after.memberships("one") == ["ready:pool1"]


async def test_116_after_a_refusal_with_a_token_the_next_user_has_the_usual_lifetime(
    secured_api: Api,
) -> None:
    """[H] Given a roll-back with a token and `vm_lifetime_auth`, then `lifetime` is absent too."""
    await secured_api.fleet.ready("pool1", "one")
    assert is_refused(await secured_api.client.post(LIST, json={"pool1": 2}, headers=GOOD), 503)
    await take(secured_api, {"pool1": 1})
    assert (await secured_api.client.get(f"{LIST}/one")).json()["one"]["lifetime"] == 10


async def test_117_a_vm_that_is_taken_is_running_and_known_since_when(api: Api) -> None:
    """[C] Given a successful checkout, then the VM left `ready`, is in `running` and `migrating`, has
    `active` and `checkout` timestamps.

    Our data has no flags beside the state: the record and the set of running VMs say all.
    """
    await api.fleet.ready("pool1", "one")
    begun = await api.fleet.server_ms()
    await take(api, {"pool1": 1})
    assert (await api.fleet.dataset()).memberships("one") == ["running:pool1"]
    assert begun <= int((await record_of(api.fleet, "one"))["checkout"]) <= await api.fleet.server_ms()
    shown = (await api.client.get(f"{LIST}/one")).json()["one"]
    assert shown["state"] == "running"
    assert abs(datetime.fromisoformat(shown["start_time"]).timestamp() - begun / 1000) < 60


async def test_118_without_authentication_a_token_is_ignored(with_api: WithApi) -> None:
    """[C] Given auth off and a token header, when checkout, then 200, `lifetime`, `token:token` not
    set.
    """
    async with with_api(config={"vm_lifetime": 10, "vm_lifetime_auth": 2}) as api:
        await api.fleet.ready("pool1", "one")
        assert (await api.client.post(f"{LIST}/pool1", headers=BAD)).status_code == 200
        record = await record_of(api.fleet, "one")
    assert (record["token"], record["user"]) == ("", "")
    assert int(record["ends"]) - int(record["checkout"]) == 10 * HOUR_MS


async def test_119_a_token_gives_the_vm_its_user_and_lifetime(secured_api: Api) -> None:
    """[C] Given auth on, `vm_lifetime_auth` 2 and a valid token, when checkout, then `lifetime` = 2,
    `token:token` = T, `token:user` = user, and the token's `last` is updated.
    """
    await secured_api.fleet.ready("pool1", "one")
    assert (await secured_api.client.post(f"{LIST}/pool1", headers=GOOD)).status_code == 200
    record = await record_of(secured_api.fleet, "one")
    assert record["user"] == "alice"
    assert int(record["ends"]) - int(record["checkout"]) == 2 * HOUR_MS
    token = (await secured_api.client.get("/api/v3/token/good")).json()["good"]
    assert token["vms"] == {"running": ["one"]}
    assert datetime.strptime(token["last"], "%Y-%m-%d %H:%M:%S %z")


async def test_120_without_a_token_a_vm_is_nobodys_for_the_usual_time(secured_api: Api) -> None:
    """[C] Given auth on and no token, when checkout, then 200 and no `lifetime`."""
    await secured_api.fleet.ready("pool1", "one")
    await take(secured_api, {"pool1": 1})
    record = await record_of(secured_api.fleet, "one")
    assert (record["token"], record["user"]) == ("", "")
    assert int(record["ends"]) - int(record["checkout"]) == 10 * HOUR_MS


async def test_121_an_unknown_token_takes_nothing(secured_api: Api) -> None:
    """[C] Given auth on and an unknown token, then 401 with `WWW-Authenticate` and nothing moved."""
    await secured_api.fleet.ready("pool1", "one")
    answer = await secured_api.client.post(LIST, json={"pool1": 1}, headers=BAD)
    assert is_refused(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Authentication required"'
    assert await secured_api.fleet.state("one") == "ready"
    assert secured_api.metric("checkouts_total", pool="unknown", result="unauthorized") == 1


async def test_122_an_unknown_name_is_told_before_an_unknown_token(secured_api: Api) -> None:
    """[C] Given auth on, unknown token and unknown pool, then 404 (pool check comes first)."""
    assert is_refused(await secured_api.client.post(LIST, json={"nope": 1}, headers=BAD), 404)
    assert is_refused(await secured_api.client.post(f"{LIST}/nope", headers=BAD), 404)


@pytest.mark.parametrize("count", ["01", "007", 1, "100"])
async def test_132_digits_may_begin_with_zeros(api: Api, count: str | int) -> None:
    """[C] Given count "01", then it means 1."""
    names = [f"vm-{number}" for number in range(int(count))]
    await api.fleet.ready("pool1", *names)
    taken = (await take(api, {"pool1": count}))["pool1"]
    assert len(taken if isinstance(taken, list) else [taken]) == len(names)


@pytest.mark.parametrize("name", ["ubuntu-20.04", "a~b!c$d&e'f(g)h*i;j=k@l"])
async def test_134_a_body_may_name_any_pool_that_can_be_configured(with_api: WithApi, name: str) -> None:
    """[H] Given a configured pool `ubuntu-20.04`, when requested in JSON, then it is accepted."""
    async with with_api(pools={name: 1}) as api:
        await api.fleet.ready(name, "one")
        assert await take(api, {name: 1}) == {name: "one.example.test"}


@pytest.mark.parametrize("name", ["ubuntu-20.04", "a~b!c$d&e'f(g)h*i;j=k@l"])
async def test_135_a_path_may_name_any_pool_that_can_be_configured(with_api: WithApi, name: str) -> None:
    """[C] Given the path form with `ubuntu-20.04` configured and ready, then 200."""
    async with with_api(pools={name: 1}) as api:
        await api.fleet.ready(name, "one")
        assert (await api.client.post(f"{LIST}/{name}")).status_code == 200


async def test_137_a_path_takes_one_vm(api: Api) -> None:
    """[C] Given ready VMs, when POST `/vm/pool1`, then 200 with a string hostname."""
    await api.fleet.ready("pool1", "one", "two")
    answer = await api.client.post(f"{LIST}/pool1")
    assert answer.status_code == 200
    assert answer.json()["pool1"]["hostname"] in ("one.example.test", "two.example.test")


async def test_138_a_path_takes_from_several_pools(api: Api) -> None:
    """[C] Given ready VMs, when POST `/vm/pool1+pool2`, then one of each."""
    await api.fleet.ready("pool1", "one")
    await api.fleet.ready("pool2", "two")
    answer = await api.client.post(f"{LIST}/pool1+pool2")
    assert answer.json() == {
        "ok": True,
        "pool1": {"hostname": "one.example.test"},
        "pool2": {"hostname": "two.example.test"},
    }


async def test_139_a_path_takes_as_many_as_it_repeats_a_name(api: Api) -> None:
    """[C] Given ready VMs, when POST `/vm/pool1+pool1+pool2+pool2+pool2`, then lists of 2 and 3."""
    await api.fleet.ready("pool1", "a1", "a2")
    await api.fleet.ready("pool2", "b1", "b2", "b3")
    answer = (await api.client.post(f"{LIST}/pool1+pool1+pool2+pool2+pool2")).json()
    assert (len(answer["pool1"]["hostname"]), len(answer["pool2"]["hostname"])) == (2, 3)


async def test_140_an_unknown_name_in_a_path_is_not_found(api: Api) -> None:
    """[C] Given an unknown pool in the path, then 404 plain."""
    await api.fleet.ready("pool1", "one")
    for path in ("nope", "pool1+nope"):
        assert is_refused(await api.client.post(f"{LIST}/{path}"), 404)
    assert await api.fleet.state("one") == "ready"


async def test_141_a_path_may_name_an_alias(api: Api) -> None:
    """[C] Given alias as path, then VM under the alias key."""
    await api.fleet.ready("pool1", "one")
    answer = await api.client.post(f"{LIST}/poolone")
    assert answer.json() == {"ok": True, "poolone": {"hostname": "one.example.test"}}


async def test_142_a_second_checkout_finds_the_pool_empty(api: Api) -> None:
    """[C] Given pool1 with one VM, when POST `/vm/pool1` twice, then 200 then 503."""
    await api.fleet.ready("pool1", "one")
    answers = [await api.client.post(f"{LIST}/pool1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 503]


async def test_143_plus_signs_at_the_end_mean_nothing_and_others_an_empty_name(api: Api) -> None:
    """[C] Given `/vm/pool1++pool2`, then 404; `/vm/pool1+`, then same as pool1."""
    await api.fleet.ready("pool1", "one")
    await api.fleet.ready("pool2", "two")
    for path in ("pool1++pool2", "+pool1"):
        assert is_refused(await api.client.post(f"{LIST}/{path}"), 404)
    answer = await api.client.post(f"{LIST}/pool1+")
    assert answer.json() == {"ok": True, "pool1": {"hostname": "one.example.test"}}


@pytest.mark.parametrize("path", ["+", "+++"])
async def test_144_plus_signs_alone_are_not_found(api: Api, path: str) -> None:
    """[H] Given `/vm/+`, then 404."""
    assert is_refused(await api.client.post(f"{LIST}/{path}"), 404)


async def test_147_only_ready_vms_are_given(api: Api) -> None:
    """[C] Given a VM that is only in the running set, when checkout, then it is never delivered."""
    await api.fleet.running("pool1", "running")
    await api.fleet.created("pool1", "pending")
    await api.fleet.suspect("pool1", "suspect")
    await api.fleet.completed("pool1", "completed")
    assert is_refused(await api.client.post(f"{LIST}/pool1"), 503)


async def test_148_a_vm_without_domain_has_a_short_name(api: Api) -> None:
    """[H] Given a pool without resolvable domain, then the host name is the short name."""
    await make_ready(api.fleet, "pool1", "one", domain="")
    assert await take(api, {"pool1": 1}) == {"pool1": "one"}
