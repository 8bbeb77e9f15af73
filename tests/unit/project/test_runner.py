"""The command behind `make run`, before it runs anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT
from tools.runner.command import main


@pytest.mark.parametrize("option", ["--api-port", "--manager-port"])
@pytest.mark.parametrize("port", ["70000", "0", "http"])
def test_a_port_that_is_none_is_wrong_usage(
    option: str, port: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([f"{option}={port}"])
    assert caught.value.code == 2
    assert f"{option}: {port!r} is no port: a whole number from 1 to 65535" in capsys.readouterr().err


def test_one_port_for_both_services_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--api-port=4568"])
    assert caught.value.code == 2
    assert "can't both listen on port 4568" in capsys.readouterr().err


def test_ctrl_c_while_modules_are_loaded_prints_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "honcho").mkdir()
    (tmp_path / "honcho" / "__init__.py").write_text("raise KeyboardInterrupt  # what a signal becomes\n")
    ended = subprocess.run(
        [sys.executable, "-m", "tools.runner"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
