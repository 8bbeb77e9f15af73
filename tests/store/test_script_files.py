"""The files of scripts themselves: what every one of them keeps to."""

from importlib.resources import files

import pytest

from vmpooler_common.store.scripts import NEEDS

LUA = files("vmpooler_common.store") / "lua"
SCRIPTS = sorted(entry.name.removesuffix(".lua") for entry in LUA.iterdir() if "prelude" not in entry.name)
WIDTH = 110
"""Columns, as in Python."""


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_begins_with_its_own_name(script: str) -> None:
    """A merge that takes one file for the other, renamed, puts a script under another verb."""
    lines = (LUA / f"{script}.lua").read_text().splitlines()
    head = lines[1] if lines[0].startswith(NEEDS) else lines[0]
    assert head.startswith(f"-- {script}: ")


def test_no_line_of_a_script_is_too_wide() -> None:
    lines = {
        f"{entry.name}:{number}": len(line)
        for entry in LUA.iterdir()
        for number, line in enumerate(entry.read_text().splitlines(), 1)
    }
    assert {place: width for place, width in lines.items() if width > WIDTH} == {}
