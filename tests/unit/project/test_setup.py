"""The script behind `make setup`: how it finds a Python, and what it says when there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return a directory that is all of the PATH, with nothing in it that could be a Python."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "awk"):
        (programs / name).symlink_to(shutil.which(name) or name)
    return programs


def install_python(machine: Path, name: str, *, fits: bool = True, has_venv: bool = True) -> None:
    """Put a Python there that answers the script's questions, and fails when asked to make an environment."""
    program = machine / name
    program.write_text(
        f"""#!/bin/sh
        case "$*" in
            *version_info*) exit {0 if fits else 1} ;;
            *ensurepip*) exit {0 if has_venv else 1} ;;
            *sys.version*) echo "{name}" ;;
            *) echo "{name} was chosen" >&2; exit 3 ;;
        esac
        """
    )
    program.chmod(0o755)


def set_up(machine: Path, **environment: str) -> str:
    """Run the script in an empty directory, where it must fail, and return what it says."""
    finished = subprocess.run(
        ["sh", ROOT / "tools" / "setup.sh"],
        cwd=machine.parent,
        env={"PATH": str(machine), **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert finished.returncode != 0
    return finished.stderr


def test_without_a_python_it_says_what_to_install(machine: Path) -> None:
    assert "apt install python3 python3-venv" in set_up(machine)


def test_a_python_of_another_version_does_not_count(machine: Path) -> None:
    install_python(machine, "python3", fits=False)
    assert "no Python 3.11, 3.12 or 3.13 found" in set_up(machine)


def test_a_python_without_venv_names_the_package(machine: Path) -> None:
    install_python(machine, "python3", has_venv=False)
    assert "python3 has no venv module; install it (Debian and Ubuntu: apt install python3-venv)" in set_up(
        machine
    )


def test_the_first_python_that_fits_is_taken(machine: Path) -> None:
    install_python(machine, "python3", fits=False)
    install_python(machine, "python3.13", has_venv=False)
    install_python(machine, "python3.12")
    assert "python3.12 was chosen" in set_up(machine)


def test_a_named_python_is_taken_before_all_others(machine: Path) -> None:
    install_python(machine, "python3")
    install_python(machine, "mine")
    assert "mine was chosen" in set_up(machine, PYTHON=str(machine / "mine"))


def test_a_named_python_that_does_not_fit_is_refused(machine: Path) -> None:
    install_python(machine, "python3")
    assert "PYTHON=nonsense is not a Python 3.11, 3.12 or 3.13" in set_up(machine, PYTHON="nonsense")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a directory that is set up: its .venv is one of `python3`, and nothing has changed since."""
    project = tmp_path / "project"
    (project / "tools").mkdir(parents=True)
    (project / ".venv" / "bin").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "tools/setup.sh"):
        shutil.copy(ROOT / name, project / name)
    install_python(project / ".venv" / "bin", "python3")
    (project / ".venv" / "bin" / "python3").rename(project / ".venv" / "bin" / "python")
    (project / ".venv" / ".set-up").touch()
    return project


def make_setup(project: Path, python: str | Path) -> str:
    made = subprocess.run(
        ["make", "setup", f"PYTHON={python}"],
        cwd=project,
        env=os.environ | {"MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return made.stdout + made.stderr


def test_another_python_makes_the_environment_anew(project: Path, machine: Path) -> None:
    install_python(machine, "other")
    assert "other was chosen" in make_setup(project, machine / "other")


def test_the_python_of_the_environment_leaves_it_as_it_is(project: Path, machine: Path) -> None:
    install_python(machine, "python3")
    assert "Nothing to be done" in make_setup(project, machine / "python3")


def install_offline(directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script with this Python, and pip with no other settings than these."""
    shutil.copy(ROOT / "requirements.lock", directory)
    named = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    return subprocess.run(
        ["sh", ROOT / "tools" / "setup.sh"],
        cwd=directory,
        env={**named, "PYTHON": sys.executable, "PIP_CONFIG_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_without_a_network_one_line_says_so(tmp_path: Path) -> None:
    failed = install_offline(tmp_path, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1")
    assert failed.returncode == 1
    (line,) = failed.stderr.splitlines()
    assert line.startswith("no network: can't reach the package index")
    assert "/simple/uv/" in (tmp_path / ".venv" / "pip.log").read_text()


def test_what_else_stops_pip_is_shown_in_its_words(tmp_path: Path) -> None:
    failed = install_offline(tmp_path, PIP_NO_INDEX="1")
    assert failed.returncode == 1
    assert "No matching distribution found for uv" in failed.stderr
    assert "no network" not in failed.stderr
