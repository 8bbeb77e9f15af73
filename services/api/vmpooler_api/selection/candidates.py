"""Which pools may serve a name, worked out at start and when weights change."""

from collections.abc import Mapping, Sequence

from vmpooler_api.selection.request import Order
from vmpooler_common.config import Settings
from vmpooler_common.store.checkout.checkouts import LineItem
from vmpooler_common.store.core.errors import NoneReady


class CandidatePools:
    """Every name that can be asked for, with the pools that it stands for; paused pools are left out."""

    def __init__(self, settings: Settings) -> None:
        self.follow(settings)
        self._sizes = {pool.name: pool.size for pool in settings.pools}
        self.names = settings.names
        """Pools and aliases."""

    def follow(self, settings: Settings) -> None:
        """Weigh the pools anew; no other pools and aliases than before are configured."""
        self._pools = {name: _offer(settings, name) for name in settings.names}

    def wants(self, order: Order) -> list[LineItem]:
        """Say what is wanted of the store. Raises NoneReady for a name whose pools are all paused."""
        wants = [LineItem(name, count, self._pools[name]) for name, count in order.items()]
        for want in wants:
            if not want.pools:
                raise NoneReady(want.name)
        return wants

    def sizes(self, wants: Sequence[LineItem]) -> Mapping[str, int]:
        """Give the configured size of each pool that may serve what is wanted."""
        return {pool: self._sizes[pool] for want in wants for pool, _ in want.pools}


def _offer(settings: Settings, name: str) -> Sequence[tuple[str, float]]:
    candidates = [pool for pool in settings.candidates(name) if not pool.paused]
    weights = settings.weights(candidates) or [1] * len(candidates)
    return tuple((pool.name, weight) for pool, weight in zip(candidates, weights, strict=True))
