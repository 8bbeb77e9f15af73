"""The client and the command with a service of 3.x: what it can works, and what it can't is said."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.client.command import Command, Finished
from tests.client.gate import Asked, Gate, HangUp
from tests.client.old_service import TOKEN, OldService
from vmpooler_client import AnswerLostError, AsyncClient, NotReadyError, NotSupportedError


@pytest.fixture
def old() -> OldService:
    return OldService()


@pytest.fixture
async def gate(old: OldService) -> AsyncIterator[Gate]:
    async with Gate(old) as gate:
        yield gate


@pytest.fixture
async def client(gate: Gate) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(gate.url, token=TOKEN) as client:
        yield client


async def call(vmpooler: Command, gate: Gate, *arguments: str, typed: str = "") -> Finished:
    vmpooler.environment |= {"VMPOOLER_URL": gate.url, "VMPOOLER_TOKEN": TOKEN}
    return await asyncio.to_thread(vmpooler, *arguments, typed=typed)


async def test_everyday_commands_work(vmpooler: Command, gate: Gate, old: OldService) -> None:
    assert "debian" in (await call(vmpooler, gate, "list")).out
    taken = await call(vmpooler, gate, "get", "debian=2", "--lifetime=5", "--tag=a=b")
    vm, other = taken.lines
    assert old.running["old-0"]["tags"] == {"a": "b"}
    assert (await call(vmpooler, gate, "mine")).lines[0].startswith(vm)
    assert "running" in (await call(vmpooler, gate, "show", vm)).out
    for arguments in (["extend", vm, "3"], ["tag", vm, "c=d"], ["revert", vm, "x"], ["return", vm, other]):
        assert (await call(vmpooler, gate, *arguments)).code == 0
    assert old.running == {}
    for arguments in (["status"], ["pools"], ["pool", "debian-12-x86_64", "--size=3"]):
        assert (await call(vmpooler, gate, *arguments)).code == 0
    login = ("--user=alice", "--password-stdin")
    assert (await call(vmpooler, gate, "token", "list", *login, typed="x\n")).out.startswith(TOKEN)


async def test_what_it_cannot_is_said(vmpooler: Command, gate: Gate, old: OldService) -> None:
    vm = (await call(vmpooler, gate, "get", "debian")).lines[0]
    for arguments in (["disk", vm, "8", "--wait"], ["snapshot", vm, "--wait"]):
        done = await call(vmpooler, gate, *arguments)
        assert (done.code, "can't tell when it is done" in done.err) == (0, True)
    for arguments, words in (
        (["explain", "build-7"], "can't explain requests: it is vmpooler 3.x"),
        (["explain", "debian-12-x86_64"], "it is vmpooler 3.x"),
        (["pool", "debian-12-x86_64", "--pause=x"], "it is vmpooler 3.x"),
        (["pool", "debian-12-x86_64", "--clone-target=configured"], "it is vmpooler 3.x"),
        (["pool", "debian-12-x86_64", "--reset"], "experimental_features"),
    ):
        ended = await call(vmpooler, gate, *arguments)
        assert (ended.code, words in ended.err) == (7, True), ended
    told = await call(vmpooler, gate, "providers")
    assert (told.code, "it is vmpooler 3.x" in told.err) == (0, True)
    old.has_users = False
    assert (await call(vmpooler, gate, "token", "list", "--user=a", "--password-stdin")).code == 7


async def test_waiting_is_asking_again(gate: Gate, old: OldService, client: AsyncClient) -> None:
    old.ready = 0
    with pytest.raises(NotReadyError):
        await client.take(["debian"], wait=0.1)
    assert gate.count("POST", "/api/v3/vm") == 2
    request = await client.requests.open({"debian": 2})
    old.looks_until_ready = 0
    async with asyncio.timeout(30):
        assert len((await client.requests.wait(request)).vms) == 2


async def test_an_order_whose_answer_is_lost_is_not_sent_again(gate: Gate, old: OldService) -> None:
    async def lose_orders(asked: Asked) -> bytes:
        answer = await old(asked)
        if asked.method == "POST":
            raise HangUp
        return answer

    gate.behaviour = lose_orders
    async with AsyncClient(gate.url) as client:
        with pytest.raises(AnswerLostError) as lost:
            await client.take(["debian"])
    assert gate.count("POST", "/api/v3/vm") == 1
    assert "VMs of debian may be left" in lost.value.__notes__[0]


async def test_a_cancelled_order_is_waited_for_and_given_back(
    gate: Gate, old: OldService, client: AsyncClient
) -> None:
    ordered, go_on = asyncio.Event(), asyncio.Event()

    async def slow(asked: Asked) -> bytes:
        answer = await old(asked)
        if asked.method == "POST":
            ordered.set()
            await go_on.wait()
        return answer

    gate.behaviour = slow
    task = asyncio.ensure_future(client.take(["debian"]))
    await ordered.wait()
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert old.running == {}


async def test_explanations_are_refused_in_words(client: AsyncClient) -> None:
    with pytest.raises(NotSupportedError):
        await client.requests.explain("x")
