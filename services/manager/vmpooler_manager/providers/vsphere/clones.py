"""Clones that this client started, or found unfinished: followed until they are on and carry their tag."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_manager.providers.errors import CloneFailed, NotFound, ProviderError, TransientError
from vmpooler_manager.providers.types import OwnershipTag, ProviderVm, VmStatus

log = structlog.get_logger()

MOST_FAILURES = 1000
"""Failed clones that are remembered, the latest ones, so that `inspect` can tell why."""


@dataclass
class Clone:
    """A clone under way."""

    tag: OwnershipTag
    task: Any
    """vCenter's; None: the clone has ended, and is finished."""
    work: "asyncio.Task[None] | None" = None

    def seen(self) -> ProviderVm:
        """Describe it as far as it is known without asking."""
        return ProviderVm(str(self.tag.clone.uuid), self.tag.name, VmStatus.CLONING, self.tag)


class Clones:
    """What is under way, by the VM's id, and what failed."""

    def __init__(self) -> None:
        self._under_way: dict[str, Clone] = {}
        self._failed: OrderedDict[str, ProviderError] = OrderedDict()

    def follow(self, clone: Clone, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work`, the rest of the clone, unless somebody does; remember what it failed of."""
        id_ = str(clone.tag.clone.uuid)
        if id_ not in self._under_way:
            self._under_way[id_] = clone
            clone.work = asyncio.create_task(self._work(id_, work))

    def get(self, id_: str) -> Clone | None:
        """Give a clone that is under way. Raises CloneFailed for one that failed."""
        if id_ in self._failed:
            raise CloneFailed(self._failed[id_])
        return self._under_way.get(id_)

    def overlaid(self, vms: Iterable[ProviderVm]) -> tuple[ProviderVm, ...]:
        """Show those that are under way as cloning, with the tag that they will carry."""
        return tuple(
            vm if (clone := self._under_way.get(vm.provider_id)) is None else clone.seen() for vm in vms
        )

    async def settled(self, id_: str) -> None:
        """Wait until nothing is under way with this id, however it ends."""
        clone = self._under_way.get(id_)
        if clone is not None and clone.work is not None:
            await asyncio.wait([clone.work])

    async def close(self) -> None:
        """Stop following; vCenter goes on with what it has accepted."""
        works = [clone.work for clone in self._under_way.values() if clone.work is not None]
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)

    async def _work(self, id_: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except CloneFailed as failure:
            self._remember(id_, failure.cause)
        except ProviderError as error:
            # It was destroyed meanwhile, or whoever inspects it next finishes it.
            log.debug(EventName.PROVIDER_WARNING, message=f"{id_} is unfinished: {error}")
        finally:
            self._under_way.pop(id_, None)

    def _remember(self, id_: str, cause: ProviderError) -> None:
        if isinstance(cause, NotFound):
            cause = TransientError(str(cause))
        self._failed[id_] = cause
        while len(self._failed) > MOST_FAILURES:
            self._failed.popitem(last=False)
