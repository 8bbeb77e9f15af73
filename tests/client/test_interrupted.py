"""`get` stopped at any moment: it leaves no VM behind, or says which."""

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.client.command import Command, Finished
from tests.client.gate import Asked, Behaviour, Gate, HangUp, ask, hang, reply
from tests.client.pair import DEBIAN, SMALL, Pair
from tests.support.eventually import eventually
from vmpooler_client import AsyncClient, ConflictError

WAIT = "--wait=60s"


@pytest.fixture
async def gate(pair: Pair) -> AsyncIterator[Gate]:
    """Yield a way to the API on which a test decides what happens to requests."""
    async with Gate(ask(pair.api)) as gate:
        yield gate


@pytest.fixture
async def client(pair: Pair) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(pair.api.base_url) as client:
        yield client


class Held:
    """Holds the first request that fits, before or after the service has seen it, until it is let go."""

    def __init__(self, through: Behaviour, fits: Callable[[Asked], bool], *, after: bool) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self._through = through
        self._fits = fits
        self._after = after

    async def __call__(self, asked: Asked) -> bytes:
        if self.reached.is_set() or not self._fits(asked):
            return await self._through(asked)
        answer = await self._through(asked) if self._after else b""
        self.reached.set()
        await self.go_on.wait()
        return answer or await self._through(asked)


def is_(method: str, begin: str) -> Callable[[Asked], bool]:
    """Fit a request's beginning."""
    return lambda asked: asked.method == method and asked.path.startswith(begin)


async def finished(call: Awaitable[Finished]) -> Finished:
    async with asyncio.timeout(60):
        return await call


async def interrupted(
    vmpooler: Command, gate: Gate, held: Held, *arguments: str, number: signal.Signals = signal.SIGINT
) -> Finished:
    """Call it through the gate, and interrupt it when the request is held."""
    gate.behaviour = held
    call = await asyncio.to_thread(vmpooler.start, *arguments, "--url", gate.url)
    await held.reached.wait()
    call.strike(number)
    return await finished(asyncio.to_thread(call.finish))


async def nobody_has_any(client: AsyncClient) -> bool:
    return await eventually(lambda: _running_is(client, 0))


async def _running_is(client: AsyncClient, number: int) -> bool:
    return await client.pools.running() == number


