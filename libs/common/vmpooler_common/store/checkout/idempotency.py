"""Idempotency-Keys, by which a client that asks again is told the same again. Only their digests are kept."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What a client has sent along with its order."""

    text: str
    address: str
    """Of the client. A key is its token's, or its address's where it has none."""

    def digest(self, token: str) -> str:
        """Give the key's name in the store; `token` is the token's digest, empty for none."""
        caller = f"token {token}" if token else f"address {self.address}"
        return _sha256([caller, self.text])


def digest_of_order(counts: Iterable[tuple[str, int]]) -> str:
    """Give a digest that is the same for the same names and counts, in whatever order they stand."""
    return _sha256(sorted(counts))


def _sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
