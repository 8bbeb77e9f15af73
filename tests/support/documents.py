"""Configuration documents for tests, small and complete."""

from collections.abc import Mapping
from typing import Any


def pooler_document(
    *,
    redis_url: str,
    prefix: str,
    pools: Mapping[str, int | Mapping[str, Any]],
    provider: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a document with the dummy provider and one pool per name.

    A pool is given by its size or by its keys; `provider` and `config` add to those sections.
    """
    return {
        "config": {"site_name": "test", **(config or {})},
        "redis": {"url": redis_url, "prefix": prefix, "connect_timeout": 30},
        "prometheus": {"prefix": "test"},
        "dns_configs": {"test": {"dns_class": "dynamic-dns", "domain": "example.test"}},
        # No test needs a resolver, whatever it answers to names that nobody has.
        "providers": {"dummy": {"skip_dns_check_before_creating_vm": True, **(provider or {})}},
        "pools": [_pool(name, keys) for name, keys in pools.items()],
    }


def _pool(name: str, keys: int | Mapping[str, Any]) -> dict[str, Any]:
    own = {"size": keys} if isinstance(keys, int) else dict(keys)
    # Drivers made for a test declare no settings, and addresses of the dummy lead nowhere.
    usual = {
        "provider": "dummy",
        "dns_plugin": "test",
        "template": f"templates/{name}",
        "ready_check": "none",
    }
    return {"name": name} | usual | own
