"""Secrets never appear: not in settings that are printed, nor in errors, nor in warnings."""

from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.unit.config.documents import COMPLETE, load_text, with_value
from vmpooler_common.config import ConfigurationError

SECRET = "hunter2-tops3cret"
PLACES: list[tuple[str | int, ...]] = [
    ("redis", "password"),
    ("redis", "url"),
    ("auth", "ldap", "service_account_hash", "password"),
    ("providers", "vsphere", "password"),
    ("providers", "other", "token"),
    ("providers", "other", "deep", "token"),
    ("dns_configs", "cloud", "credentials"),
    ("pools", 0, "unknown"),
    ("redis", "pasword"),
    ("unknown", "password"),
    ("vsphere", "password"),
]
FORMS: list[Any] = [
    SECRET,
    f"redis://user:{SECRET}@lab:6379/0",
    f"http://user:{SECRET}@lab",
    f"redis://user:{SECRET}@lab:port",
    f"redis://[{SECRET}@lab",
    [SECRET],
    {"value": SECRET},
]
MISTAKES: list[dict[str, Any]] = [{}, {"pools": 5}, {"prometheus": {"prefix": []}}]


steady = settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A slow machine is no failure."""


def told(document: str | dict[str, Any], environ: dict[str, str] | None = None) -> str:
    """Return everything that loading tells about the document."""
    try:
        loaded = load_text(document, {"VMPOOLER_DEBUG": "1"} | (environ or {}))
    except ConfigurationError as error:
        return "\n".join([repr(error), str(error), *map(repr, error.problems), *map(repr, error.warnings)])
    shown = [*map(repr, loaded.warnings), *map(str, loaded.warnings), repr(loaded.not_in_effect)]
    return "\n".join([repr(loaded), str(loaded.settings), *shown])


@steady
@given(place=st.sampled_from(PLACES), form=st.sampled_from(FORMS), mistake=st.sampled_from(MISTAKES))
def test_a_secret_in_a_document_never_appears(
    place: tuple[str | int, ...], form: Any, mistake: dict[str, Any]
) -> None:
    assert SECRET not in told(with_value(place, form) | mistake)


@steady
@given(
    variable=st.sampled_from(["REDIS_PASSWORD", "REDIS_URL", "REDIS_PORT", "VMPOOLER_PASSWORD"]),
    form=st.sampled_from(FORMS[1:5]),
)
def test_a_secret_in_a_variable_never_appears(variable: str, form: str) -> None:
    assert SECRET not in told(COMPLETE, {variable: form})


@pytest.mark.parametrize(
    "sign", ["*", "!", "&", "%", "@", "'", '"', "{", "[", "!<", "!!", "*a: &", ": ", "\\"]
)
@pytest.mark.parametrize("section", ["redis", "pools"])
def test_a_password_that_is_no_yaml_never_appears(sign: str, section: str) -> None:
    assert SECRET not in told(f"{section}:\n  server: a\n  password: {sign}{SECRET}\n  port: x\n")


def test_an_address_with_a_password_in_a_place_for_a_host_is_shown_without_it() -> None:
    document = with_value(("redis", "port"), f"redis://:{SECRET}@lab")
    text = told(document)
    assert SECRET not in text
    assert "redis://…@lab" in text


def test_secrets_are_there_for_those_who_ask() -> None:
    redis = load_text(yaml.safe_dump(with_value(("redis", "password"), SECRET))).settings.redis
    assert redis.password is not None
    assert redis.password.get_secret_value() == SECRET
