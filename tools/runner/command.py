"""The command behind `make run`: what it takes, what it checks, what it runs and in which order it ends."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tools.runner.configuration import check_configuration
from tools.runner.embedded_server import EmbeddedServerError, embedded_server, server_in
from tools.runner.leftovers import stop_leftovers
from tools.runner.output import print_folded
from tools.runner.services import Plan, environment_of_services, run_services
from tools.runner.single import AlreadyRunningError, only_one
from tools.server_binary import ServerNotFoundError
from vmpooler_common.config import ConfigurationError, Service


class PortTakenError(Exception):
    """A service can't listen on its port; the message says which and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM; return 0 for that, 1 when something went wrong, 2 for wrong arguments."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.api_port == options.manager_port:
        parser.error(f"the API and the manager can't both listen on port {options.api_port}")
    os.umask(0o077)  # what is written to the state directory is nobody else's business
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        plan = _plan(options)
        with only_one(options.state):
            return _run(plan)
    except ConfigurationError as error:
        print_folded(_mistakes(error))
        return 1
    except (AlreadyRunningError, EmbeddedServerError, PortTakenError, ServerNotFoundError) as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if not _is_in(options.state, error):
            raise
        print(_state_error(options.state, error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _plan(options: argparse.Namespace) -> Plan:
    ports: dict[Service, int] = {"manager": options.manager_port, "api": options.api_port}
    environment = environment_of_services(server_in(options.state / "redis"))
    return Plan(
        ports=ports,
        config=options.config,
        pool=check_configuration(options.config, environment, ports),
        process_files=options.state,
        verbose=options.verbose,
    )


def _run(plan: Plan) -> int:
    state = plan.process_files
    stop_leftovers(state)
    for name, port in plan.ports.items():
        _check_port(name, port)
    print("make run: starting Redis, the manager and the API", flush=True)
    with embedded_server(state / "redis") as server:
        try:
            code = run_services(plan, server)
        finally:
            stop_leftovers(state)
    print(f"make run: Redis itself has ended last; its data stays in {_shown(state / 'redis')}", flush=True)
    return code


def _mistakes(error: ConfigurationError) -> list[str]:
    count = f"{len(error.problems)} {'mistake' if len(error.problems) == 1 else 'mistakes'}"
    return [
        *(f"error: {problem}" for problem in error.problems),
        f"make run: {count} in the configuration; nothing was started",
    ]


def _is_in(state: Path, error: OSError) -> bool:
    return error.filename is not None and Path(os.fsdecode(error.filename)).is_relative_to(state)


def _state_error(state: Path, error: OSError) -> str:
    file = _shown(Path(os.fsdecode(error.filename)))
    return f"make run: can't write {file} ({error.strerror}); everything in {_shown(state)} must be yours"


def _shown(path: Path) -> Path:
    """Return the path as a person would type it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.runner",
        description="Run an embedded Redis server, the manager and the API until Ctrl-C.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--config", type=_existing_file, default="deploy/vmpooler.yaml", help="what the services read"
    )
    parser.add_argument("--api-port", type=_port, default=4567, help="where the API listens")
    parser.add_argument("--manager-port", type=_port, default=4568, help="the manager's metrics and health")
    parser.add_argument("--state", type=_absolute, default=".run", help="directory of what stays")
    parser.add_argument(
        "--verbose", action="store_true", help="show every line of every process, Redis' log too"
    )
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a whole number from 1 to 65535 is expected")
    return int(text)


def _absolute(name: str) -> Path:
    return Path(name).absolute()


def _existing_file(name: str) -> Path:
    if not Path(name).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {name}")
    return _absolute(name)


def _check_port(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            other = port + 100 if port < 60_000 else port - 100
            raise PortTakenError(
                f"port {port} can't be used for the {name} ({error.strerror}); "
                f"choose another: make run VMPOOLER_{name.upper()}_PORT={other}"
            ) from error


def _leave(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)
