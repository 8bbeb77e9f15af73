"""The ownership tag in a VM's annotation: a line for people, then JSON.

Never in `guestinfo.*`: what runs inside of a VM can write there, and could pass for another's.
"""

import json
from datetime import UTC, datetime

from vmpooler_manager.providers.types import OwnershipTag

MARK = "vmpooler: "
EXTRA_CONFIG_KEY = "vmpooler.tag"
"""Where the clone carries the tag, should its annotation never be written. Guests can't write there."""


def annotation(tag: OwnershipTag) -> str:
    """Write the tag with a readable first line."""
    who = f", in use by {tag.owner}" if tag.owner else ""
    until = f" until {tag.ends_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if tag.ends_at else ""
    first = f"Made by vmpooler {tag.installation} for pool {tag.pool}{who}{until}; don't change this note."
    return f"{' '.join(first.splitlines())}\n{MARK}{encode(tag)}"


def encode(tag: OwnershipTag) -> str:
    """Write the tag as JSON on one line, in ASCII."""
    values = {
        "installation": tag.installation,
        "generation": tag.generation,
        "pool": tag.pool,
        "name": tag.name,
        "attempt": tag.attempt,
        "owner": tag.owner,
        "ends_at": None if tag.ends_at is None else tag.ends_at.isoformat(),
    }
    return json.dumps({key: value for key, value in values.items() if value is not None})


def read_annotation(text: str | None) -> OwnershipTag | None:
    """Read the tag of an annotation; None where there is none, or none that can be read."""
    for line in (text or "").splitlines():
        if line.startswith(MARK):
            return decode(line.removeprefix(MARK))
    return None


def decode(text: str | None) -> OwnershipTag | None:
    """Read a tag; None for one that lacks a mark, so that it can't pass for ours."""
    try:
        values = json.loads(text or "")
        marks = [values[key] for key in ("installation", "generation", "pool", "name", "attempt")]
        owner, ends_at = values.get("owner"), values.get("ends_at")
        if not all(isinstance(mark, str) for mark in marks) or not isinstance(owner, str | None):
            return None
        end = None if ends_at is None else datetime.fromisoformat(ends_at)
        return OwnershipTag(marks[0], marks[1], marks[2], marks[3], marks[4], owner, end)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
