"""Prints the log of the embedded server as it grows; ends with 1 when the server does.

python -m tools.runner.follow LOG SOCKET
"""

import sys
import time
from pathlib import Path

from tools.runner.embedded_server import answers

PAUSE_SECONDS = 0.5


def main() -> int:
    """Follow until the server is gone."""
    log, socket = (Path(argument) for argument in sys.argv[1:])
    with log.open(errors="replace") as lines:
        while answers(socket, b"PING\r\n"):
            sys.stdout.write(lines.read())
            sys.stdout.flush()
            time.sleep(PAUSE_SECONDS)
        print(lines.read() + "the server has ended")
    return 1


if __name__ == "__main__":
    sys.exit(main())
