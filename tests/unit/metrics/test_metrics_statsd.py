"""What statsd is sent, over real datagrams."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from tests.support.eventually import eventually
from tests.support.listeners import UdpListener
from tests.unit.metrics.pushed import Pushed
from vmpooler_common.metrics.backends.statsd import Statsd


@pytest.fixture
async def listener(free_port: int) -> AsyncIterator[UdpListener]:
    listener = UdpListener(free_port)
    await listener.open()
    yield listener
    await listener.close()


@pytest.fixture
async def pushed(listener: UdpListener) -> AsyncIterator[Pushed]:
    async with Pushed(Statsd("127.0.0.1", listener.port)).running() as pushed:
        yield pushed


async def test_a_count_is_sent_as_the_number_of_events(listener: UdpListener, pushed: Pushed) -> None:
    pushed.visits.record(1, "front")
    pushed.visits.record(2, "front")
    await listener.saw("vmpooler.visits.front:3|c")


async def test_a_level_is_sent_as_it_is(listener: UdpListener, pushed: Pushed) -> None:
    pushed.guests.record(4.5, "attic")
    await listener.saw("vmpooler.guests.attic:4.5|g")


async def test_a_level_below_nothing_is_no_change_of_the_level_before(
    listener: UdpListener, pushed: Pushed
) -> None:
    pushed.guests.record(-2, "attic")
    await listener.saw("vmpooler.guests.attic:-2|g")
    assert (
        listener.lines[listener.lines.index("vmpooler.guests.attic:-2|g") - 1] == "vmpooler.guests.attic:0|g"
    )


async def test_durations_are_sent_one_by_one_in_milliseconds(listener: UdpListener, pushed: Pushed) -> None:
    pushed.stay.record(0.25, "attic")
    pushed.stay.record(12, "attic")
    await listener.saw("vmpooler.stay.attic:12000|ms")
    assert "vmpooler.stay.attic:250|ms" in listener.lines


async def test_what_is_no_duration_is_sent_in_its_own_unit(listener: UdpListener, pushed: Pushed) -> None:
    pushed.weight.record(80)
    await listener.saw("vmpooler.weight_kilograms:80|ms")


async def test_a_dropped_level_is_not_sent_any_more(listener: UdpListener, pushed: Pushed) -> None:
    pushed.guests.record(1, "attic")
    await listener.saw("vmpooler.guests.attic:1|g")
    pushed.guests.drop("attic")
    pushed.visits.record(1, "before")
    await listener.saw("vmpooler.visits.before:1|c")
    listener.lines.clear()
    pushed.visits.record(1, "after")
    await listener.saw("vmpooler.visits.after:1|c")
    assert not [line for line in listener.lines if line.startswith("vmpooler.guests")]


async def test_many_lines_are_divided_into_datagrams_that_pass_an_ethernet(
    listener: UdpListener, pushed: Pushed
) -> None:
    doors = [f"door-{number}" for number in range(300)]
    for door in doors:
        pushed.visits.record(1, door)
    await listener.saw(f"vmpooler.visits.{doors[-1]}:1|c")
    assert {f"vmpooler.visits.{door}:1|c" for door in doors} <= set(listener.lines)
    assert max(map(len, listener.datagrams)) <= 1400
    assert len(listener.datagrams) < 30


async def test_what_happened_while_nobody_listened_is_counted_when_somebody_does(
    listener: UdpListener, pushed: Pushed
) -> None:
    with capture_logs() as logged:
        await listener.close()
        pushed.visits.record(2, "front")
        pushed.stay.record(1, "attic")
        pushed.stay.record(1, "attic")

        async def failed_twice() -> bool:
            return pushed.failures() >= 2

        await eventually(failed_twice)
        pushed.visits.record(1, "front")
        await listener.open()
        await listener.saw("vmpooler.visits.front:3|c")
        assert pushed.lost() == 2

        async def ended() -> bool:
            return len(logged) == 2

        await eventually(ended)
    assert [entry["event"] for entry in logged] == ["outage.began", "outage.ended"]


async def test_what_is_left_at_the_end_is_sent(listener: UdpListener) -> None:
    async with Pushed(Statsd("127.0.0.1", listener.port)).running() as pushed:
        pushed.visits.record(1, "last")
    await listener.saw("vmpooler.visits.last:1|c")


@pytest.mark.parametrize("server", ["no-such-host.invalid", "a..b", "x" * 70])
async def test_a_host_that_is_not_found_is_a_failure_and_no_more(server: str) -> None:
    pushed = Pushed(Statsd(server, 8125))
    async with pushed.running():

        async def failed() -> bool:
            return pushed.failures() >= 1

        await eventually(failed)
