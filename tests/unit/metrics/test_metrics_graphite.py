"""What Graphite is sent, over a real connection."""

import socket
from collections.abc import AsyncIterator, Iterator
from time import time

import pytest

from tests.support.eventually import eventually
from tests.support.listeners import TcpListener
from tests.unit.metrics.pushed import Pushed
from vmpooler_common.metrics.backends.gathering import MOST_OBSERVATIONS
from vmpooler_common.metrics.backends.graphite import Graphite


@pytest.fixture
async def listener(free_port: int) -> AsyncIterator[TcpListener]:
    listener = TcpListener(free_port)
    await listener.open()
    yield listener
    await listener.close()


@pytest.fixture
async def pushed(listener: TcpListener) -> AsyncIterator[Pushed]:
    async with Pushed(Graphite("127.0.0.1", listener.port)).running() as pushed:
        yield pushed


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Yield a port whose listener takes connections and reads nothing."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


async def failed(pushed: Pushed, *, times: int = 1) -> None:
    async def look() -> bool:
        return pushed.failures() >= times

    await eventually(look)


async def test_a_line_is_path_value_and_time(listener: TcpListener, pushed: Pushed) -> None:
    before = int(time())
    pushed.guests.record(4.5, "attic")
    await listener.saw("vmpooler.guests.attic 4.5")
    path, value, epoch = listener.lines[0].split(" ")
    assert (path, value) == ("vmpooler.guests.attic", "4.5")
    assert before <= int(epoch) <= time()


async def test_a_count_is_the_number_of_events_since_the_last_time(
    listener: TcpListener, pushed: Pushed
) -> None:
    pushed.visits.record(2, "front")
    await listener.saw("vmpooler.visits.front 2")
    pushed.visits.record(1, "front")
    await listener.saw("vmpooler.visits.front 1")


async def test_durations_are_their_mean_in_seconds(listener: TcpListener, pushed: Pushed) -> None:
    pushed.stay.record(0.5, "attic")
    pushed.stay.record(1, "attic")
    await listener.saw("vmpooler.stay.attic 0.75")


async def test_a_level_is_sent_again_as_long_as_it_holds(listener: TcpListener, pushed: Pushed) -> None:
    pushed.guests.record(3, "attic")
    await listener.saw("vmpooler.guests.attic 3")
    listener.lines.clear()
    await listener.saw("vmpooler.guests.attic 3")


async def test_one_connection_is_kept_open(listener: TcpListener, pushed: Pushed) -> None:
    for number in range(5):
        pushed.visits.record(1, f"door-{number}")
        await listener.saw(f"vmpooler.visits.door-{number} 1")
    assert listener.connections == 1


async def test_a_listener_that_comes_back_is_found_and_told_what_it_missed(
    listener: TcpListener, pushed: Pushed
) -> None:
    pushed.guests.record(3, "attic")
    await listener.saw("vmpooler.guests.attic 3")
    await listener.close()
    await failed(pushed)
    pushed.visits.record(2, "front")
    pushed.stay.record(1, "attic")
    await failed(pushed, times=int(pushed.failures()) + 1)
    listener.lines.clear()
    await listener.open()
    await listener.saw("vmpooler.visits.front 2")
    await listener.saw("vmpooler.guests.attic 3")
    assert pushed.lost() == 1


async def test_a_connection_that_the_listener_ended_costs_nothing(
    listener: TcpListener, pushed: Pushed
) -> None:
    pushed.visits.record(1, "first")
    await listener.saw("vmpooler.visits.first 1")
    await listener.close()
    await listener.open()
    pushed.visits.record(1, "second")
    await listener.saw("vmpooler.visits.second 1")


async def test_a_listener_that_reads_nothing_holds_nothing_up(silent_port: int) -> None:
    pushed = Pushed(Graphite("127.0.0.1", silent_port, patience=0.1))
    async with pushed.running():
        for number in range(50_000):
            pushed.visits.record(1, f"{number}-{'a-name-that-fills-the-buffers-of-both-sides' * 3}")
        await failed(pushed)


async def test_what_is_kept_is_bounded_whatever_happens(free_port: int) -> None:
    pushed = Pushed(Graphite("127.0.0.1", free_port))
    for _ in range(MOST_OBSERVATIONS + 5):
        pushed.stay.record(1, "attic")
        pushed.visits.record(1, "front")
    gathered = pushed.gathering.take()
    assert gathered.observation_count == MOST_OBSERVATIONS
    assert gathered.lost == 5
    assert gathered.counts == {"vmpooler.visits.front": MOST_OBSERVATIONS + 5}


async def test_durations_without_room_are_counted_as_lost(listener: TcpListener, pushed: Pushed) -> None:
    for _ in range(MOST_OBSERVATIONS + 5):
        pushed.stay.record(1, "attic")
    await listener.saw("vmpooler.stay.attic 1")
    assert pushed.lost() == 5


async def test_what_is_left_at_the_end_is_sent(listener: TcpListener) -> None:
    async with Pushed(Graphite("127.0.0.1", listener.port)).running() as pushed:
        pushed.visits.record(1, "last")
    await listener.saw("vmpooler.visits.last 1")
