"""The command's beginning. What takes long to import, each command imports when it runs."""

import sys

import click

from vmpooler_cli import asking, changing, completion, getting, looking, operators, tokens
from vmpooler_cli.exits import Exit

FOR_USERS = (
    looking.list_pools,
    getting.get,
    looking.mine,
    looking.show,
    looking.ssh,
    changing.extend,
    changing.tag,
    changing.disk,
    changing.snapshot,
    changing.revert,
    changing.give_back,
    looking.explain,
    asking.requests,
    tokens.token,
)
FOR_OPERATORS = (operators.status, operators.pools, operators.pool, operators.providers)
FOR_SETTING_UP = (tokens.login, tokens.services, completion.completion)
SECTIONS = {"VMs": FOR_USERS, "The service": FOR_OPERATORS, "Setting up": FOR_SETTING_UP}


class _Root(click.Group):
    """Lists the commands by what they are for."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(command.name or "", command.get_short_help_str(80)) for command in commands]
                )


@click.group(cls=_Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="vmpooler", message="vmpooler %(version)s")
def cli() -> None:
    """Take VMs from vmpooler, use them, give them back.

    Begin with `vmpooler login URL`.
    """


for _commands in SECTIONS.values():
    for _command in _commands:
        cli.add_command(_command)


def main() -> None:
    """Run the command."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # names may not fit the terminal's
    try:
        code = cli(prog_name="vmpooler", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = Exit.INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
