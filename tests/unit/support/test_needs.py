"""Tests that miss something of the machine say what it is."""

from pathlib import Path

import pytest

from tests.support.needs import needs_examples, needs_program


def test_a_program_that_is_there_is_found() -> None:
    assert needs_program("sh", package="dash").name == "sh"


def test_a_missing_program_skips_and_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VMPOOLER_NO_SKIPS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs the Debian package prometheus"):
        needs_program("no-such-program", package="prometheus")


def test_a_missing_program_fails_where_nothing_may_be_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMPOOLER_NO_SKIPS", "1")
    with pytest.raises(pytest.fail.Exception, match="needs the Debian package prometheus"):
        needs_program("no-such-program", package="prometheus")


def test_a_wrong_directory_of_examples_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VMPOOLER_EXAMPLES", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match="no example lies"):
        needs_examples()
