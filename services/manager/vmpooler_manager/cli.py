"""The command `vmpooler-manager`."""

import os
import sys
from collections.abc import Sequence

from vmpooler_common.cli import add_print_metrics, make_parser, start
from vmpooler_manager.metrics import CATALOGUES


def main(argv: Sequence[str] | None = None) -> int:
    """Run the service; give the exit code."""
    parser = make_parser("manager")
    add_print_metrics(parser, CATALOGUES)
    parser.add_argument(
        "--resume-deletion",
        "--release",
        metavar="PROVIDER",
        help="resume deletion at a provider where a safety limit paused it, and exit",
    )
    invocation = start("manager", sys.argv[1:] if argv is None else argv, os.environ, parser=parser)
    if isinstance(invocation, int):
        return invocation
    # Only now: --help answers without loading everything else.
    from vmpooler_manager.process import resume_deletion, run

    provider = invocation.arguments.resume_deletion
    if provider is None:
        return run(invocation.configuration)
    if provider not in invocation.configuration.settings.providers:
        print(f"error: no provider is called {provider!r} in the configuration", file=sys.stderr)
        return 1
    return resume_deletion(invocation.configuration, provider)
