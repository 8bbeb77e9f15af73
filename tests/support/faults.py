"""Faults that a test arranges for requests on their way to Redis: which, when, and what then happens."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

Predicate = Callable[[bytes], bool]
"""Chooses requests by the bytes that the client sent in one go: one command or a pipeline of them."""

Callback = Callable[[], Awaitable[None] | None]
"""What a test does at the moment, for example killing a process."""


class Moment(Enum):
    """When a fault strikes a request."""

    BEFORE = "the server has not seen it"
    AFTER = "the server has carried it out and answered, the client has seen nothing of that"


@dataclass
class Fault:
    """One arranged fault; `hits` tells a test whether and how often it has struck."""

    predicate: Predicate
    moment: Moment
    times: int
    cuts: bool
    callback: Callback | None
    hits: int = 0

    def strikes(self, request: bytes) -> bool:
        """Say whether this request is to be struck, and count it."""
        if self.hits == self.times or not self.predicate(request):
            return False
        self.hits += 1
        return True


def contains(text: str | bytes) -> Predicate:
    """Choose requests that contain `text`, for example a script's SHA or a key."""
    wanted = text.encode() if isinstance(text, str) else text
    return lambda request: wanted in request
