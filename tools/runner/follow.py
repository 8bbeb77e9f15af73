"""Watches the embedded server and ends with 1 when the server does; prints its log as it grows, if told to.

python -m tools.runner.follow [--verbose] LOG SOCKET
"""

import argparse
import sys
import time
from pathlib import Path

from tools.runner.embedded_server import answers

PAUSE_SECONDS = 0.5


def main() -> int:
    """Follow until the server is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("log", type=Path)
    parser.add_argument("socket", type=Path)
    options = parser.parse_args()
    with options.log.open(errors="replace") as lines:
        while answers(options.socket, b"PING\r\n"):
            if options.verbose:
                print(lines.read(), end="", flush=True)
            time.sleep(PAUSE_SECONDS)
        if options.verbose:
            print(lines.read(), end="")
    print(f"the server has ended; its log is {options.log}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
