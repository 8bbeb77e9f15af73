"""The files of scripts themselves: what every one of them keeps to."""

import pytest

from vmpooler_common.store.core.scripts import NEEDS, read_scripts

TEXTS = dict(read_scripts())
SCRIPTS = sorted(name for name in TEXTS if not name.startswith("prelude"))
WIDTH = 110
"""Columns, as in Python."""


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_begins_with_its_own_name(script: str) -> None:
    """A merge that takes one file for the other, renamed, puts a script under another verb."""
    lines = TEXTS[script].splitlines()
    head = lines[1] if lines[0].startswith(NEEDS) else lines[0]
    assert head.startswith(f"-- {script}: ")


def test_no_line_of_a_script_is_too_wide() -> None:
    lines = {
        f"{name}:{number}": len(line)
        for name, text in TEXTS.items()
        for number, line in enumerate(text.splitlines(), 1)
    }
    assert {place: width for place, width in lines.items() if width > WIDTH} == {}
