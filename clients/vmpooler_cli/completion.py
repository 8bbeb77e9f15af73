"""The shells' completion."""

import click
from click.shell_completion import get_completion_class

VARIABLE = "_VMPOOLER_COMPLETE"


@click.command(short_help="Print the completion of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options and names of pools.

    \b
    bash   source <(vmpooler completion bash)
    zsh    source <(vmpooler completion zsh)
    fish   vmpooler completion fish | source
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows all three
    click.echo(kind(context.find_root().command, {}, "vmpooler", VARIABLE).source())
