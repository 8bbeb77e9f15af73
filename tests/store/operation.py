"""What an operation is: one call of one verb of the store, that can be arranged, done, and done again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from tests.store.fleet import Fleet
from vmpooler_common.store.store import Store

HOUR = timedelta(hours=1)
PAST = timedelta(milliseconds=1)
GENERATION = "generation-1"


async def nothing(fleet: Fleet) -> None:
    """Arrange nothing."""


@dataclass(frozen=True)
class Operation:
    """One call of one verb."""

    label: str
    verb: str
    """Attribute of the store and method, `clones.begin`."""
    run: Callable[[Store], Awaitable[object]]
    arrange: Callable[[Fleet], Awaitable[None]] = nothing
    scripts: frozenset[str] = field(default_factory=frozenset)
    """The Lua files that the verb runs."""
    only_reads: bool = False


def operation(
    label: str,
    verb: str,
    run: Callable[[Store], Awaitable[object]],
    *scripts: str,
    arrange: Callable[[Fleet], Awaitable[None]] = nothing,
    only_reads: bool = False,
) -> Operation:
    return Operation(label, verb, run, arrange, frozenset(scripts), only_reads)