MOMENTS = {
    "the order is on its way": (is_("POST", "/api/v3/vm"), False, ("get", "debian=2", WAIT)),
    "the answer is on its way": (is_("POST", "/api/v3/vm"), True, ("get", "debian=2", WAIT)),
    "its tags are being noted": (is_("PUT", "/api/v3/vm"), True, ("get", "debian", WAIT, "--tag", "a=b")),
    "the request is being opened": (is_("POST", "/api/v3/ondemandvm"), True, ("get", "rocky", "--ondemand")),
    "its VMs are waited for": (is_("GET", "/api/v3/ondemandvm"), False, ("get", "rocky", "--ondemand")),
    "its VMs are told": (is_("GET", "/api/v3/ondemandvm"), True, ("get", "rocky", "--ondemand")),
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_interrupted_while(moment: str, vmpooler: Command, gate: Gate, client: AsyncClient) -> None:
    fits, after, arguments = MOMENTS[moment]
    held = Held(gate.behaviour, fits, after=after)
    ended = await interrupted(vmpooler, gate, held, *arguments)
    assert (ended.code, ended.out, ended.err.splitlines()[-1]) == (130, "", "vmpooler: cancelled")
    assert await nobody_has_any(client)


async def test_a_request_that_may_arrive_later_is_refused_then(
    vmpooler: Command, gate: Gate, client: AsyncClient
) -> None:
    held = Held(gate.behaviour, is_("POST", "/api/v3/ondemandvm"), after=False)
    ended = await interrupted(vmpooler, gate, held, "get", "rocky", "--ondemand")
    assert ended.code == 130
    late = next(asked for asked in gate.asked if asked.method == "POST").json
    with pytest.raises(ConflictError):
        await client.requests.open({"rocky": 1}, request_id=late["request_id"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
async def test_other_signals_do_the_same(
    vmpooler: Command, gate: Gate, client: AsyncClient, number: signal.Signals, code: int
) -> None:
    held = Held(gate.behaviour, is_("PUT", "/api/v3/vm"), after=True)
    ended = await interrupted(vmpooler, gate, held, "get", "debian", WAIT, "--lifetime=5", number=number)
    assert ended.code == code
    assert await nobody_has_any(client)


async def test_interrupted_while_it_waits_in_the_queue(
    vmpooler: Command, gate: Gate, client: AsyncClient, pair: Pair
) -> None:
    (vm,) = await client.take(["small"], wait=60)
    pair.manager.pause()  # no other is made
    try:
        (other,) = await client.take(["small"]) if await _ready(client, SMALL) else (None,)
        held = Held(gate.behaviour, is_("GET", "/api/v3/status"), after=True)
        ended = await interrupted(vmpooler, gate, held, "get", "small", WAIT)
        for one in filter(None, (vm, other)):
            await client.vms.release(one.hostname)
    finally:
        pair.manager.resume()
    assert ended.code == 130
    assert await nobody_has_any(client)


async def _ready(client: AsyncClient, pool: str) -> int:
    return (await client.pools.status(["pools"])).pools[pool].ready


async def test_at_any_moment_at_all(vmpooler: Command, pair: Pair, client: AsyncClient) -> None:
    vmpooler.environment["VMPOOLER_URL"] = pair.api.base_url
    chance = random.Random(12)
    for _ in range(10):
        call = await asyncio.to_thread(vmpooler.start, "get", "debian", WAIT)
        await asyncio.sleep(chance.uniform(0, 0.15))
        call.strike()
        ended = await finished(asyncio.to_thread(call.finish))
        assert ended.code == 130 or (ended.code == 0 and ended.out), ended
        for name in ended.out.split():  # it was told, and is the user's
            await client.vms.release(name)
        assert await nobody_has_any(client)


async def test_a_reader_that_goes_away_leaves_nothing(
    vmpooler: Command, pair: Pair, client: AsyncClient
) -> None:
    vmpooler.environment["VMPOOLER_URL"] = pair.api.base_url
    ended = await asyncio.to_thread(vmpooler, "get", "debian", WAIT, unread=True)
    assert (ended.code, ended.err) == (141, "")
    assert await nobody_has_any(client)


IN_A_THREAD = """
import sys
from vmpooler_client import Client

with Client(sys.argv[1]) as client, client.checkout("debian", wait=60):
    print("taken")
"""


@pytest.mark.parametrize("after", [False, True])
async def test_a_program_without_asyncio_is_interrupted(gate: Gate, client: AsyncClient, after: bool) -> None:
    held = Held(gate.behaviour, is_("POST", "/api/v3/vm"), after=after)
    gate.behaviour = held
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IN_A_THREAD, gate.url, stdout=pipe, stderr=pipe
    )
    await held.reached.wait()
    program.send_signal(signal.SIGINT)
    out, err = await program.communicate()
    assert (out, b"KeyboardInterrupt" in err) == (b"", True)
    assert b"may be left" not in err
    assert await nobody_has_any(client)


async def test_what_cannot_be_given_back_is_named(vmpooler: Command, gate: Gate, client: AsyncClient) -> None:
    through = Held(gate.behaviour, is_("PUT", "/api/v3/vm"), after=True)
    behaviour = through.__call__

    async def no_returns(asked: Asked) -> bytes:
        return (
            reply(500, {"ok": False, "message": "broken"})
            if asked.method == "DELETE"
            else await behaviour(asked)
        )

    gate.behaviour = no_returns
    call = await asyncio.to_thread(vmpooler.start, "get", "debian", WAIT, "--tag=a=b", "--url", gate.url)
    await through.reached.wait()
    call.strike()
    ended = await finished(asyncio.to_thread(call.finish))
    assert ended.code == 8
    (name,) = [word for word in ended.err.split() if word.endswith(".example.test")]
    assert f"not given back: {name} (broken)" in ended.err
    await client.vms.release(name)


async def test_a_second_interruption_names_what_is_left(
    vmpooler: Command, gate: Gate, client: AsyncClient
) -> None:
    noting = Held(gate.behaviour, is_("PUT", "/api/v3/vm"), after=True)
    returning = Held(noting, is_("DELETE", "/api/v3/vm"), after=False)
    gate.behaviour = returning
    call = await asyncio.to_thread(vmpooler.start, "get", "debian", WAIT, "--tag=a=b", "--url", gate.url)
    await noting.reached.wait()
    call.strike()
    await returning.reached.wait()
    call.strike()
    ended = await finished(asyncio.to_thread(call.finish))
    assert ended.code == 8
    (name,) = [word for word in ended.err.split() if word.endswith(".example.test")]
    assert (await client.vms.show(name)).state == "running"
    await client.vms.release(name)


async def test_a_service_that_is_gone_by_then_may_have_left_some(
    vmpooler: Command, gate: Gate, client: AsyncClient
) -> None:
    through = gate.behaviour
    reached = asyncio.Event()

    async def gone(asked: Asked) -> bytes:
        if asked.method == "GET" or reached.is_set():
            raise HangUp
        await through(asked)
        reached.set()
        return await hang(asked)

    gate.behaviour = gone
    call = await asyncio.to_thread(vmpooler.start, "get", "debian", WAIT, "--url", gate.url)
    await reached.wait()
    call.strike()
    ended = await finished(asyncio.to_thread(call.finish))
    assert ended.code == 8
    assert "VMs of debian may be left" in ended.err
    assert (await client.pools.status()).pools[DEBIAN].running == 1
