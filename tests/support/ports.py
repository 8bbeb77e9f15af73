"""Free TCP ports on the loopback interface."""

import random
import socket


def free_port() -> int:
    """Return a port that nothing listens on.

    It lies below the range that the kernel takes for outgoing connections, so that a server that is stopped
    and started again finds its port still free.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
