"""The command `vmpooler-manager`."""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from vmpooler_common.cli import add_print_metrics, make_parser, start
from vmpooler_common.config import Settings
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
    parser.add_argument(
        "--try-provider",
        metavar="PROVIDER",
        help="open this provider, prepare and list its pools, print each step with its time, and exit",
    )
    parser.add_argument(
        "--pool",
        help="with --try-provider: only this pool; make a VM of it, wait until it is ready, destroy it",
    )
    invocation = start("manager", sys.argv[1:] if argv is None else argv, os.environ, parser=parser)
    if isinstance(invocation, int):
        return invocation
    # Only now: --help answers without loading everything else.
    from vmpooler_manager.process import resume_deletion, run, try_provider

    configuration, arguments = invocation.configuration, invocation.arguments
    provider = arguments.try_provider or arguments.resume_deletion
    if mistake := _mistake(configuration.settings, provider, arguments):
        print(f"error: {mistake}", file=sys.stderr)
        return 1
    if arguments.try_provider:
        return try_provider(configuration, provider, arguments.pool)
    if provider:
        return resume_deletion(configuration, provider)
    return run(configuration)


def _mistake(settings: Settings, provider: str | None, arguments: Namespace) -> str:
    if provider is not None and provider not in settings.providers:
        return f"no provider is called {provider!r} in the configuration"
    if arguments.pool is None:
        return ""
    if not arguments.try_provider:
        return "--pool needs --try-provider"
    if (arguments.pool, provider) not in {(pool.name, pool.provider) for pool in settings.pools}:
        return f"no pool of the provider {provider!r} is called {arguments.pool!r} in the configuration"
    return ""
