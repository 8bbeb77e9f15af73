"""What the command prints: for people in a terminal, lines of tabs in a pipe, JSON when asked."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vmpooler_client.words import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

Cell = tuple[str, str]
"""A text and its style, such as `red`."""


class Output:
    """Results go to standard output, all else to standard error."""

    def __init__(self, *, as_json: bool, colour: bool) -> None:
        self.as_json = as_json
        self.is_terminal = sys.stdout.isatty()
        self.errors_are_seen = sys.stderr.isatty()
        self._colour = colour and "NO_COLOR" not in os.environ

    def line(self, text: str) -> None:
        """Print a line of a result."""
        sys.stdout.write(f"{printable(text)}\n")
        sys.stdout.flush()

    def lines(self, texts: Iterable[str]) -> None:
        """Print a result."""
        for text in texts:
            self.line(text)

    def json(self, value: Any) -> None:
        """Print a result for programs."""
        sys.stdout.write(f"{json.dumps(value, indent=2, ensure_ascii=False, default=str)}\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Tell people what goes on; programs needn't know."""
        if not self.as_json:
            sys.stderr.write(f"{printable(text)}\n")
            sys.stderr.flush()

    def error(self, text: str, *, code: int, notes: Sequence[str] = ()) -> None:
        """Tell what went wrong, and what is left."""
        if self.as_json:
            error = {"exit_code": code, "message": text, "notes": list(notes)}
            sys.stderr.write(f"{json.dumps({'error': error}, ensure_ascii=False)}\n")
        else:
            sys.stderr.write("".join(f"vmpooler: {printable(line)}\n" for line in (text, *notes)))
        sys.stderr.flush()

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str | Cell]]) -> None:
        """Print a table; without a terminal its lines only, with tabs between the columns."""
        if not self.is_terminal:
            for row in rows:
                sys.stdout.write("\t".join(printable(_text(cell)) for cell in row) + "\n")
            sys.stdout.flush()
            return
        self._console().print(_rich_table(headings, rows))

    def facts(self, facts: Mapping[str, str | Cell]) -> None:
        """Print names and values, one a line."""
        if not self.is_terminal:
            for name, cell in facts.items():
                sys.stdout.write(f"{name}\t{printable(_text(cell))}\n")
            sys.stdout.flush()
            return
        self._console().print(_rich_table((), [((name, "bold"), value) for name, value in facts.items()]))

    def redraw(self) -> None:
        """Draw over what stands in the terminal; in a pipe a new table follows the one before."""
        if self.is_terminal:
            self._console().clear()

    @contextmanager
    def progress(self) -> Iterator["Progress"]:
        """Show a line that changes while something is waited for."""
        if self.as_json or not self.errors_are_seen:
            yield Progress(self, None)
            return
        status = self._console(stderr=True).status("", spinner="dots")
        try:
            yield Progress(self, status)
        finally:
            status.stop()

    def _console(self, *, stderr: bool = False) -> "Console":
        from rich.console import Console

        return Console(stderr=stderr, no_color=not self._colour, highlight=False, soft_wrap=False)


class Progress:
    """A line that tells what is waited for; without a terminal each new text is a line."""

    def __init__(self, output: Output, status: "Status | None") -> None:
        self._output = output
        self._status = status
        self._last = ""

    def tell(self, text: str, *, brief: str = "") -> None:
        """Show this now; without a terminal `brief`, when that isn't what was told last."""
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(printable(text)))
            self._status.start()
        elif (brief or text) != self._last:
            self._last = brief or text
            self._output.note(self._last)


def _text(cell: str | Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _rich_table(headings: Sequence[str], rows: Iterable[Sequence[str | Cell]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=None, show_header=bool(headings), header_style="bold", pad_edge=False, padding=(0, 2, 0, 0)
    )
    filled = [
        [(printable(_text(cell)), "" if isinstance(cell, str) else cell[1]) for cell in row] for row in rows
    ]
    width = len(headings) or max((len(row) for row in filled), default=1)
    for number in range(width):
        table.add_column(headings[number] if headings else "", overflow="fold")
    for row in filled:
        table.add_row(*(Text(text, style=style) for text, style in row))
    return table
