"""Documents for the tests of the configuration, and short ways to load them."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from vmpooler_common.config import Configuration, ConfigurationError, Problem, Service, load

COMPLETE: dict[str, Any] = {
    "config": {"site_name": "lab"},
    "dns_configs": {"lab": {"dns_class": "dynamic-dns", "domain": "lab.example"}},
    "providers": {"dummy": {}},
    "pools": [
        {"name": "linux", "size": 1, "template": "templates/linux", "provider": "dummy", "dns_plugin": "lab"}
    ],
}
"""The least document without a warning."""


def with_value(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """Return the complete document with one value set; mappings on the way are made."""
    document = deepcopy(COMPLETE)
    target: Any = document
    for step in path[:-1]:
        target = target.setdefault(step, {}) if isinstance(target, dict) else target[step]
    target[path[-1]] = value
    return document


def with_pool(**keys: Any) -> dict[str, Any]:
    """Return the complete document with its pool changed; a key of None is left out."""
    document = deepcopy(COMPLETE)
    pool = document["pools"][0] | keys
    document["pools"] = [{key: value for key, value in pool.items() if value is not None}]
    return document


def with_pools(*pools: Mapping[str, Any]) -> dict[str, Any]:
    """Return the complete document with these pools; what they lack is taken from its own pool."""
    own = COMPLETE["pools"][0]
    return deepcopy(COMPLETE) | {"pools": [own | dict(pool) for pool in pools]}


def load_text(
    document: str | Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    service: Service = "api",
    needs_drivers: bool = False,
) -> Configuration:
    """Load a document from the environment, as text or as values."""
    text = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False)
    everything = {"VMPOOLER_CONFIG": text, **(environ or {})}
    return load(
        path=None, host=host, port=port, environ=everything, service=service, needs_drivers=needs_drivers
    )


def mistakes(
    document: str | Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    *,
    needs_drivers: bool = False,
) -> tuple[Problem, ...]:
    """Return what is wrong with a document; none when it loads."""
    try:
        load_text(document, environ, needs_drivers=needs_drivers)
    except ConfigurationError as error:
        return error.problems
    return ()


def write(directory: Path, name: str, document: str | Mapping[str, Any]) -> Path:
    """Write a document to a file and return its path."""
    path = directory / name
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False))
    return path
