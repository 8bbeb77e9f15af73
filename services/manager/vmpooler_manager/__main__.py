"""`python -m vmpooler_manager`: the command `vmpooler-manager`."""

import sys

from vmpooler_manager.cli import main

sys.exit(main())
