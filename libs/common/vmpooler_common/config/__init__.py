"""The configuration: read whole, checked whole, frozen. Start with `load`."""

from vmpooler_common.config.document.problems import ConfigurationError, NotInEffect, Problem
from vmpooler_common.config.load import DEFAULT_PORTS, Configuration, Service, load
from vmpooler_common.config.settings import (
    DnsSettings,
    ListenAddress,
    Options,
    PoolSettings,
    ProviderSettings,
    Settings,
)

__all__ = [
    "DEFAULT_PORTS",
    "Configuration",
    "ConfigurationError",
    "DnsSettings",
    "ListenAddress",
    "NotInEffect",
    "Options",
    "PoolSettings",
    "Problem",
    "ProviderSettings",
    "Service",
    "Settings",
    "load",
]
