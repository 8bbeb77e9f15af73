"""When Redis's clock is believed."""

from datetime import timedelta

import pytest

from tests.unit.manager.views import NOW
from vmpooler_manager.runtime.clock import CALM, DRIFT, ClockGuard

CALM_SECONDS = CALM.total_seconds()


class Clocks:
    """Redis's clock and the monotonic one, and a guard that reads both."""

    def __init__(self) -> None:
        self.redis, self.monotonic = NOW, 1_000.0
        self.guard = ClockGuard()
        self.guard.is_steady(self.redis, self.monotonic)

    def after(self, seconds: float, *, jump: timedelta = timedelta(0)) -> bool:
        """Let time pass, Redis's clock jumping on top; say whether the guard finds it steady."""
        self.monotonic += seconds
        self.redis += timedelta(seconds=seconds) + jump
        return self.guard.is_steady(self.redis, self.monotonic)


def test_the_first_reading_is_believed() -> None:
    assert ClockGuard().is_steady(NOW, 0.0)


@pytest.mark.parametrize("seconds", [0.05, 60, 86_400])
def test_clocks_that_go_alike_are_steady_however_seldom_they_are_read(seconds: float) -> None:
    assert Clocks().after(seconds)


@pytest.mark.parametrize("jump", [DRIFT, -DRIFT])
def test_a_delay_of_up_to_a_minute_is_no_jump(jump: timedelta) -> None:
    assert Clocks().after(5, jump=jump)


@pytest.mark.parametrize("jump", [DRIFT + timedelta(seconds=1), -DRIFT - timedelta(seconds=1)])
def test_a_jump_either_way_is_noticed(jump: timedelta) -> None:
    assert not Clocks().after(5, jump=jump)


def test_a_clock_that_jumped_is_believed_again_after_a_minute_without_a_jump() -> None:
    clocks = Clocks()
    clocks.after(5, jump=timedelta(hours=1))
    assert [clocks.after(CALM_SECONDS), clocks.after(1)] == [False, True]


def test_a_second_jump_begins_the_minute_anew() -> None:
    clocks = Clocks()
    clocks.after(5, jump=timedelta(hours=1))
    clocks.after(CALM_SECONDS - 1, jump=timedelta(hours=-1))
    assert [clocks.after(CALM_SECONDS - 1), clocks.after(2)] == [False, True]


def test_a_process_that_was_stopped_in_the_middle_of_a_reading_distrusts_what_it_read() -> None:
    clocks = Clocks()
    clocks.monotonic += 600  # the reading is from before
    assert not clocks.guard.is_steady(clocks.redis, clocks.monotonic)
