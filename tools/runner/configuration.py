"""Checks the configuration before anything is started, so that each mistake is reported once."""

from collections.abc import Mapping
from pathlib import Path

from vmpooler_common.config import ConfigurationError, Problem, Service, load


def check_configuration(file: Path, environ: Mapping[str, str], ports: Mapping[Service, int]) -> str | None:
    """Read the configuration as each service will, and return a pool to try them out with.

    It is the first pool that keeps VMs ready; None when there is none. Raises ConfigurationError with the
    mistakes that any of the services finds.
    """
    problems: dict[str, Problem] = {}
    pool: str | None = None
    for service, port in ports.items():
        try:
            read = load(path=file, host=None, port=port, environ=environ, service=service)
        except ConfigurationError as error:
            problems |= {str(problem): problem for problem in error.problems}
        else:
            pool = next((pool.name for pool in read.settings.pools if pool.size), None)
    if problems:
        raise ConfigurationError(list(problems.values()))
    return pool
