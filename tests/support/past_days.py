"""Statistics as the scripts write them, with figures and on days of a test's own choice."""

from tests.store.dataset import ask
from tests.store.fleet import Fleet

DAY_MS = 86_400_000


async def note_durations(fleet: Fleet, statistic: str, pool: str, *seconds: float, days_ago: int = 0) -> None:
    """Have VMs of a pool that was idle that day cloned or booted (`statistic`) in so many seconds each."""
    stored = [round(1000 * value) for value in seconds]
    figures = {"n": len(stored), "sum": sum(stored), "min": min(stored), "max": max(stored)}
    flat = [text for name, value in figures.items() for text in (f"{pool}:{name}", value)]
    await ask(fleet.client, "HSET", await _key(fleet, statistic, days_ago), *flat)


async def note_tags(fleet: Fleet, *tags: tuple[str, str, str], days_ago: int = 0) -> None:
    """Have VMs tagged: (VM, tag, value)."""
    flat = [text for vm, tag, value in tags for text in (f"{vm}:{tag}", value)]
    await ask(fleet.client, "HSET", await _key(fleet, "tag", days_ago), *flat)


async def _key(fleet: Fleet, statistic: str, days_ago: int) -> str:
    return f"{fleet.prefix}:stats:{statistic}:{await fleet.server_ms() // DAY_MS - days_ago}"
