"""What a test needs from the machine. Without it the test is skipped and says why; in CI it fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

NO_SKIPS = "VMPOOLER_NO_SKIPS"
"""Environment variable: `1` turns a missing need into a failure, where everything is known to be there."""

EXAMPLES = "VMPOOLER_EXAMPLES"
"""Environment variable: the directory of the example configurations that came with vmpooler 3.9.1."""


def needs_program(name: str, *, package: str) -> Path:
    """Return the path of a program, or skip the test and name the Debian package that holds it."""
    found = shutil.which(name)
    if found is None:
        _miss(f"needs the Debian package {package}")
    return Path(found)


def needs_library(name: str, *, package: str) -> Path:
    """Return the path of a shared library, or skip the test and name the Debian package that holds it."""
    found = next(iter(sorted(Path("/usr/lib").glob(f"*/faketime/{name}"))), None)
    if found is None:
        _miss(f"needs the Debian package {package}")
    return found


def needs_packages(lock: Path, *, environment: Path) -> None:
    """Make an environment with pinned packages, which may be moved, or skip the test: they can't be had."""
    uv, python = str(Path(sys.executable).with_name("uv")), str(environment / "bin" / "python")
    make = [uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, str(environment)]
    install = [uv, "pip", "install", "--quiet", "--require-hashes", "--python", python, "-r", str(lock)]
    if subprocess.run(make).returncode or subprocess.run(install).returncode:
        shutil.rmtree(environment, ignore_errors=True)
        _miss(f"needs the packages of {lock.name}, which can't be installed here")


def needs_examples() -> Path:
    """Return the directory of the 3.9.1 example configurations, or skip the test.

    They are not part of this repository, so that their absence is never a failure; a wrong path is one.
    """
    named = os.environ.get(EXAMPLES)
    if not named:
        pytest.skip(f"needs {EXAMPLES}, the directory of the 3.9.1 example configurations")
    directory = Path(named)
    if not any(directory.glob("*.yaml")):
        pytest.fail(f"{EXAMPLES} is {named}, where no example lies")
    return directory


def _miss(reason: str) -> NoReturn:
    if os.environ.get(NO_SKIPS) == "1":
        pytest.fail(f"{reason}, and {NO_SKIPS} is set")
    pytest.skip(reason)
