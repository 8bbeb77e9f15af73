"""Settings as they may be shown: plain values for JSON, in the units of the table, without secrets."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from vmpooler_common.config.declare.field import Section, type_of
from vmpooler_common.config.declare.types import SettingType
from vmpooler_common.config.sections.drivers import (
    DriverSettingsError,
    settings_of_dns_plugin,
    settings_of_driver,
)
from vmpooler_common.config.sections.pools import PoolSection
from vmpooler_common.config.settings import Options, PoolSettings, Settings
from vmpooler_common.logs import without_url_secrets

MASK = "********"
"""Stands where a secret is."""
_TELLING = re.compile(
    "pass|pwd|secret|token|key|credential|auth|account|private|cert|salt|signature|cookie|session",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(r"://\S*@")
"""Up to the last of them: a password may hold slashes and more of them."""
_ALWAYS_MASKED = frozenset({"service_account_hash"})


def looks_secret(key: str) -> bool:
    """Tell whether a key that we don't know may hold a secret; rather one too many than one too few."""
    return _TELLING.search(key) is not None


def redacted(settings: Settings) -> dict[str, Any]:
    """Give everything, in the form of a document; secrets are masked, whoever asks."""
    config: dict[str, Any] = {}
    for section in (
        settings.general,
        settings.serving,
        settings.vsphere_defaults,
        settings.resilience,
        settings.upkeep,
    ):
        config |= redacted_section(section)
    parts: dict[str, Section | None] = {
        "redis": settings.redis,
        "auth": settings.auth,
        "limits": settings.limits,
        "rate_limits": settings.rate_limits,
        "prometheus": settings.prometheus,
        "statsd": settings.statsd,
        "graphite": settings.graphite,
        "graphs": settings.graphs,
        "tracing": settings.tracing,
    }
    return {
        "listen": {"host": list(settings.listen.hosts), "port": settings.listen.port},
        "config": config,
        **{name: redacted_section(part) for name, part in parts.items() if part is not None},
        "tagfilter": redacted_value(settings.tagfilter),
        "dns_configs": {
            name: {
                "dns_class": entry.dns_class,
                "domain": entry.domain,
                "orphan_check_interval": in_unit(entry.orphan_check_interval, "minutes"),
                **redacted_options(entry.options, *_declared(settings_of_dns_plugin, entry.dns_class)),
            }
            for name, entry in settings.dns_configs.items()
        },
        "providers": {
            name: {
                "provider_class": entry.provider_class,
                "paused": entry.paused,
                "operation_timeout": in_unit(entry.operation_timeout, "seconds"),
                **redacted_options(entry.options, *_declared(settings_of_driver, entry.provider_class)),
            }
            for name, entry in settings.providers.items()
        },
        "pools": [redacted_pool(pool) for pool in settings.pools],
    }


def redacted_pool(pool: PoolSettings) -> dict[str, Any]:
    """Give a pool's settings with what they are by default; those that aren't set are left out."""
    shown = {
        "name": pool.name,
        "alias": redacted_value(pool.alias),
        "size": pool.size,
        "template": pool.template,
        "provider": pool.provider,
        "clone_target": pool.clone_target,
        "dns_plugin": pool.dns_plugin,
        "timeout": in_unit(pool.timeout, "minutes"),
        "ready_ttl": in_unit(pool.ready_ttl, "minutes"),
        "check_loop_delay_min": in_unit(pool.check_loop_delay_min, "seconds"),
        "check_loop_delay_max": in_unit(pool.check_loop_delay_max, "seconds"),
        "check_loop_delay_decay": pool.check_loop_delay_decay,
        "paused": pool.paused or None,
    }
    set_ones = {name: redacted_value(value) for name, value in shown.items() if value is not None}
    return {**redacted_options(pool.options, PoolSection), **set_ones}


def redacted_section(section: Section) -> dict[str, Any]:
    """Give a section's settings, with their defaults."""
    shown: dict[str, Any] = {}
    for name, field in type(section).model_fields.items():
        value, declared = getattr(section, name), type_of(field)
        if isinstance(value, Section) and name not in _ALWAYS_MASKED:
            shown[name] = redacted_section(value)
        elif value is not None and (name in _ALWAYS_MASKED or (declared is not None and declared.secret)):
            shown[name] = MASK
        else:
            shown[name] = redacted_value(value, unit=declared.unit if declared else "")
    return shown


def redacted_options(options: Options, *models: type[Section]) -> dict[str, Any]:
    """Give a driver's or a plug-in's keys; `models` declare the types of those that are known.

    What looks like a secret is masked, however deep it stands, and what is declared to be one.
    """
    shown: dict[str, Any] = {}
    for key, value in options.items():
        declared = _type(key, models)
        is_secret = looks_secret(key) or (declared is not None and declared.secret)
        shown[_printable(key)] = (
            MASK if is_secret else redacted_value(value, unit=declared.unit if declared else "")
        )
    return shown


def redacted_value(value: object, *, unit: str = "") -> Any:
    """Give a setting's value for JSON; a duration as a number of `unit` (seconds, where there is none)."""
    match value:
        case SecretStr():
            return MASK
        case timedelta():
            return in_unit(value, unit or "seconds")
        case Options():
            return redacted_options(value)
        case Mapping():
            return {_printable(key): redacted_value(item, unit=unit) for key, item in value.items()}
        case tuple() | list() | frozenset():
            return [redacted_value(item, unit=unit) for item in value]
        case re.Pattern():
            return _printable(value.pattern)
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case _:
            return without_url_secrets(_CREDENTIALS.sub(f"://{MASK}@", _printable(value)), mask=MASK)


def in_unit(duration: timedelta, unit: str) -> int | float:
    """Give a duration as a number of `unit` (seconds, minutes, hours), a whole one where it is."""
    number = duration / timedelta(**{unit: 1})
    return int(number) if number.is_integer() else number


def _declared(settings_of: Callable[[str], type[Section] | None], name: str) -> tuple[type[Section], ...]:
    try:
        model = settings_of(name)
    except DriverSettingsError:
        return ()
    return () if model is None else (model,)


def _type(key: str, models: Iterable[type[Section]]) -> SettingType | None:
    fields = [model.model_fields[key] for model in models if key in model.model_fields]
    return next((declared for field in fields if (declared := type_of(field))), None)


def _printable(value: object) -> str:
    """Give a text that can be UTF-8, which not every text in a document can."""
    return str(value).encode(errors="replace").decode()
