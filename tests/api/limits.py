"""An API that limits requests, and clients that go beyond it."""

from collections import Counter
from typing import Any

from tests.api.in_process import Api
from tests.store.dataset import ask

ON: dict[str, Any] = {"rate_limiting_enabled": True}
"""The section `config` with limits."""
LIST = "/api/v3/vm"
"""A path that costs nothing."""


def limits(**categories: int) -> dict[str, Any]:
    """Limits per minute."""
    return {"rate_limits": {category: {"limit": limit} for category, limit in categories.items()}}


async def statuses(api: Api, method: str, path: str, *, times: int, **arguments: Any) -> Counter[int]:
    """Ask one after the other and count the answers by status."""
    return Counter([(await api.client.request(method, path, **arguments)).status_code for _ in range(times)])


async def age(api: Api, seconds: int) -> None:
    """Make every request that was counted older, as if so much time had passed."""
    for key in await ask(api.fleet.client, "KEYS", f"{api.fleet.prefix}:rate:*"):
        for operation in await ask(api.fleet.client, "ZRANGE", key, 0, -1):
            await ask(api.fleet.client, "ZINCRBY", key, -1000 * seconds, operation)
