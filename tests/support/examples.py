"""How many random examples a test tries."""

import os


def examples(most: int) -> int:
    """Return `most` where CI is set, as build services do, and a third of it elsewhere."""
    return most if os.environ.get("CI") else most // 3
