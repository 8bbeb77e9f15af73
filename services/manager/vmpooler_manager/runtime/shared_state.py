"""What the loops of one manager share. Nothing of it outlives the process."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class SharedState:
    """Written by the heartbeat and by passes, read by passes."""

    data_epoch: str = ""
    """Which data set on which Redis server the last heartbeat saw; empty while that isn't known."""
    pools: Collection[str] = ()
    """Every pool that some manager holds."""
    rivals: frozenset[str] = frozenset()
    """Providers that this manager can't use and another one can."""
    listed: dict[str, dict[str, int]] = field(default_factory=dict)
    """Provider -> pool -> VMs that its last complete listing showed."""

    def lose_sight(self) -> None:
        """Redis was away: until the next heartbeat it may be another one, or an old copy of it."""
        self.data_epoch = ""

    def provider_vms(self, provider: str) -> int:
        """Count the VMs of a provider, by the last complete listings."""
        listed: Mapping[str, int] = self.listed.get(provider, {})
        return sum(listed.values())
