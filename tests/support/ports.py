"""Free TCP ports on the loopback interface."""

import os
import random
import socket

FIRST, LAST = 20_000, 32_000
_given: set[int] = set()


def free_port() -> int:
    """Return a port that nothing listens on, another one each time.

    Who asked before may not listen on its port yet, or may have ended and be about to start again.

    It lies below the range that the kernel takes for outgoing connections, so that a server that is stopped
    and started again finds its port still free.
    """
    while True:
        port = random.choice(_ports())
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _given.add(port)
            return port


def _ports() -> range:
    """Give this process's ports; of test processes side by side, each has every n-th."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return range(FIRST + worker, LAST, workers)
