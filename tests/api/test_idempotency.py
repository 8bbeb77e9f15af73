"""The header Idempotency-Key: who asks again is told again, and nothing is handed out twice."""

import asyncio
import re
from typing import Any

import httpx

from tests.api.conftest import WithApi
from tests.api.in_process import Api

VMS = "/api/v3/vm"
GOOD = {"X-AUTH-TOKEN": "good"}


async def take(
    api: Api, order: Any, key: str = "a-key-of-16-bytes", headers: dict[str, str] | None = None
) -> httpx.Response:
    return await api.client.post(VMS, json=order, headers={"Idempotency-Key": key, **(headers or {})})


async def running(api: Api) -> list[str]:
    return sorted(vm for vm, state in (await api.fleet.dataset()).states.items() if state == "running")


async def test_the_same_key_gets_the_same_answer(api: Api) -> None:
    await api.fleet.ready("pool1", "a", "b", "c")
    first, second = await take(api, {"pool1": 2}), await take(api, {"pool1": 2})
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json()
    assert len(await running(api)) == 2
    assert api.metric("checkouts_total", pool="pool1", result="success") == 2
    assert api.metric("checkouts_total", pool="pool1", result="repeated") == 2


async def test_path_and_body_may_say_the_same(api: Api) -> None:
    await api.fleet.ready("pool1", "a", "b", "c")
    first = await take(api, {"pool1": 2})
    again = await api.client.post(f"{VMS}/pool1+pool1", headers={"Idempotency-Key": "a-key-of-16-bytes"})
    assert again.json() == first.json()


async def test_without_a_key_every_request_gets_its_own(api: Api) -> None:
    await api.fleet.ready("pool1", "a", "b")
    assert len({(await api.client.post(f"{VMS}/pool1")).text for _ in range(2)}) == 2


async def test_requests_at_once_get_the_same_vm(api: Api) -> None:
    await api.fleet.ready("pool1", "a", "b", "c")
    answers = await asyncio.gather(*(take(api, {"pool1": 1}) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(await running(api)) == 1


async def test_another_order_under_the_key_is_422(api: Api) -> None:
    await api.fleet.ready("pool1", "a", "b", "c")
    await take(api, {"pool1": 1})
    answer = await take(api, {"pool1": 2})
    assert (answer.status_code, answer.json()) == (
        422,
        {"ok": False, "message": "this Idempotency-Key was used for another order"},
    )
    assert len(await running(api)) == 1
    assert api.metric("checkouts_total", pool="unknown", result="invalid") == 1


async def test_a_vm_that_was_given_back_meanwhile_is_409(api: Api) -> None:
    await api.fleet.ready("pool1", "a", "b", "c")
    names = (await take(api, {"pool1": 2})).json()["pool1"]["hostname"]
    await api.client.delete(f"{VMS}/{names[0]}")
    answer = await take(api, {"pool1": 2})
    assert (answer.status_code, answer.json()) == (
        409,
        {
            "ok": False,
            "message": "the VMs that were handed out under this Idempotency-Key are yours no longer",
        },
    )


async def test_a_503_is_not_kept(api: Api) -> None:
    assert (await take(api, {"pool1": 1})).status_code == 503
    await api.fleet.ready("pool1", "a")
    assert (await take(api, {"pool1": 1})).status_code == 200


async def test_a_key_that_can_not_be_one_is_a_bad_request_and_no_vm_is_taken(api: Api) -> None:
    await api.fleet.ready("pool1", "a")
    answer = await api.client.post(f"{VMS}/pool1", headers={"Idempotency-Key": ""})
    assert (answer.status_code, answer.json()) == (
        400,
        {"ok": False, "error": "Idempotency-Key must be one text of 1 to 255 printable ASCII characters"},
    )
    assert await running(api) == []


async def test_a_key_is_its_tokens_own(secured_api: Api) -> None:
    await secured_api.fleet.token("bobs", "bob")
    await secured_api.fleet.ready("pool1", "a", "b", "c")
    answers = [
        await take(secured_api, {"pool1": 1}, headers=headers)
        for headers in (GOOD, {"X-AUTH-TOKEN": "bobs"}, {})
    ]
    assert len({answer.text for answer in answers}) == 3
    assert (await take(secured_api, {"pool1": 1}, headers=GOOD)).text == answers[0].text


async def test_a_made_up_token_is_told_nothing(secured_api: Api) -> None:
    await secured_api.fleet.ready("pool1", "a")
    await take(secured_api, {"pool1": 1}, headers=GOOD)
    assert (await take(secured_api, {"pool1": 1}, headers={"X-AUTH-TOKEN": "bad"})).status_code == 401


async def test_without_a_token_a_key_is_its_addresss_own(with_api: WithApi) -> None:
    async with with_api(config={"trusted_proxies": ["127.0.0.1"]}) as api:
        await api.fleet.ready("pool1", "a", "b")
        here, there = ({"X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2"))
        answers = [await take(api, {"pool1": 1}, headers=headers) for headers in (here, there, here)]
    assert answers[0].text == answers[2].text != answers[1].text


async def test_neither_key_nor_token_can_be_read_in_the_store(secured_api: Api) -> None:
    await secured_api.fleet.token("ahiddentoken", "bob")
    await secured_api.fleet.ready("pool1", "a")
    await take(secured_api, {"pool1": 1}, "ahiddenkey", {"X-AUTH-TOKEN": "ahiddentoken"})
    assert not re.search("ahidden", str((await secured_api.fleet.dataset()).entries))
