"""`python -m vmpooler_api` is `vmpooler-api`."""

import sys

from vmpooler_api.cli import main

if __name__ == "__main__":
    sys.exit(main())
