"""One call of one verb of the store, as data."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.store.fleet import Fleet
from vmpooler_common.store.store import Store


async def nothing(fleet: Fleet) -> None:
    """Arrange nothing."""


@dataclass(frozen=True)
class Act:
    """One call of one verb."""

    label: str
    verb: str
    """Attribute of the store and method, `clones.begin`."""
    run: Callable[[Store], Awaitable[object]]
    arrange: Callable[[Fleet], Awaitable[None]] = nothing
    scripts: frozenset[str] = field(default_factory=frozenset)
    """The Lua files that the verb runs."""
    only_reads: bool = False


def act_of(
    label: str,
    verb: str,
    run: Callable[[Store], Awaitable[object]],
    *scripts: str,
    arrange: Callable[[Fleet], Awaitable[None]] = nothing,
    only_reads: bool = False,
) -> Act:
    return Act(label, verb, run, arrange, frozenset(scripts), only_reads)
