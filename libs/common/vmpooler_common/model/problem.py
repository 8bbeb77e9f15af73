"""What is wrong with a pool, as its manager found it and everybody else reads it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class ProblemKind(StrEnum):
    """What fails, the worst first: of several that a pool has, the first one is told."""

    PROVIDER = "provider"
    """Its provider can't be used: the driver isn't installed or can't be opened."""
    BROKEN = "broken"
    """It can't work as it is configured, such as with a template that doesn't exist."""
    PREPARATION = "preparation"
    """What its clones need could not be prepared at the provider."""
    CLONES = "clones"
    """Its clones fail."""
    DNS = "dns"
    """DNS keeps its VMs from being named, or from being handed out; or records of VMs that are gone stay."""
    BOOTS = "boots"
    """Its clones don't become ready."""
    LISTING = "listing"
    """Its VMs can't be listed at the provider, so that none is destroyed."""
    DESTROYING = "destroying"
    """Its VMs can't be destroyed."""
    THROTTLED = "throttled"
    """Its provider asked to be left alone for a while."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a pool."""

    kind: ProblemKind
    text: str
    """The provider's last error, in its words."""
    since: datetime
    """When it failed for the first time since it last worked."""
    next_try: datetime | None = None
    """When it is tried again; None where that isn't known beforehand."""
    tries: int = 0
    """How often it has failed in a row."""

    def same_as(self, other: "Problem | None") -> bool:
        """Whether another one tells nothing new. A next try comes with another number of tries."""
        return other is not None and (self.kind, self.text, self.tries) == (
            other.kind,
            other.text,
            other.tries,
        )

    def encode(self) -> str:
        """Give the form in which it is stored."""
        return json.dumps(
            {
                "kind": self.kind,
                "text": self.text,
                "since": self.since.timestamp(),
                "next_try": self.next_try.timestamp() if self.next_try else None,
                "tries": self.tries,
            }
        )


@dataclass(frozen=True, slots=True)
class Pause:
    """An operator has paused a pool: no VM is made or handed out."""

    reason: str
    since: datetime
    user: str | None = None
    """Who paused it, where that is known."""


def read_problem(text: str) -> Problem | None:
    """Read what is stored; None for nothing, or for a kind that this version doesn't know."""
    if not text:
        return None
    found = json.loads(text)
    if found["kind"] not in list(ProblemKind):
        return None
    next_try = found["next_try"]
    return Problem(
        ProblemKind(found["kind"]),
        found["text"],
        since=_time(found["since"]),
        next_try=None if next_try is None else _time(next_try),
        tries=found["tries"],
    )


def read_pause(text: str) -> Pause | None:
    """Read what is stored; None for nothing."""
    if not text:
        return None
    found = json.loads(text)
    return Pause(found["reason"], _time(float(found["since"]) / 1000), found["user"] or None)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
