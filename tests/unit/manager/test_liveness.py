"""When the manager counts as alive."""

from datetime import timedelta

from vmpooler_manager.runtime.liveness import Liveness


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_manager_that_has_just_begun_is_alive() -> None:
    assert Liveness(timedelta(seconds=60), Clock()).complaint() == ""


def test_it_is_alive_for_twice_the_longest_delay_after_a_pass() -> None:
    clock = Clock()
    liveness = Liveness(timedelta(seconds=60), clock)
    clock.now += 100
    liveness.passed()
    clock.now += 120
    assert liveness.complaint() == ""


def test_it_is_dead_after_that_and_says_for_how_long_nothing_came() -> None:
    clock = Clock()
    liveness = Liveness(timedelta(seconds=60), clock)
    clock.now += 121
    assert "121 s" in liveness.complaint()
    assert "120 s" in liveness.complaint()


def test_a_pass_brings_it_back_to_life() -> None:
    clock = Clock()
    liveness = Liveness(timedelta(seconds=60), clock)
    clock.now += 500
    liveness.passed()
    assert liveness.complaint() == ""
