"""The command line that both services share: options, reading the configuration, saying what is wrong."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vmpooler_common import __version__
from vmpooler_common.config import DEFAULT_PORTS, Configuration, ConfigurationError, Problem, Service, load
from vmpooler_common.config.show.table import table_of_settings
from vmpooler_common.metrics.describe import describe

OK = 0
WRONG_CONFIGURATION = 1
WRONG_USAGE = 2

_DESCRIPTIONS: Mapping[Service, str] = {
    "api": "Hands out VMs from vmpooler's pools over HTTP.",
    "manager": "Keeps vmpooler's pools of VMs filled, and takes care of every VM until it is gone.",
}


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the service was started with."""

    configuration: Configuration
    arguments: argparse.Namespace
    """With what a service's own options hold."""


def make_parser(service: Service) -> argparse.ArgumentParser:
    """Return the parser of the options that both services have; a service may add its own."""
    parser = argparse.ArgumentParser(
        prog=f"vmpooler-{service}",
        description=_DESCRIPTIONS[service],
        epilog="The file defaults to the variable VMPOOLER_CONFIG (the document itself as text), then to "
        "VMPOOLER_CONFIG_FILE (its path), then to vmpooler.yaml in the working directory.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration, a YAML file")
    parser.add_argument(
        "--host",
        action="append",
        help="address to listen on, more than once for several, :: for all (default 127.0.0.1)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        help=f"port to listen on, 0 for any free one (default {DEFAULT_PORTS[service]})",
    )
    parser.add_argument(
        "--check-config", action="store_true", help="print every mistake in the configuration, and stop"
    )
    parser.add_argument(
        "--allow-missing-drivers",
        action="store_true",
        help="with --check-config: don't ask for the providers' drivers, which are installed elsewhere",
    )
    parser.add_argument(
        "--print-settings", action="store_true", help="print every setting with its meaning, and stop"
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def add_print_metrics(parser: argparse.ArgumentParser, catalogues: Sequence[type]) -> None:
    """Add `--print-metrics`, which prints the table of a service's metrics and ends, like `--version`."""

    class PrintMetrics(argparse.Action):
        def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
            _print(describe(catalogues))
            parser.exit()

    parser.add_argument(
        "--print-metrics", action=PrintMetrics, nargs=0, help="print every metric with its meaning, and stop"
    )


def start(
    service: Service,
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    parser: argparse.ArgumentParser | None = None,
) -> Invocation | int:
    """Return what to run with, or the exit code when everything is said and done.

    `argv` is without the program's name; `parser` is `make_parser`'s with the service's own options.
    Exit codes: 0 fine, 1 the configuration is wrong, 2 the command line is. Warnings of a configuration
    that is run are the caller's to log.
    """
    try:
        arguments = (parser or make_parser(service)).parse_args(argv)
    except SystemExit as stop:  # argparse has printed the help, the version or what is wrong
        return stop.code if isinstance(stop.code, int) else OK
    if arguments.print_settings:
        return _print(table_of_settings())
    try:
        configuration = load(
            path=arguments.config,
            host=",".join(arguments.host) if arguments.host else None,
            port=arguments.port,
            environ=environ,
            service=service,
            needs_drivers=arguments.check_config and not arguments.allow_missing_drivers,
        )
    except ConfigurationError as error:
        return _report_mistakes(error, service, with_warnings=arguments.check_config)
    if arguments.check_config:
        return _report_fine(configuration)
    return Invocation(configuration, arguments)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a whole number from 0 to 65535 is expected")
    return int(text)


def _report_mistakes(error: ConfigurationError, service: Service, *, with_warnings: bool) -> int:
    if with_warnings:
        _print_warnings(error.warnings)
    for problem in error.problems:
        print(f"error: {problem}", file=sys.stderr)
    count = len(error.problems)
    print(
        f"{count} {'mistake' if count == 1 else 'mistakes'} in the configuration; nothing was started. "
        f"'vmpooler-{service} --print-settings' explains every setting.",
        file=sys.stderr,
    )
    return WRONG_CONFIGURATION


def _report_fine(configuration: Configuration) -> int:
    settings = configuration.settings
    _print_warnings(configuration.warnings)
    if configuration.not_in_effect:
        waiting = ", ".join(str(setting) for setting in configuration.not_in_effect)
        print(f"note: set, but not in effect yet: {waiting}", file=sys.stderr)
    aliases = len(settings.names - {pool.name for pool in settings.pools})
    counts = (
        _count(len(settings.pools), "pool"),
        _count(aliases, "alias", "aliases"),
        _count(len(settings.providers), "provider"),
        _count(len(configuration.warnings), "warning"),
    )
    return _print(f"configuration is fine: {', '.join(counts)}")


def _print_warnings(warnings: Sequence[Problem]) -> None:
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)


def _count(number: int, singular: str, plural: str = "") -> str:
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def _print(text: str) -> int:
    """Print to the standard output; a reader that has seen enough, such as a pager, is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Python flushes the output once more at exit; that must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK
