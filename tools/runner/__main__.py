"""Starts the command behind `make run`."""

import sys


def main() -> int:
    """Run the command; Ctrl-C is no error, also while its modules are still being loaded."""
    try:
        from tools.runner.command import main as run

        return run()
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
