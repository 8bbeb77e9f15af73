"""Every item of the 3.x contract's checklist is a test that is named by its number."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent
ITEMS = set(range(1, 279))
NOT_APPLICABLE = {
    3,  # v1, v2 and paths without a version are served
    159,  # a default lifetime is always configured
    275,  # paths are counted by their template
}


def test_every_item_that_applies_has_a_test() -> None:
    texts = [path.read_text() for path in sorted(FOLDER.glob("test_*.py"))]
    covered = {int(number) for text in texts for number in re.findall(r"def test_(\d{3})_\w+\(", text)}
    assert covered == ITEMS - NOT_APPLICABLE
