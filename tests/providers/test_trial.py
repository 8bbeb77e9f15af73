"""`vmpooler-manager --try-provider`: each step is told, and nothing is left behind."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.providers.cloud_file import CloudFile
from vmpooler_manager.cli import main


class Cloud:
    """A configuration with a dummy provider and two pools, one of which can't work."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "cloud.sqlite3"
        self._document = directory / "vmpooler.yaml"

    def attempt(self, *arguments: str, pool: dict[str, Any] | None = None, **provider: Any) -> int:
        """Try the provider; give the exit code."""
        known = {"filename": str(self._file), "templates": ["debian"]}
        usual = {"size": 1, "provider": "dummy"}
        document = {
            "providers": {"dummy": known | provider},
            "pools": [
                usual | {"name": "solaris", "template": "solaris"},
                usual | {"name": "debian", "template": "debian"} | (pool or {}),
            ],
        }
        self._document.write_text(yaml.safe_dump(document))
        return main(["--config", str(self._document), "--try-provider", *arguments])

    def vms(self) -> list[Any]:
        """Give what the cloud holds."""
        return list(CloudFile(self._file).vms())


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path)


def steps(told: str) -> list[str]:
    """Give outcome and text of each step."""
    lines = [line.split(maxsplit=3) for line in told.splitlines() if line.startswith("  ")]
    assert all(seconds.replace(".", "").isdigit() and unit == "s" for _, seconds, unit, _ in lines)
    return [f"{outcome} {text}" for outcome, _, _, text in lines]


def test_every_pool_is_checked_whatever_is_wrong_with_others(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cloud.attempt("dummy") == 1
    assert steps(capsys.readouterr().out) == [
        "ok open the driver",
        "FAILED pool solaris: prepare what its clones need: dummy cloud: pool 'solaris': "
        "there is no template 'solaris' (templates: debian)",
        "ok pool debian: prepare what its clones need",
        "ok pool debian: list its place: 0 VMs, 0 of this installation",
    ]


def test_a_vm_is_made_and_destroyed_when_a_pool_is_named(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cloud.attempt("dummy", "--pool", "debian", createvm_max_time=0.2) == 0
    told = steps(capsys.readouterr().out)
    assert all(step.startswith("ok ") for step in told)
    assert [step.split()[1] for step in told] == [
        *("open", "pool", "pool", "create", "wait", "wait", "wait", "write", "find", "destroy")
    ]
    assert "wait until it has an address: 10.0.0.1, on HOST1" in told[5]
    assert cloud.vms() == []


@pytest.mark.parametrize(
    ("provider", "pool", "reason"),
    [
        ({"createvm_latefail_percent": 100, "createvm_max_time": 0.1}, {}, "createvm_latefail_percent"),
        ({"createvm_orphan_percent": 100}, {}, "createvm_orphan_percent"),
        ({"getvm_poweroff_percent": 100}, {}, "it is switched off"),
        ({"vmready_max_time": 1000, "seed": 1}, {"timeout": 0.01}, "not within 0.6 s (timeout)"),
        ({"listvms_fail_percent": 100}, {}, "listvms_fail_percent"),
    ],
)
def test_a_step_that_fails_says_why_and_nothing_is_left_behind(
    cloud: Cloud,
    capsys: pytest.CaptureFixture[str],
    provider: dict[str, Any],
    pool: dict[str, Any],
    reason: str,
) -> None:
    assert cloud.attempt("dummy", "--pool", "debian", pool=pool, **provider) == 1
    failed = [step for step in steps(capsys.readouterr().out) if step.startswith("FAILED ")]
    assert [reason in step for step in failed] == [True]
    assert cloud.vms() == []


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        (["cloud"], "no provider is called 'cloud'"),
        (["dummy", "--pool", "windows"], "no pool of the provider 'dummy' is called 'windows'"),
    ],
)
def test_a_wrong_name_is_told(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], arguments: list[str], mistake: str
) -> None:
    assert cloud.attempt(*arguments) == 1
    assert mistake in capsys.readouterr().err
