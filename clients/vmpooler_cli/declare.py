"""How commands are declared. Nothing is imported here that takes long: a command imports it when it runs."""

from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vmpooler_cli.parameters import DURATION

if TYPE_CHECKING:
    from vmpooler_cli.session import Action

F = TypeVar("F", bound=Callable[..., Any])

_COMMON = (
    click.option("--json", "as_json", is_flag=True, help="Print JSON, errors too (on standard error)."),
    click.option("--no-color", is_flag=True, help="Use no colours, as with the variable NO_COLOR."),
    click.option(
        "--ca",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Trust the certificates in this file, too.",
    ),
    click.option(
        "--timeout",
        type=DURATION,
        default=15,
        metavar="TIME",
        help="Wait so long for an answer; 15s by itself.",
    ),
    click.option("--url", metavar="URL", help="Use the service at this address."),
    click.option("-s", "--service", metavar="NAME", help="Use this one of the configured services."),
)


def common_options(function: F) -> F:
    """Add the options that all commands have."""
    for option in _COMMON:
        function = option(function)
    return function


def talks(action: "Action") -> Callable[..., None]:
    """Make a command's function from what it does with a session; it ends with an exit code."""

    def called(**arguments: Any) -> None:
        from vmpooler_cli.session import run

        click.get_current_context().exit(run(action, arguments))

    return common_options(update_wrapper(called, action))
