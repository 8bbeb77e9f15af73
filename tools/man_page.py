"""Writes the command's manual page from what the command says of itself: `python -m tools.man_page`."""

from collections.abc import Iterator
from pathlib import Path

import click

from vmpooler_cli.__main__ import SECTIONS, cli
from vmpooler_cli.exits import Exit

PAGE = Path(__file__).parents[1] / "clients" / "vmpooler.1"

ENVIRONMENT = {
    "VMPOOLER_URL": "The service to use where no -s is given.",
    "VMPOOLER_TOKEN": "The token to use in place of the configured one.",
    "VMPOOLER_CA": "A file with certificates to trust besides the system's.",
    "VMPOOLER_SERVICE": "The name of the configured service to use.",
    "VMPOOLER_CLIENT_CONFIG": "The configuration file, in place of the one below.",
    "NO_COLOR": "Set to anything: no colours.",
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY": "The proxy for requests.",
    "SSL_CERT_FILE": "Certificates to trust in place of the system's.",
}
FILES = {
    "~/.config/vmpooler/client.yaml": "Services and tokens, written by vmpooler login; of mode 0600.",
    "~/.vmfloaty.yml": "The configuration of vmfloaty; read only.",
    "~/.cache/vmpooler": "Names of pools, for the shells' completion.",
}


def page() -> str:
    """Give the whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield '.TH VMPOOLER 1 "" "vmpooler" "User Commands"'
    yield from (".SH NAME", r"vmpooler \- take VMs from vmpooler, use them, give them back")
    yield from (".SH SYNOPSIS", ".B vmpooler", r"\fICOMMAND\fR [\fIOPTION\fR]... [\fIARGUMENT\fR]...")
    yield from (
        ".SH DESCRIPTION",
        "Results go to standard output: tables in a terminal, fields with tabs between them in a pipe, JSON",
        "with",
        r".BR \-\-json .",
        "All else goes to standard error.",
    )
    common = _options_of_all()
    for title, commands in SECTIONS.items():
        yield f".SH {title.upper()}"
        for command in commands:
            yield from _command(command, ("vmpooler",), common)
    yield ".SH OPTIONS OF ALL COMMANDS"
    yield from (line for option in common.values() for line in _option(option))
    yield ".SH EXIT STATUS"
    for code in Exit:
        yield from (".TP", f".B {code.value}", _text(code.meaning))
    for title, entries in (("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        yield f".SH {title}"
        for name, meaning in entries.items():
            yield from (".TP", f".B {_text(name)}", _text(meaning))


def _options_of_all() -> dict[str, click.Option]:
    """Find the options that every command has."""
    found = [
        {
            parameter.name or "": parameter
            for parameter in command.params
            if isinstance(parameter, click.Option)
        }
        for command in cli.commands.values()
        if not isinstance(command, click.Group) and command.name != "completion"
    ]
    names = set.intersection(*(set(options) for options in found))
    return {name: option for name, option in found[0].items() if name in names}


def _command(
    command: click.Command, before: tuple[str, ...], common: dict[str, click.Option]
) -> Iterator[str]:
    names = (*before, command.name or "")
    if isinstance(command, click.Group):
        for one in command.commands.values():
            yield from _command(one, names, common)
        return
    context = click.Context(command, info_name=" ".join(names))
    arguments = [
        parameter.make_metavar(context)
        for parameter in command.params
        if isinstance(parameter, click.Argument)
    ]
    yield f".SS {_text(' '.join([*names, *arguments]))}"
    for paragraph in (command.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield from (".nf", *(_text(line) for line in paragraph.splitlines()[1:]), ".fi")
        else:
            yield from (_text(" ".join(paragraph.split())), ".PP")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name not in common:
            yield from _option(parameter)


def _option(option: click.Option) -> Iterator[str]:
    names = ", ".join([*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" {option.metavar or option.type.name.upper()}"
    yield from (".TP", f".B {_text(names + value)}", _text(option.help or ""))


def _text(text: str) -> str:
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped[:1] in (".", "'") else escaped


if __name__ == "__main__":
    PAGE.write_text(page())
