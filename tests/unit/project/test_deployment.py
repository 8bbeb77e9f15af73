"""The files of a deployment: right by their schemas and linters, and in agreement with each other."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tests.support.needs import needs_program
from tests.support.project import ROOT
from vmpooler_common.config import DEFAULT_PORTS, Service, load

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


@pytest.mark.parametrize(
    "script",
    [".ci/run", "deploy/entrypoint.sh", "deploy/redis.sh", "tools/matrix.sh", "tools/setup.sh"],
)
def test_a_script_can_be_parsed(script: str) -> None:
    run("bash" if script == ".ci/run" else "sh", "-n", ROOT / script)


def test_redis_writes_to_disk_before_it_answers() -> None:
    command = " ".join(compose()["services"]["redis"]["command"])
    assert "--appendonly yes --appendfsync always" in command


def test_no_image_runs_as_root() -> None:
    service = DOCKERFILE[DOCKERFILE.index(" AS vmpooler") :]
    assert re.findall(r"^USER (\S+)$", service, re.MULTILINE) == ["10001:10001"]


def test_prometheus_scrapes_the_ports_that_the_images_listen_on() -> None:
    prometheus = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    scraped = {
        name: entry["port"]
        for job in prometheus["scrape_configs"]
        for entry in job["dns_sd_configs"]
        for name in entry["names"]
    }
    assert scraped == DEFAULT_PORTS == {"api": 4567, "manager": 4568}
    assert "EXPOSE 4567 4568" in DOCKERFILE


def images() -> dict[str, str]:
    """Return the version of every image that is used, by the image's name."""
    named = [service["image"] for service in compose()["services"].values() if "image" in service]
    named += re.findall(r"^FROM (\S+:\S+)", DOCKERFILE, re.MULTILINE)
    return dict(image.split(":", 1) for image in named)


def test_every_image_is_of_an_exact_version() -> None:
    versions = images()
    assert set(versions) == {"valkey/valkey", "python", "prom/prometheus"}
    assert [
        version for version in versions.values() if not re.match(r"v?\d+\.\d+\.\d+(-[a-z-]+)?$", version)
    ] == []


def test_valkey_is_without_the_known_faults() -> None:
    version = tuple(map(int, re.findall(r"\d+", images()["valkey/valkey"])[:3]))
    assert version >= (9, 1, 2) or (8, 1, 7) <= version < (8, 2)


def test_the_python_of_the_image_is_one_that_is_supported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert SpecifierSet(project["requires-python"]).contains(images()["python"].partition("-")[0])


@pytest.mark.parametrize("name", ["redis", "api", "manager", "prometheus"])
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    service = compose()["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])


def test_ports_are_of_this_machine_only_unless_told() -> None:
    published = [port for service in compose()["services"].values() for port in service.get("ports", ())]
    assert len(published) == 2
    assert all(re.match(r"\$\{[A-Z]+_ADDRESS:-127\.0\.0\.1\}:", port) for port in published)


def test_the_password_of_redis_is_a_secret_of_all_that_need_it_and_in_no_setting() -> None:
    services = compose()["services"]
    assert [name for name in services if "redis_password" in services[name].get("secrets", ())] == [
        "redis",
        "api",
        "manager",
    ]
    assert "requirepass" not in str(services)
    assert {str(services[name]["environment"]) for name in ("api", "manager")} == {
        "{'REDIS_SERVER': 'redis'}"
    }
    git = ["git", "check-ignore", "--quiet", "deploy/secrets/redis_password"]
    assert subprocess.run(git, cwd=ROOT, check=False).returncode == 0, "it could be committed"


def test_redis_refuses_writes_before_its_memory_limit_kills_it() -> None:
    service = compose()["services"]["redis"]
    command = service["command"]
    assert command[command.index("--maxmemory") + 1] == "512mb"
    assert service["mem_limit"] == "1g"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_the_image_is_built_from_files_that_are_there_and_let_in() -> None:
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for line in re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists()
            assert source in let_in


def test_a_proxy_and_an_index_are_arguments_of_the_build_and_none_is_named() -> None:
    assert re.findall(r"^ARG (.*)$", DOCKERFILE, re.MULTILINE) == ['PROXY_CA=""', 'PACKAGE_INDEX=""']
    assert compose()["services"]["api"]["build"]["args"] == {
        "PACKAGE_INDEX": "${PACKAGE_INDEX:-}",
        "PROXY_CA": "${PROXY_CA:-}",
    }
    final = DOCKERFILE[DOCKERFILE.index(" AS vmpooler") :]
    assert "PROXY" not in final
    assert "INDEX" not in final


@pytest.mark.parametrize("service", ["api", "manager"])
def test_the_configuration_to_try_out_is_without_a_mistake_a_warning_or_an_idle_setting(
    service: Service,
) -> None:
    configuration = load(path=DEPLOY / "vmpooler.yaml", host=None, port=None, environ={}, service=service)
    assert configuration.warnings == ()
    assert configuration.not_in_effect == ()
