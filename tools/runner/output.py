"""What `make run` shows of its processes' output: everything with --verbose, else the essentials."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable

import honcho.printer

WELCOME = "ready"
"""Name of the process whose lines are the welcome."""

_ROUTINE = re.compile(r"\S+Z (debug|info) ")
_FROM_UVICORN = " logger=uvicorn.error"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\S+Z ")
_ORDERLY_END = re.compile(r"\S+ stopped \(rc=-?(0|15)\)")


def fold(text: str, width: int, *, indent: str = "") -> list[str]:
    """Break a line between words so that no part is wider than `width`, unless a word alone is."""
    return textwrap.wrap(
        text, max(width, 20), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def terminal_width() -> int:
    """Return the columns of the terminal, of the variable COLUMNS, or 80."""
    return shutil.get_terminal_size().columns


class EveryLine(honcho.printer.Printer):  # type: ignore[misc]
    """Prints each line after the time and the name of its process; the welcome without them, to be copied."""

    def write(self, message: honcho.printer.Message) -> None:
        """Print the lines of the message."""
        if message.name == WELCOME:
            print(_text(message).rstrip("\n"), file=self.output, flush=True)
        else:
            super().write(message)


class Essentials(EveryLine):
    """Leaves out routine, and folds lines to the terminal's width.

    Routine is: reports of a start before the welcome, of the web server, and of an orderly end.
    """

    def __init__(self) -> None:
        super().__init__()
        self._has_welcomed = False

    def write(self, message: honcho.printer.Message) -> None:
        """Print the lines of the message that aren't routine."""
        if message.name == WELCOME:
            self._has_welcomed = True
            super().write(message)
            return
        width = terminal_width() - len("00:00:00  | ") - self.width
        lines = [
            part
            for line in _text(message).splitlines()
            if self._is_essential(message.name, line)
            for part in fold(_TIME.sub("", line, count=1), width, indent="  ")
        ]
        if lines:
            super().write(message._replace(data="\n".join(lines)))

    def _is_essential(self, name: str, line: str) -> bool:
        if name == "system":
            return "stopped" in line and not _ORDERLY_END.match(line)
        if _ROUTINE.match(line):
            return self._has_welcomed and _FROM_UVICORN not in line
        return True


def print_folded(lines: Iterable[str]) -> None:
    """Print to the standard error, folded to the terminal's width."""
    for line in lines:
        print("\n".join(fold(line, terminal_width(), indent="  ")), file=sys.stderr)


def _text(message: honcho.printer.Message) -> str:
    data = message.data
    return data.decode(errors="replace") if isinstance(data, bytes) else str(data)
