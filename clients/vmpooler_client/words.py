"""Texts from elsewhere, made fit for a terminal."""

from collections.abc import Mapping


def printable(text: str) -> str:
    """Replace what could steer a terminal, or run over the line."""
    return "".join(character if character.isprintable() else "�" for character in " ".join(text.split()))


def in_words(wanted: Mapping[str, int]) -> str:
    """Say what is wanted: `debian, 2 of rocky`."""
    return ", ".join(name if count == 1 else f"{count} of {name}" for name, count in wanted.items())
