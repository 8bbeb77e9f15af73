"""The files of a deployment: right by their schemas and linters, and in agreement with each other."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.needs import needs_program
from tests.support.project import ROOT
from vmpooler_common.config import Service, load

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def run(*command: str | Path) -> None:
    finished = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return document


def test_the_compose_file_keeps_to_its_schema() -> None:
    run(
        *(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"),
        DEPLOY / "compose.yaml",
    )


def test_the_dockerfile_passes_its_linter() -> None:
    run(Path(sys.executable).with_name("hadolint"), DEPLOY / "Dockerfile")


def test_prometheus_takes_its_configuration() -> None:
    run(needs_program("promtool", package="prometheus"), "check", "config", DEPLOY / "prometheus.yml")


@pytest.mark.parametrize("script", [".ci/run", "tools/matrix.sh", "tools/setup.sh"])
def test_a_script_can_be_parsed(script: str) -> None:
    run("bash" if script == ".ci/run" else "sh", "-n", ROOT / script)


def test_redis_writes_to_disk_before_it_answers() -> None:
    command = " ".join(compose()["services"]["redis"]["command"])
    assert "--appendonly yes --appendfsync always" in command


def test_the_services_are_built_from_stages_that_exist() -> None:
    stages = set(re.findall(r"^FROM .* AS (\S+)$", DOCKERFILE, re.MULTILINE))
    assert {compose()["services"][name]["build"]["target"] for name in ("api", "manager")} <= stages


def test_no_image_runs_as_root() -> None:
    service = DOCKERFILE[DOCKERFILE.index(" AS service") :]
    assert re.findall(r"^USER (\S+)$", service, re.MULTILINE) == ["10001:10001"]


def test_prometheus_scrapes_the_ports_that_the_images_listen_on() -> None:
    prometheus = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    scraped = {
        name: entry["port"]
        for job in prometheus["scrape_configs"]
        for entry in job["dns_sd_configs"]
        for name in entry["names"]
    }
    listening = {
        name: int(port)
        for name, port in re.findall(r" AS (api|manager)\n.*\nENV VMPOOLER_PORT=(\d+)", DOCKERFILE)
    }
    assert scraped == listening == {"api": 4567, "manager": 4568}


@pytest.mark.parametrize("service", ["api", "manager"])
def test_the_configuration_to_try_out_is_without_a_mistake_a_warning_or_an_idle_setting(
    service: Service,
) -> None:
    configuration = load(path=DEPLOY / "vmpooler.yaml", host=None, port=None, environ={}, service=service)
    assert configuration.warnings == ()
    assert configuration.not_in_effect == ()
