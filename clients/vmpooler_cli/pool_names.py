"""Names of pools for the shell's completion: from a small cache, else from the service, else none."""

import hashlib
import json
import os
import time
from pathlib import Path

FRESH_SECONDS = 300.0
_PATIENCE = 2.0


def known_names(*, with_aliases: bool, service: str | None, url: str | None, ca: Path | None) -> list[str]:
    """List pools, and aliases if wanted; nothing when the service isn't there in time."""
    from vmpooler_client import VmpoolerError

    try:
        names = _names(service, url, ca)
    except (VmpoolerError, OSError):
        return []
    return sorted({*names["pools"], *(names["aliases"] if with_aliases else ())})


def _names(service: str | None, url: str | None, ca: Path | None) -> dict[str, list[str]]:
    from vmpooler_cli.session import chosen_service

    chosen = chosen_service(service=service, url=url, ca=ca)
    file = _cache() / f"{hashlib.sha256(chosen.url.encode()).hexdigest()[:16]}.json"
    if (kept := _read(file)) is not None:
        return kept
    names = _ask(chosen.url, chosen.ca)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(names))
    fresh.replace(file)
    return names


def _ask(url: str, ca: Path | None) -> dict[str, list[str]]:
    from vmpooler_client import Client, Retries, Service

    with Client(Service(url, ca=ca), retries=Retries(attempts=1), patience=_PATIENCE) as client:
        pools = client.pools.status(["pools"]).pools
    return {"pools": list(pools), "aliases": [alias for pool in pools.values() for alias in pool.alias]}


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vmpooler"


def _read(file: Path) -> dict[str, list[str]] | None:
    try:
        if time.time() - file.stat().st_mtime > FRESH_SECONDS:
            return None
        kept = json.loads(file.read_text())
        return {name: [str(one) for one in kept[name]] for name in ("pools", "aliases")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
