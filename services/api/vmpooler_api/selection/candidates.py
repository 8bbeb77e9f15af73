"""Which pools may serve a name, worked out at start and when weights change."""

from collections.abc import Mapping, Sequence
from random import SystemRandom

from vmpooler_api.selection.request import Order
from vmpooler_common.config import PoolSettings, Settings
from vmpooler_common.store.checkout.values import LineItem
from vmpooler_common.store.core.errors import NoneReady


class CandidatePools:
    """Every name that can be asked for, with the pools that it stands for; paused pools are left out."""

    def __init__(self, settings: Settings) -> None:
        self.follow(settings)
        self.configured_sizes = {pool.name: pool.size for pool in settings.pools}
        """By pool."""
        self.names = settings.names
        """Pools and aliases."""

    def follow(self, settings: Settings) -> None:
        """Weigh the pools anew; no other pools and aliases than before are configured."""
        self._pools = {name: _offer(settings, name) for name in settings.names}

    def items(self, order: Order) -> list[LineItem]:
        """Give what the store is asked for. Raises NoneReady for a name whose pools are all paused."""
        items = [LineItem(name, count, self._pools[name]) for name, count in order.items()]
        for item in items:
            if not item.pools:
                raise NoneReady(item.name)
        return items

    def sizes(self, items: Sequence[LineItem]) -> Mapping[str, int]:
        """Give the configured size of each pool that may serve what is wanted."""
        return {pool: self.configured_sizes[pool] for item in items for pool, _ in item.pools}


def _offer(settings: Settings, name: str) -> Sequence[tuple[str, float]]:
    candidates = [pool for pool in settings.candidates(name) if not pool.paused]
    weights = settings.weights(candidates) or [1] * len(candidates)
    return tuple((pool.name, weight) for pool, weight in zip(candidates, weights, strict=True))


class PoolSelector:
    """Orders pools for on-demand requests, by weights that are worked out at start and when they change.

    Paused pools make no VMs, so they are named only where all pools of a name are paused.
    """

    def __init__(self, settings: Settings) -> None:
        self._random = SystemRandom()
        self.follow(settings)

    def follow(self, settings: Settings) -> None:
        """Weigh the pools anew; no other pools and aliases than before are configured."""
        self._pools = {name: _drawable(settings, name) for name in settings.names}

    def select(self, order: Order) -> list[tuple[str, ...]]:
        """Give (requested name, pool, the next one if that is broken, …) for each VM, as asked for."""
        return [(name, *self._draw(name)) for name, count in order.items() for _ in range(count)]

    def _draw(self, name: str) -> list[str]:
        """Draw pools by their weights until none is left.

        The way of Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006: the largest
        u^(1/w) goes first.
        """
        keyed = [
            (self._random.random() ** (1 / weight) if weight else -self._random.random(), pool)
            for pool, weight in self._pools[name]
        ]
        return [pool for _, pool in sorted(keyed, reverse=True)]


def _drawable(settings: Settings, name: str) -> Sequence[tuple[str, float]]:
    candidates: Sequence[PoolSettings] = settings.candidates(name)
    candidates = [pool for pool in candidates if not pool.paused] or candidates
    weights = settings.weights(candidates) or [1] * len(candidates)
    return tuple((pool.name, weight) for pool, weight in zip(candidates, weights, strict=True))
