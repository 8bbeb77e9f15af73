"""The Makefile: what a newcomer sees and types."""

import re
import subprocess

from tests.support.needs import needs_program
from tests.support.project import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE)


def make(*arguments: str) -> str:
    program = needs_program("make", package="make")
    finished = subprocess.run(
        [program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    return finished.stdout


def test_make_alone_explains_every_target() -> None:
    assert re.findall(r"^  ([a-z]+) +\w", make(), re.MULTILINE) == TARGETS


def test_every_target_sets_itself_up() -> None:
    set_up = re.findall(r"^([a-z]+): \$\(STAMP\) ## ", MAKEFILE, re.MULTILINE)
    assert set(TARGETS) - set(set_up) == {"help", "clean"}


def test_make_run_takes_another_configuration_and_other_ports() -> None:
    command = make("--dry-run", "run", "CONFIG=other.yaml", "VMPOOLER_API_PORT=1", "VMPOOLER_MANAGER_PORT=2")
    assert "--config 'other.yaml'" in command
    assert re.search(r"--api-port '1'\s.*--manager-port '2'", command, re.DOTALL)
