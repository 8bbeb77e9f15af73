"""The header Idempotency-Key: one printable text, or a client's mistake."""

import pytest
from starlette.requests import Request

from vmpooler_api.checkout.idempotency import read_key
from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_api.web.errors import BadRequest
from vmpooler_common.store.checkout.idempotency import IdempotencyKey


def key_of(*values: str, has_token: bool = True) -> IdempotencyKey | None:
    headers = [(b"idempotency-key", value.encode("latin-1")) for value in values]
    scope = {"type": "http", "headers": headers, "client": ("192.0.2.1", 40000)}
    return read_key(Request(scope), ClientAddresses(()), has_token=has_token)


@pytest.mark.parametrize("text", ["k", "~ " * 127 + "k", "  ", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"])
def test_a_key_is_printable_ascii_and_its_clients(text: str) -> None:
    assert key_of(text) == IdempotencyKey(text, "192.0.2.1")


def test_without_the_header_there_is_no_key() -> None:
    assert key_of() is None


@pytest.mark.parametrize(
    "values", [("",), ("k" * 256,), ("a\tb",), ("\x7f",), ("caf\u00e9",), ("one", "two")]
)
def test_anything_else_is_a_mistake(values: tuple[str, ...]) -> None:
    with pytest.raises(BadRequest, match="must be one text of 1 to 255 printable ASCII characters"):
        key_of(*values)


def test_without_a_token_a_short_key_is_a_mistake() -> None:
    with pytest.raises(BadRequest, match="must have at least 16 characters without a token"):
        key_of("k" * 15, has_token=False)
    assert key_of("k" * 16, has_token=False) == IdempotencyKey("k" * 16, "192.0.2.1")
