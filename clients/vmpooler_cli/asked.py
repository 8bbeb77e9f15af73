"""Questions to whoever sits at the terminal."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let signals end the process at once: the event loop would see them only after the answer."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def confirm(question: str) -> None:
    """Ask; raise click.Abort when the answer is no, or nobody is there to give one."""
    with _interruptible():
        click.confirm(question, abort=True, err=True)


def credentials(user: str | None, *, password_from_input: bool) -> tuple[str, str]:
    """Ask for a name, unless it is known, and for a password: hidden, or the first line of standard input."""
    with _interruptible():
        if user is None:
            if password_from_input:
                raise click.UsageError("--password-stdin needs --user")
            user = click.prompt("User", err=True)
        if password_from_input:
            password = sys.stdin.readline().rstrip("\r\n")
        else:
            password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    return user, password
