"""The settings of on-demand requests: what they are by default, and that all of them are in effect."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.config.documents import COMPLETE, load_text, with_value

DEFAULTS = {
    "max_ondemand_instances_per_request": 10,
    "ondemand_request_ttl": timedelta(minutes=5),
    "ondemand_clone_limit": 10,
    "max_vm_retries": 3,
    "ondemand_from_ready": True,
}


def test_they_have_defaults() -> None:
    general = load_text(COMPLETE).settings.general
    assert {name: getattr(general, name) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value", "meaning"),
    [
        ("max_ondemand_instances_per_request", 25, 25),
        ("ondemand_request_ttl", 2, timedelta(minutes=2)),
        ("ondemand_clone_limit", 0, 0),
        ("max_vm_retries", 1, 1),
        ("ondemand_from_ready", False, False),
        ("ondemand_from_ready", "false", False),
    ],
)
def test_they_are_in_effect(name: str, value: Any, meaning: object) -> None:
    loaded = load_text(with_value(("config", name), value))
    assert getattr(loaded.settings.general, name) == meaning
    assert loaded.not_in_effect == ()
