"""The settings of the dummy provider: what is accepted, and what is said about what isn't."""

from typing import Any

import pytest

from tests.providers.dummies import dummy_settings
from vmpooler_manager.providers.dummy.faults import Delay, Fault
from vmpooler_manager.providers.dummy.provider import DummyProvider
from vmpooler_manager.providers.errors import PermanentError
from vmpooler_manager.providers.testing import unmeasured


def test_nothing_is_slow_and_nothing_fails_by_default() -> None:
    settings = dummy_settings({})
    assert [getattr(settings, kind) for kind in (*Fault, *Delay)] == [0] * 26


def test_one_connection_and_a_wait_of_ten_seconds_are_the_default() -> None:
    settings = dummy_settings({})
    assert (settings.connection_pool_size, settings.connection_pool_timeout) == (1, 10)


def test_keys_that_belong_to_others_are_left_to_them() -> None:
    dummy_settings({"provider_class": "Dummy", "circuit_breaker_enabled": True, "paused": True})


def test_a_key_without_a_value_is_absent() -> None:
    assert dummy_settings({"filename": None, "createvm_max_time": None}).createvm_max_time == 0


def test_a_number_written_as_text_is_a_number() -> None:
    assert dummy_settings({"createvm_max_time": "1.5"}).createvm_max_time == 1.5


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((fault.value, value) for fault in Fault for value in (-1, 101, "often", float("nan"))),
        *((delay.value, value) for delay in Delay for value in (-1, "long", float("inf"))),
        ("connection_pool_size", 0),
        ("connection_pool_size", 1.5),
        ("connection_pool_timeout", 0),
        ("filename", ["a", "b"]),
        ("seed", {}),
    ],
)
def test_a_wrong_value_is_a_permanent_error_with_its_place(key: str, value: Any) -> None:
    with pytest.raises(PermanentError, match=f"provider 'cloud-1'.*{key}"):
        DummyProvider("cloud-1", {key: value}, unmeasured())


def test_all_mistakes_are_told_together() -> None:
    with pytest.raises(PermanentError) as caught:
        dummy_settings({"throttle_percent": 150, "createvm_max_time": -2})
    assert "throttle_percent: expected a number from 0 to 100 (given: 150)" in str(caught.value)
    assert "createvm_max_time: expected a number of seconds, 0 or more (given: -2)" in str(caught.value)
