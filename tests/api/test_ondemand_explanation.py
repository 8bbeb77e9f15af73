"""What is told of why an on-demand request isn't ready yet."""

from datetime import datetime
from typing import Any

from tests.api.conftest import WithApi
from tests.api.in_process import POOLS
from tests.api.ondemand import GOOD, PATH, Requester
from tests.store.fleet import want
from tests.store.queued_checkouts import QueuedCheckouts


async def of_a_user(customer: Requester, request: str, user: str, *pools: str) -> None:
    await customer.api.fleet.token(f"token-{user}", user)
    await customer.demand.accepted(request, *pools, token=f"token-{user}")


def kinds(explanation: dict[str, Any], pool: str) -> list[str]:
    return [limit["kind"] for limit in explanation["pools"][pool]["limits"]]


async def test_it_tells_the_deadline_and_how_long_that_is(customer: Requester) -> None:
    await customer.ask({"request_id": "r", "pool1": 1})
    told = await customer.explanation("r")
    passed = datetime.fromisoformat(told["deadline"]) - datetime.fromisoformat(told["created"])
    assert passed.total_seconds() == 300
    assert 0 < told["seconds_left"] <= 300
    assert told["status"] == "open"


async def test_it_tells_that_no_manager_has_taken_it_up(customer: Requester) -> None:
    await customer.ask({"request_id": "r", "pool1": 1})
    told = await customer.explanation("r")
    assert told["accepted"] is False
    assert "No manager has taken the request up yet." in told["summary"]
    assert "ahead" not in told["pools"]["pool1"]


async def test_it_tells_the_place_in_each_pools_line(customer: Requester) -> None:
    await of_a_user(customer, "large", "alice", *["pool1"] * 5)
    await of_a_user(customer, "mine", "bob", "pool1", "pool2", "pool1")
    told = await customer.explanation("mine")
    pool = told["pools"]["pool1"]
    assert (pool["waiting"], pool["ahead"], pool["backlog"]) == (2, 1, 7)
    assert told["pools"]["pool2"]["ahead"] == 0
    assert [(vm["pool"], vm["ahead"]) for vm in told["vms"]] == [("pool1", 1), ("pool2", 0), ("pool1", 3)]
    assert (
        "pool1: 2 VMs of this request waited for; 1 VM goes to others before; 0 VMs being made."
        in told["summary"]
    )
    assert (
        "pool2: 1 VM of this request waited for; this request is the next; 0 VMs being made."
        in told["summary"]
    )


async def test_it_tells_how_far_each_vm_is(customer: Requester) -> None:
    await customer.accepted("r", {"poolone": 5})
    await customer.demand.booted("pool1", "a")
    await customer.api.fleet.reserved("pool1", "b")
    await customer.api.fleet.creating("pool1", "c")
    await customer.api.fleet.created("pool1", "d")
    told = await customer.explanation("r")
    assert [vm["state"] for vm in told["vms"]] == ["granted", "booting", "cloning", "waiting", "waiting"]
    assert told["vms"][0]["hostname"] == "a.example.test"
    assert "hostname" not in told["vms"][1]
    assert told["vms"][1]["name"] == "poolone"
    assert told["pools"]["pool1"]["making"] == {"reserved": 1, "cloning": 1, "booting": 1}
    assert told["summary"][0] == "Ready so far: 1 of 5 VMs."


async def test_a_vm_that_boots_is_promised_to_who_is_first_in_line(customer: Requester) -> None:
    await of_a_user(customer, "earlier", "alice", "pool1")
    await of_a_user(customer, "mine", "bob", "pool1")
    await customer.api.fleet.created("pool1", "a")
    assert (await customer.explanation("earlier"))["vms"][0]["state"] == "booting"
    assert (await customer.explanation("mine"))["vms"][0]["state"] == "waiting"


async def test_it_counts_what_is_owed_to_checkouts_that_came_before(customer: Requester) -> None:
    line = QueuedCheckouts(customer.api.fleet)
    await line.ask("older", want("pool1", 2))
    await customer.accepted("r", {"pool1": 2})
    await line.ask("younger", want("pool1", 3))
    told = await customer.explanation("r")
    assert (told["pools"]["pool1"]["ahead"], told["pools"]["pool1"]["owed"]) == (2, 2)
    assert [vm["ahead"] for vm in told["vms"]] == [2, 6], "a second VM comes after all who wait now"
    assert (
        "pool1: 2 VMs, counting ready ones, owed to checkouts that wait and come before." in told["summary"]
    )


async def test_a_ready_vm_that_is_owed_to_a_checkout_needs_not_be_made(customer: Requester) -> None:
    line = QueuedCheckouts(customer.api.fleet)
    await line.ask("older", want("pool1", 2))
    await customer.api.fleet.ready("pool1", "a")
    await customer.accepted("r", {"pool1": 1})
    await customer.api.fleet.created("pool1", "b")
    told = await customer.explanation("r")
    pool = told["pools"]["pool1"]
    assert (pool["ready"], pool["ahead"], pool["owed"]) == (1, 1, 2)
    assert told["vms"][0]["state"] == "waiting", "the one that boots goes to the checkout"


