"""The command behind `make run`, before it runs anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ports import free_port
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


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command where it must end by itself, on ports of its own and 80 columns wide."""
    ports = ("--api-port", str(free_port()), "--manager-port", str(free_port()))
    return subprocess.run(
        [sys.executable, "-m", "tools.runner", *ports, *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("obstacle", [".run", ".run/lock/", ".run/redis", ".run/redis/server.log/"])
def test_a_state_directory_that_can_not_be_written_is_told_in_one_line(tmp_path: Path, obstacle: str) -> None:
    path = tmp_path / obstacle
    path.parent.mkdir(parents=True, exist_ok=True)
    if obstacle.endswith("/"):
        path.mkdir()
    else:
        path.touch()
    ended = run("--state", tmp_path / ".run")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"make run: can't write {path} (")
    assert line.endswith(f"everything in {tmp_path / '.run'} must be yours")


def test_mistakes_in_the_configuration_are_told_once_before_anything_is_started(tmp_path: Path) -> None:
    config = tmp_path / "bad.yaml"
    config.write_text(
        "config: {task_limit: none}\npools: [{name: a, template: t, provider: dummy, size: -1}]\n"
    )
    ended = run("--config", config, "--state", tmp_path / ".run")
    assert ended.returncode == 1
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert all(line.startswith(("error:", "  ")) for line in lines[:-1]), ended.stderr
    assert ended.stderr.count("config.task_limit") == 1
    assert ended.stderr.count("pools[0].size") == 1
    assert lines[-1] == "make run: 2 mistakes in the configuration; nothing was started"
    assert [line for line in lines if len(line) > 80 and str(config) not in line] == []
    assert not (tmp_path / ".run").exists()
