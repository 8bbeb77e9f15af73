"""The header of Basic authentication: a user's name and password, or none at all."""

import base64

import pytest

from vmpooler_api.authentication.base import Credentials, WrongCredentials
from vmpooler_api.authentication.basic import read_basic


def header(text: str | bytes, scheme: str = "Basic") -> str:
    raw = text.encode() if isinstance(text, str) else text
    return f"{scheme} {base64.b64encode(raw).decode()}"


@pytest.mark.parametrize(
    ("value", "credentials"),
    [
        (header("alice:secret"), Credentials("alice", "secret")),
        (header("alice:secret", "basic"), Credentials("alice", "secret")),
        (header("alice:sec:ret "), Credentials("alice", "sec:ret ")),
        (header("zoë:pässword"), Credentials("zoë", "pässword")),
        (header("a" * 256 + ":s"), Credentials("a" * 256, "s")),
        ("Basic  YTpi ", Credentials("a", "b")),
    ],
)
def test_name_and_password_are_separated_by_the_first_colon(value: str, credentials: Credentials) -> None:
    assert read_basic(value) == credentials


@pytest.mark.parametrize(
    "value",
    [
        header("alice"),
        header(":secret"),
        header("alice:"),
        header("alice:secret", "Bearer"),
        header(" alice:secret"),
        header("alice :secret"),
        header("ali\x00ce:secret"),
        header("alice:sec\x00ret"),
        header("alice:secret\n"),
        header("alice:\x7f"),
        header("alice:sec\x85ret"),
        header("a" * 257 + ":secret"),
        header(b"alice:\xff"),
        "Basic",
        "Basic ???",
        "",
    ],
)
def test_anything_else_is_no_credentials(value: str) -> None:
    with pytest.raises(WrongCredentials):
        read_basic(value)
