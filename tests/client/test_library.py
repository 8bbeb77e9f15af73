"""The library against real services: VMs are taken and given back, whatever happens in between."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.client.gate import Asked, Gate, HangUp, ask
from tests.client.pair import DEBIAN, ROCKY, SMALL, Pair
from tests.support.eventually import eventually
from vmpooler_client import (
    AsyncClient,
    BadRequestError,
    Client,
    ForbiddenError,
    NotFoundError,
    NotReadyError,
    NotSupportedError,
    TimedOutError,
    UnauthorizedError,
)

PATIENT = 60.0


@pytest.fixture
async def client(pair: Pair) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(pair.api.base_url) as client:
        yield client


@pytest.fixture
async def gate(pair: Pair) -> AsyncIterator[Gate]:
    """Yield a way to the API on which a test may lose answers."""
    async with Gate(ask(pair.api)) as gate:
        yield gate


async def nobody_has_any(client: AsyncClient) -> None:
    assert await eventually(lambda: _nobody_has_any(client))


async def _nobody_has_any(client: AsyncClient) -> bool:
    return await client.pools.running() == 0


async def test_a_vm_is_taken_and_given_back(client: AsyncClient) -> None:
    async with client.checkout("debian", wait=PATIENT) as vm:
        assert vm.name == "debian"
        seen = await client.vms.show(vm.hostname)
        assert (seen.state, seen.template, seen.hostname) == ("running", DEBIAN, vm.hostname)
    assert (await client.vms.show(vm.hostname)).state == "destroyed"


def test_threads_do_the_same(pair: Pair) -> None:
    with Client(f"{pair.api.base_url}/api/v3") as client:
        with client.checkout_many({"debian": 2}, wait=PATIENT) as vms:
            states = [client.vms.show(vm.hostname).state for vm in vms]
        assert states == ["running", "running"]
        assert client.pools.running() == 0


async def test_a_vm_is_given_back_after_an_error_and_after_its_user_did(client: AsyncClient) -> None:
    with pytest.raises(ZeroDivisionError):
        async with client.checkout("debian", wait=PATIENT) as vm:
            raise ZeroDivisionError
    assert (await client.vms.show(vm.hostname)).state == "destroyed"
    async with client.checkout("debian", wait=PATIENT) as vm:
        await client.vms.release(vm.hostname)


async def test_kept_vms_stay(client: AsyncClient) -> None:
    (vm,) = await client.take({"debian": 1}, wait=PATIENT)
    assert (await client.vms.show(vm.hostname)).state == "running"
    await client.vms.change(vm.hostname, lifetime=20, tags={"project": "installer"})
    changed = await client.vms.show(vm.hostname)
    assert (changed.lifetime, changed.tags) == (20, {"project": "installer"})
    assert await client.vms.add_disk(vm.hostname, 8) == "+8gb"
    snapshot = await client.vms.take_snapshot(vm.hostname)
    tasks = await client.vms.wait_for_tasks(vm.hostname, timeout=PATIENT)
    assert [(task.kind, task.state) for task in tasks] == [("disk", "done"), ("snapshot", "done")]
    await client.vms.revert(vm.hostname, snapshot)
    await client.vms.release(vm.hostname)
    with pytest.raises(NotFoundError):
        await client.vms.release(vm.hostname)


async def test_a_checkout_waits_for_its_turn(client: AsyncClient) -> None:
    async with client.checkout("small", wait=PATIENT), client.checkout("small", wait=PATIENT) as second:
        assert second.name == "small"


async def test_what_no_pool_can_meet_is_refused_at_once(client: AsyncClient) -> None:
    with pytest.raises(NotReadyError, match="on demand"):
        await client.take({ROCKY: 1}, wait=PATIENT)


async def test_vms_are_made_on_demand_and_given_back(client: AsyncClient) -> None:
    checkout = client.checkout_on_demand({"rocky": 2}, timeout=PATIENT)
    async with checkout as vms:
        assert [vm.name for vm in vms] == ["rocky", "rocky"]
        explained = await client.requests.explain(checkout.order.key)
        assert explained.status == "ready"
    assert (await client.requests.show(checkout.order.key)).message == "The request has been deleted"
    await nobody_has_any(client)


async def test_an_on_demand_request_that_takes_too_long_is_deleted(pair: Pair, client: AsyncClient) -> None:
    pair.manager.pause()
    try:
        checkout = client.checkout_on_demand(["rocky"], timeout=0.1)
        with pytest.raises(TimedOutError):
            await checkout.__aenter__()
    finally:
        pair.manager.resume()
    assert (await client.requests.show(checkout.order.key)).is_over


async def test_pools_are_changed(client: AsyncClient) -> None:
    assert await client.pools.names() == [DEBIAN, SMALL, ROCKY]
    assert await client.pools.set_sizes({DEBIAN: 3})
    assert not await client.pools.set_sizes({DEBIAN: 3})
    (debian, *_) = await client.pools.configuration()
    assert debian.configured is not None
    assert (debian.size, debian.configured.size) == (3, 4)
    assert await client.pools.reset_size(DEBIAN)
    assert (await client.pools.status()).pools[DEBIAN].max == 4
    with pytest.raises(BadRequestError, match="nope: not configured"):
        await client.pools.set_sizes({"nope": 3})


async def test_tokens_belong_to_users(pair: Pair, client: AsyncClient) -> None:
    with pytest.raises(NotSupportedError, match="no users"):
        await client.tokens.create("alice", "secret")
    async with AsyncClient(pair.guarded.base_url) as guarded:
        with pytest.raises(UnauthorizedError):
            await guarded.tokens.create("alice", "alice")
        assert await guarded.tokens.of_user("carol", "secret") == []
        token = await guarded.tokens.create("alice", "secret")
        others = await guarded.tokens.create("bob", "secret")
    async with (
        AsyncClient(pair.guarded.base_url, token=token) as alice,
        AsyncClient(pair.guarded.base_url, token=others) as bob,
        alice.checkout("debian", wait=PATIENT) as vm,
    ):
        assert (await alice.tokens.show(token)).running == (vm.hostname.partition(".")[0],)
        with pytest.raises(ForbiddenError):
            await bob.vms.release(vm.hostname)
        (entry,) = await alice.tokens.of_user("alice", "secret")
        assert token.startswith(entry.token.rstrip("…"))
    async with AsyncClient(pair.guarded.base_url) as anybody:
        await anybody.tokens.revoke(token, "alice", "secret")
        with pytest.raises(NotFoundError):
            await anybody.tokens.show(token)


async def test_a_lost_answer_is_asked_for_again(gate: Gate) -> None:
    through = gate.behaviour
    lost: list[Asked] = []

    async def lose_first_of_each(asked: Asked) -> bytes:
        answer = await through(asked)
        is_new = all((asked.method, asked.path) != (other.method, other.path) for other in lost)
        if asked.method in ("POST", "DELETE") and is_new:
            lost.append(asked)
            raise HangUp
        return answer

    gate.behaviour = lose_first_of_each
    async with AsyncClient(gate.url) as client:
        async with client.checkout("debian", wait=PATIENT) as vm:
            assert await client.pools.running() == 1
        assert (await client.vms.show(vm.hostname)).state == "destroyed"
        request = await client.requests.open({"rocky": 1})
        await client.requests.delete(request)
    assert len(lost) == 4


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_cancelled_checkout_leaves_nothing(gate: Gate, moment: str, pair: Pair) -> None:
    through = gate.behaviour
    struck = asyncio.Event()

    async def hold_first(asked: Asked) -> bytes:
        if asked.method != "POST" or struck.is_set():
            return await through(asked)
        answer = await through(asked) if moment == "after" else b""
        struck.set()
        await asyncio.Event().wait()
        return answer

    gate.behaviour = hold_first
    async with AsyncClient(gate.url) as client:
        checkout = client.checkout_many({"debian": 2}, wait=PATIENT)
        task = asyncio.ensure_future(checkout.__aenter__())
        await struck.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (checkout.left, checkout.is_unclear) == ([], False)
        await nobody_has_any(client)


@pytest.mark.parametrize("stage", ["opening", "waiting"])
async def test_a_cancelled_on_demand_request_leaves_nothing(gate: Gate, stage: str) -> None:
    through = gate.behaviour
    struck = asyncio.Event()
    method = "POST" if stage == "opening" else "GET"

    async def hold_first(asked: Asked) -> bytes:
        if asked.method != method or struck.is_set():
            return await through(asked)
        if stage == "opening":
            await through(asked)
        struck.set()
        raise HangUp if stage == "opening" else await _never()

    gate.behaviour = hold_first
    async with AsyncClient(gate.url) as client:
        checkout = client.checkout_on_demand({"rocky": 1})
        task = asyncio.ensure_future(checkout.__aenter__())
        await struck.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not checkout.is_unclear
        assert (await client.requests.show(checkout.order.key)).is_over
        await nobody_has_any(client)


async def _never() -> Exception:
    await asyncio.Event().wait()
    return HangUp()


@pytest.mark.parametrize("is_on_demand", [False, True])
async def test_waiting_goes_on_over_a_restart_of_the_service(
    pair: Pair, gate: Gate, client: AsyncClient, is_on_demand: bool
) -> None:
    through = gate.behaviour
    asked_first = asyncio.Event()
    back_at = 0.0

    async def restarting(asked: Asked) -> bytes:
        nonlocal back_at
        is_waiting = "wait=" in asked.path and "wait=x" not in asked.path
        if is_waiting and not asked_first.is_set():
            asked_first.set()
            await asyncio.sleep(3.2)  # it lets us wait, and then it is away
            back_at = asyncio.get_running_loop().time() + 2
            raise HangUp
        if asked_first.is_set() and asyncio.get_running_loop().time() < back_at:
            raise HangUp
        return await through(asked)

    gate.behaviour = restarting
    async with AsyncClient(gate.url) as through_the_gate:
        if is_on_demand:
            async with through_the_gate.checkout_on_demand(["rocky"], timeout=PATIENT) as vms:
                assert len(vms) == 1
        else:
            async with through_the_gate.checkout("debian", wait=PATIENT) as vm:
                assert vm.name == "debian"
    await nobody_has_any(client)


USERS_TESTS = """
import pytest

@pytest.mark.vmpooler("debian", wait=60)
def test_it(vmpooler_vm, vmpooler_client):
    assert vmpooler_client.vms.show(vmpooler_vm.hostname).state == "running"
    assert False, vmpooler_vm.hostname

def test_without_a_mark(vmpooler_vm):
    assert vmpooler_vm.name == "small"
"""


async def test_a_tests_vm_is_given_back_whatever_its_outcome(
    pair: Pair, client: AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "test_users.py").write_text(USERS_TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nvmpooler_pool = small\n")
    finished = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "vmpooler_client.pytest_plugin",
            "-p",
            "no:cacheprovider",
        ),
        cwd=tmp_path,
        env={**os.environ, "VMPOOLER_URL": pair.api.base_url},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await finished.communicate()
    assert b"1 failed, 1 passed" in out, out
    await nobody_has_any(client)
