"""Which pool makes each VM of an on-demand request: drawn by weight, for each VM anew."""

from collections.abc import Sequence
from random import SystemRandom

from vmpooler_api.selection.request import Order
from vmpooler_common.config import PoolSettings, Settings


class PoolSelector:
    """The pools that every name may draw, worked out at start and when weights change.

    Paused pools make no VMs, so they are drawn only where all pools of a name are paused.
    """

    def __init__(self, settings: Settings) -> None:
        self._random = SystemRandom()
        self.follow(settings)

    def follow(self, settings: Settings) -> None:
        """Weigh the pools anew; no other pools and aliases than before are configured."""
        self._pools = {name: _drawable(settings, name) for name in settings.names}

    def draw(self, order: Order) -> list[tuple[str, str]]:
        """Give (requested name, pool) for each VM, in the order of the request."""
        return [(name, pool) for name, count in order.items() for pool in self._draw(name, count)]

    def _draw(self, name: str, count: int) -> list[str]:
        pools, weights = self._pools[name]
        return self._random.choices(pools, weights, k=count)


def _drawable(settings: Settings, name: str) -> tuple[Sequence[str], Sequence[float] | None]:
    candidates: Sequence[PoolSettings] = settings.candidates(name)
    candidates = [pool for pool in candidates if not pool.paused] or candidates
    return [pool.name for pool in candidates], settings.weights(candidates)
