"""Reads the whole configuration, once, at the start of a service."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from vmpooler_common.config.document.node import Node, Origin
from vmpooler_common.config.document.problems import ConfigurationError, Findings, NotInEffect, Problem
from vmpooler_common.config.read.assembly import assemble
from vmpooler_common.config.read.checks import check
from vmpooler_common.config.read.dangers import warn_of_dangers
from vmpooler_common.config.read.drivers import check_dns_plugins, check_drivers
from vmpooler_common.config.read.environment import overlay, without_empty_receivers
from vmpooler_common.config.read.sources import read_documents
from vmpooler_common.config.resolve import resolve
from vmpooler_common.config.settings import Settings

Service: TypeAlias = Literal["api", "manager"]

DEFAULT_PORTS: Mapping[Service, int] = {"api": 4567, "manager": 4568}


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration without mistakes."""

    settings: Settings
    warnings: tuple[Problem, ...]
    """What works, though perhaps not as it was meant; to be logged at start."""
    not_in_effect: tuple[NotInEffect, ...]
    """Settings that are set whose features don't exist yet, sorted; to be logged in one line at start."""


def load(
    *,
    path: Path | None,
    host: str | None,
    port: int | None,
    environ: Mapping[str, str],
    service: Service,
    needs_drivers: bool = False,
) -> Configuration:
    """Read the documents and the environment.

    `path`, `host` (a comma list) and `port` are the command line's.
    `needs_drivers` makes it a mistake when a provider's driver can't be loaded here: the services don't ask
    for that, since one that is missing is to keep nobody else's pools waiting.

    Raises ConfigurationError with every mistake there is, and nothing else.
    """
    findings = Findings()
    root = read_documents(path, environ, findings)
    stray = root.find("listen")
    if stray is not None:
        findings.warn(stray.origin, "a document can't say where to listen: --host and --port do")
        root = root.without("listen")
    root = overlay(root, environ, findings)
    for key, value in (("host", host), ("port", port)):
        if value is not None:
            root = root.replaced(("listen", key), Node(value, Origin("command line", f"--{key}")))
    sections = assemble(without_empty_receivers(root), findings)
    check(sections, environ, findings)
    warn_of_dangers(sections, findings, serves_users=service == "api")
    if needs_drivers:
        check_drivers(sections, findings)
        check_dns_plugins(sections, findings)
    if findings.problems:
        raise ConfigurationError(findings.problems, findings.warnings)
    settings = resolve(sections, environ, default_port=DEFAULT_PORTS[service])
    return Configuration(settings, tuple(findings.warnings), findings.not_in_effect)