async def test_checkouts_that_came_later_or_have_left_are_not_before_a_request(customer: Requester) -> None:
    line = QueuedCheckouts(customer.api.fleet)
    await line.ask("gone", want("pool1"))
    await customer.accepted("r", {"pool1": 1})
    await line.ask("later", want("pool1"))
    await line.lapse("gone")
    told = await customer.explanation("r")
    assert (told["pools"]["pool1"]["ahead"], told["pools"]["pool1"]["owed"]) == (0, 0)
    assert not [sentence for sentence in told["summary"] if "owed" in sentence]


async def test_it_tells_failed_attempts_with_the_last_error(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 2})
    await customer.demand.failed("pool1", "a", "no disk", most=3)
    await customer.demand.failed("pool1", "b", "no network", most=3)
    told = await customer.explanation("r")
    assert [(vm["failed_attempts"], vm.get("last_error")) for vm in told["vms"]] == [
        (2, "no network"),
        (0, None),
    ]
    assert told["last_error"] == "no network"
    assert "A clone failed: no network" in told["summary"]


async def test_it_tells_that_the_limit_of_clones_is_reached(with_api: WithApi) -> None:
    async with with_api(config={"ondemand_clone_limit": 1}) as api:
        customer = Requester(api)
        await customer.accepted("r", {"pool1": 2})
        assert kinds(await customer.explanation("r"), "pool1") == []
        await api.fleet.creating("pool1", "a")
        told = await customer.explanation("r")
    assert told["pools"]["pool1"]["limits"] == [
        {
            "kind": "clone_limit",
            "text": "clones for requests are at their limit (ondemand_clone_limit 1)",
            "in_use": 1,
            "limit": 1,
        }
    ]


async def test_the_limit_of_clones_holds_nobody_back_whose_vms_are_all_being_made(with_api: WithApi) -> None:
    async with with_api(config={"ondemand_clone_limit": 1}) as api:
        customer = Requester(api)
        await customer.accepted("r", {"pool1": 1})
        await api.fleet.creating("pool1", "a")
        assert kinds(await customer.explanation("r"), "pool1") == []


async def test_it_tells_that_a_pool_is_paused(with_api: WithApi) -> None:
    async with with_api(pools={**POOLS, "pool4": {"size": 1, "paused": True}}) as api:
        customer = Requester(api)
        await customer.accepted("r", {"pool4": 1})
        told = await customer.explanation("r")
    assert kinds(told, "pool4") == ["paused"]
    assert "pool4: it or its provider is paused, so it makes no VMs." in told["summary"]


async def test_it_tells_why_a_pool_does_not_work_or_is_held_back(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 1, "pool2": 1})
    await customer.api.fleet.store.views.mark_broken("pool1", "no template")
    await customer.api.fleet.store.views.mark_backing_off("pool2", "the provider is throttled")
    told = await customer.explanation("r")
    assert "pool1: its provider says that it can't work: no template." in told["summary"]
    assert "pool2: its clones are held back for now: the provider is throttled." in told["summary"]
    assert (kinds(told, "pool1"), kinds(told, "pool2")) == (["broken"], ["backing_off"])


async def test_it_tells_that_ready_vms_are_kept_for_checkouts(with_api: WithApi) -> None:
    async with with_api(config={"ondemand_from_ready": False}) as api:
        customer = Requester(api)
        await api.fleet.ready("pool1", "a")
        await customer.accepted("r", {"pool1": 1})
        told = await customer.explanation("r")
    assert (told["pools"]["pool1"]["ready"], kinds(told, "pool1")) == (1, ["ready_kept"])


async def test_it_tells_that_a_pool_left_the_configuration(customer: Requester) -> None:
    await customer.demand.accepted("r", "gone")
    assert kinds(await customer.explanation("r"), "gone") == ["not_configured"]


async def test_of_a_ready_request_it_tells_the_vms(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 1})
    await customer.demand.booted("pool1", "a")
    told = await customer.explanation("r")
    assert (told["status"], told["summary"], told["pools"]) == ("ready", ["All is there: 1 VM."], {})
    assert [(vm["state"], vm["hostname"]) for vm in told["vms"]] == [("granted", "a.example.test")]
    assert "seconds_left" not in told


async def test_of_a_failed_request_it_tells_why_and_what_became_of_its_vms(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 1, "pool2": 1})
    await customer.demand.booted("pool1", "a")
    await customer.demand.failed("pool2", "b", "no disk", most=1)
    told = await customer.explanation("r")
    assert (told["status"], told["reason"]) == ("failed", "no disk")
    assert told["summary"] == ["The request failed: no disk", "What it had been given is returned: 1 VM."]
    assert told["vms"] == []


async def test_of_a_deleted_request_it_tells_that(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 1})
    await customer.api.client.delete(f"{PATH}/r", headers=GOOD)
    assert (await customer.explanation("r"))["summary"] == ["The request has been deleted."]


async def test_other_users_are_not_named(customer: Requester) -> None:
    await of_a_user(customer, "large", "alice", "pool1")
    await of_a_user(customer, "mine", "bob", "pool1")
    text = (await customer.look("mine/explain")).text
    assert "alice" not in text
    assert "large" not in text
