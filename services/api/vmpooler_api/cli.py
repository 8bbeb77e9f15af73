"""The command `vmpooler-api`."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from vmpooler_api.metrics import CATALOGUES
from vmpooler_common.cli import make_parser, start
from vmpooler_common.metrics.describe import describe


class PrintMetrics(argparse.Action):
    """Prints the table of metrics and ends, like `--version` does."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Print and end."""
        print(describe(CATALOGUES))
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the service; give the exit code."""
    parser = make_parser("api")
    parser.add_argument(
        "--print-metrics", action=PrintMetrics, nargs=0, help="print every metric with its meaning, and stop"
    )
    invocation = start("api", sys.argv[1:] if argv is None else argv, os.environ, parser=parser)
    if isinstance(invocation, int):
        return invocation
    # Only now: whoever asks for help doesn't wait for the web framework.
    from vmpooler_api.process import run

    return run(invocation.configuration)
