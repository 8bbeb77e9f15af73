"""The on-demand requests of the small world: what is wanted of each pool, first come, first served."""

from dataclasses import dataclass, field

MOST_CHARGES = 3
"""Clones that may fail while a want is next, before its request fails."""


@dataclass
class LineItem:
    """One VM of a request."""

    pool: str
    vm: str = ""
    charges: int = 0


@dataclass
class Requests:
    """Every request that isn't over; one whose VMs are all granted stays until it is deleted."""

    by_id: dict[str, list[LineItem]] = field(default_factory=dict)
    _count: int = 0

    def open(self, *pools: str) -> None:
        """Want a VM of each of these pools."""
        self._count += 1
        self.by_id[f"request-{self._count}"] = [LineItem(pool) for pool in pools]

    def backlog(self, pool: str) -> int:
        """Count the VMs that are wanted of a pool and not granted."""
        return sum(want.pool == pool and not want.vm for wants in self.by_id.values() for want in wants)

    def head(self, pool: str) -> tuple[str, LineItem] | None:
        """Give the want that a pool serves next, and its request."""
        for request, wants in self.by_id.items():
            for want in wants:
                if want.pool == pool and not want.vm:
                    return request, want
        return None

    def grant(self, pool: str, vm: str) -> bool:
        """Give a VM to the want that is next; False when there is none."""
        found = self.head(pool)
        if found is None:
            return False
        found[1].vm = vm
        return True

    def close(self, request: str) -> list[str]:
        """End a request; give the VMs that it had."""
        return [want.vm for want in self.by_id.pop(request) if want.vm]

    def charge(self, pool: str) -> str | None:
        """FailedAttempt a failed clone; give the request that has failed by it."""
        found = self.head(pool)
        if found is None:
            return None
        request, want = found
        want.charges += 1
        return request if want.charges >= MOST_CHARGES else None
