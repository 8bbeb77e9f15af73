"""How long is waited after errors."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmpooler_manager.runtime.backoff import Backoff, Delays, RetryPolicy

DELAYS = Delays(first=timedelta(seconds=5), longest=timedelta(seconds=60), growth=2.0)


class Highest(Random):
    """Chance at its upper end."""

    def random(self) -> float:
        return 1.0 - 2**-53


def make_backoff(delays: Delays = DELAYS) -> Backoff:
    return Backoff(RetryPolicy(delays, Highest()))


@pytest.mark.parametrize(("failures", "seconds"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (9, 60)])
def test_the_delay_grows_with_each_failure_up_to_the_longest(failures: int, seconds: float) -> None:
    assert DELAYS.after(failures, Highest()).total_seconds() == pytest.approx(seconds)


@given(
    failures=st.integers(1, 10**6),
    growth=st.floats(1.0001, 1e18),
    first=st.floats(0.001, 3600),
    longest=st.floats(0.001, 3600),
    seed=st.integers(),
)
def test_a_delay_is_up_to_a_fifth_shorter_by_chance_and_never_longer_than_the_longest(
    failures: int, growth: float, first: float, longest: float, seed: int
) -> None:
    delays = Delays(timedelta(seconds=first), timedelta(seconds=longest), growth)
    seconds = delays.after(failures, Random(seed)).total_seconds()
    assert min(first, longest) * 0.8 - 1e-6 <= seconds <= longest + 1e-6


def test_pools_that_failed_together_come_back_apart() -> None:
    assert len({DELAYS.after(3, Random(seed)) for seed in range(20)}) == 20


def test_without_a_failure_nothing_backs_off() -> None:
    backoff = make_backoff()
    assert backoff.allows(0.0)
    assert not backoff.is_failing


def test_a_failure_holds_back_until_the_delay_is_over() -> None:
    backoff = make_backoff()
    backoff.failed(100.0)
    assert backoff.is_failing
    assert [backoff.allows(104.9), backoff.allows(105.1)] == [False, True]


def test_failures_one_after_the_other_back_off_longer_and_longer() -> None:
    backoff, now, waits = make_backoff(), 0.0, []
    for _ in range(5):
        backoff.failed(now)
        waits.append(round(backoff.until - now))
        now = backoff.until
    assert waits == [5, 10, 20, 40, 60]


def test_calls_that_fail_together_count_once() -> None:
    backoff = make_backoff()
    for at in range(10):
        backoff.failed(100.0 + at / 10)
    assert backoff.until == pytest.approx(105)


def test_a_permanent_failure_waits_longest_at_once() -> None:
    backoff = make_backoff()
    backoff.failed(100.0)
    backoff.failed(101.0, is_permanent=True)
    assert backoff.until == 161.0


def test_a_failure_never_shortens_a_wait() -> None:
    backoff = make_backoff()
    backoff.failed(100.0, is_permanent=True)
    backoff.failed(101.0)
    assert backoff.until == 160.0


def test_a_success_ends_the_wait_and_the_growth() -> None:
    backoff = make_backoff()
    for at in (0.0, 50.0, 100.0):
        backoff.failed(at)
    backoff.succeeded()
    assert backoff.allows(100.0)
    assert not backoff.is_failing
    backoff.failed(200.0)
    assert backoff.until == pytest.approx(205)
