"""Host names for new VMs: an adjective and an animal, such as `agile-stoat`."""

import secrets

from coolname import generate_slug

LONGEST = 15
"""Characters of a name without its prefix: what NetBIOS, and so Windows, allows."""


class NameGenerator:
    """Generates names of two words that can be shown to anybody.

    Some of them may be in use: the store passes over those when it reserves names.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def generate(self, count: int) -> list[tuple[str, str]]:
        """Give so many (name, attempt) pairs; an attempt tells two VMs of one name apart."""
        return [(f"{self._prefix}{_two_words()}", secrets.token_hex(6)) for _ in range(count)]


def _two_words() -> str:
    while len(name := generate_slug(2)) > LONGEST:
        pass
    return name
