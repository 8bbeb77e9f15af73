"""Whose VM or request it is: who may give back, change or delete what was taken with a token."""

import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.api.ondemand import PATH, Requester
from tests.support.refusals import refusal_of

OWNER, OTHER, ROOT = ({"X-AUTH-TOKEN": token} for token in ("alices", "bobs", "roots"))


async def arrange(api: Api) -> None:
    """Have a VM of alice's, and tokens of alice, bob and root."""
    for token, user in (("alices", "alice"), ("alices second", "alice"), ("bobs", "bob"), ("roots", "root")):
        await api.fleet.token(token, user)
    await api.fleet.running("pool1", "one", token="alices")


async def test_another_user_can_not_give_it_back(secured_api: Api) -> None:
    await arrange(secured_api)
    before = (await secured_api.fleet.dataset()).entries
    answer = await secured_api.client.delete("/api/v3/vm/one", headers=OTHER)
    assert refusal_of(answer) == (403, {"ok": False})
    assert (await secured_api.fleet.dataset()).entries == before
    assert secured_api.metric("vm_deletes_total", result="unauthorized") == 1


@pytest.mark.parametrize("token", ["alices", "alices second"])
async def test_any_token_of_its_user_gives_it_back(secured_api: Api, token: str) -> None:
    await arrange(secured_api)
    answer = await secured_api.client.delete("/api/v3/vm/one", headers={"X-AUTH-TOKEN": token})
    assert answer.status_code == 200
    assert await secured_api.fleet.state("one") == "completed"


async def test_an_admin_gives_it_back(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"admins": "nobody, root"}) as api:
        await arrange(api)
        assert (await api.client.delete("/api/v3/vm/one", headers=OTHER)).status_code == 403
        assert (await api.client.delete("/api/v3/vm/one", headers=ROOT)).status_code == 200


async def test_without_the_rule_any_token_gives_it_back(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"enforce_ownership": False}) as api:
        await arrange(api)
        assert (await api.client.delete("/api/v3/vm/one")).status_code == 401
        assert (await api.client.delete("/api/v3/vm/one", headers=OTHER)).status_code == 200


async def test_the_rule_holds_even_when_authentication_was_turned_off(api: Api) -> None:
    await arrange(api)
    assert (await api.client.delete("/api/v3/vm/one", headers=OTHER)).status_code == 403
    assert (await api.client.delete("/api/v3/vm/one", headers=OWNER)).status_code == 200


async def test_an_anonymous_vm_is_everybodys(secured_api: Api) -> None:
    await arrange(secured_api)
    await secured_api.fleet.running("pool2", "two")
    assert (await secured_api.client.delete("/api/v3/vm/two", headers=OTHER)).status_code == 200


async def test_what_the_owner_gave_back_is_still_not_another_users(secured_api: Api) -> None:
    await arrange(secured_api)
    await secured_api.client.delete("/api/v3/vm/one", headers=OWNER)
    assert (await secured_api.client.delete("/api/v3/vm/one", headers=OTHER)).status_code == 403
    assert (await secured_api.client.delete("/api/v3/vm/one", headers=OWNER)).status_code == 404


async def test_another_user_can_not_change_it(secured_api: Api) -> None:
    await arrange(secured_api)
    before = (await secured_api.fleet.dataset()).entries
    for change in ({"lifetime": 5}, {"tags": {"a": "b"}}):
        answer = await secured_api.client.put("/api/v3/vm/one", json=change, headers=OTHER)
        assert refusal_of(answer) == (403, {"ok": False})
    assert (await secured_api.fleet.dataset()).entries == before


async def test_an_admin_changes_it(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"admins": "nobody, root"}) as api:
        await arrange(api)
        changed = await api.client.put("/api/v3/vm/one", json={"lifetime": 5}, headers=ROOT)
        assert changed.status_code == 200


async def test_without_the_rule_any_token_changes_it(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"enforce_ownership": False}) as api:
        await arrange(api)
        assert (await api.client.put("/api/v3/vm/one", json={"lifetime": 5})).status_code == 401
        changed = await api.client.put("/api/v3/vm/one", json={"lifetime": 5}, headers=OTHER)
        assert changed.status_code == 200


async def test_it_stays_its_users_to_change_when_authentication_was_turned_off(api: Api) -> None:
    await arrange(api)
    assert (await api.client.put("/api/v3/vm/one", json={"lifetime": 5})).status_code == 401
    assert (await api.client.put("/api/v3/vm/one", json={"lifetime": 5}, headers=OWNER)).status_code == 200


# On-demand requests


async def asked(api: Api) -> Requester:
    """Have a request of alice's with a VM, and tokens of alice, bob and root."""
    for token, user in (("alices", "alice"), ("alices second", "alice"), ("bobs", "bob"), ("roots", "root")):
        await api.fleet.token(token, user)
    customer = Requester(api)
    await customer.demand.accepted("r", "pool1", "pool1", token="alices")
    await customer.demand.booted("pool1", "one")
    return customer


async def test_another_user_can_not_delete_a_request(secured_api: Api) -> None:
    await asked(secured_api)
    before = (await secured_api.fleet.dataset()).entries
    answer = await secured_api.client.delete(f"{PATH}/r", headers=OTHER)
    assert refusal_of(answer) == (403, {"ok": False})
    assert (await secured_api.fleet.dataset()).entries == before


@pytest.mark.parametrize("token", ["alices", "alices second"])
async def test_any_token_of_its_user_deletes_a_request(secured_api: Api, token: str) -> None:
    await asked(secured_api)
    answer = await secured_api.client.delete(f"{PATH}/r", headers={"X-AUTH-TOKEN": token})
    assert answer.json() == {"ok": True}
    assert await secured_api.fleet.state("one") == "completed"


async def test_an_admin_deletes_a_request(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"admins": "nobody, root"}) as api:
        await asked(api)
        assert (await api.client.delete(f"{PATH}/r", headers=OTHER)).status_code == 403
        assert (await api.client.delete(f"{PATH}/r", headers=ROOT)).status_code == 200


async def test_without_the_rule_any_token_deletes_a_request(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"enforce_ownership": False}) as api:
        await asked(api)
        assert (await api.client.delete(f"{PATH}/r")).status_code == 401
        assert (await api.client.delete(f"{PATH}/r", headers=OTHER)).status_code == 200


async def test_a_request_stays_its_users_when_authentication_was_turned_off(api: Api) -> None:
    await asked(api)
    assert (await api.client.delete(f"{PATH}/r")).status_code == 401
    assert (await api.client.delete(f"{PATH}/r", headers=OTHER)).status_code == 403
    assert (await api.client.delete(f"{PATH}/r", headers=OWNER)).status_code == 200


async def test_an_anonymous_request_is_everybodys(secured_api: Api) -> None:
    customer = await asked(secured_api)
    await customer.demand.accepted("anonymous", "pool2")
    assert (await secured_api.client.delete(f"{PATH}/anonymous", headers=OTHER)).json() == {"ok": True}


async def test_a_deleted_request_is_still_not_another_users(secured_api: Api) -> None:
    await asked(secured_api)
    await secured_api.client.delete(f"{PATH}/r", headers=OWNER)
    assert (await secured_api.client.delete(f"{PATH}/r", headers=OTHER)).status_code == 403
    again = await secured_api.client.delete(f"{PATH}/r", headers=OWNER)
    assert again.json() == {"ok": True, "message": "the request has already been deleted"}
