"""The files of scripts themselves: what every one of them keeps to."""

import re

import pytest

from vmpooler_common.model.events import EventName
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


def test_scripts_add_only_known_events_to_the_stream() -> None:
    names = {name for text in TEXTS.values() for name in re.findall(r"'([a-z]+\.[a-z_]+)'", text)}
    assert names - set(EventName) == set()


def test_every_event_is_named_where_it_is_added() -> None:
    added = [call for text in TEXTS.values() for call in re.findall(r"\bevent\((.*?),", text)]
    unnamed = [call for call in added if not re.search(r"'[a-z]+\.[a-z_]+'|EVENT_OF_STATE", call)]
    assert unnamed == ["name"], "only the function itself"
