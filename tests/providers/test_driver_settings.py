"""A driver's own settings: declared in its package, known to both services without its cloud's library."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

DECLARATION = """
from typing import Annotated

from pydantic import SecretStr

from vmpooler_common.config.declare.field import Setting
from vmpooler_common.config.declare.types import secret, text
from vmpooler_common.config.sections.providers import CommonProvider


class Nimbus(CommonProvider):
    region: Annotated[str, text(pattern="[a-z]+"), Setting("Where the VMs are", in_effect=True)] = "north"
    pin: Annotated[SecretStr | None, secret(), Setting("What the cloud asks for", in_effect=True)] = None
"""
DOCUMENT = """
providers:
  nimbus:
    {entry}
pools:
  - {{name: debian-12, template: debian, size: 0, provider: nimbus, flavour: small}}
"""


class Site:
    """A directory on the module path with one package, which declares the settings of a driver."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def install(self, declaration: str) -> None:
        information = self._directory / "nimbus-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: nimbus\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(
            "[vmpooler.provider_settings]\nNimbus = plugin_nimbus:Nimbus\n"
        )
        (self._directory / "plugin_nimbus.py").write_text(declaration)

    def run(self, service: str, *arguments: str, entry: str = "") -> str:
        """Run a service beside the package, with this entry of `providers`; return its output."""
        document = self._directory / "vmpooler.yaml"
        document.write_text(DOCUMENT.format(entry=entry))
        path = os.pathsep.join(filter(None, [str(self._directory), os.environ.get("PYTHONPATH")]))
        ended = subprocess.run(
            [sys.executable, "-m", service, "--config", str(document), *arguments],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return ended.stdout


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def nimbus(site: Site) -> Site:
    site.install(DECLARATION)
    return site


@pytest.mark.parametrize("service", ["vmpooler_api", "vmpooler_manager"])
def test_the_table_of_settings_shows_what_an_installed_driver_declares(nimbus: Site, service: str) -> None:
    table = nimbus.run(service, "--print-settings")
    assert "providers.* - each provider of the class nimbus" in table
    assert "Where the VMs are" in table


@pytest.mark.parametrize("service", ["vmpooler_api", "vmpooler_manager"])
def test_a_check_tells_wrong_values_of_an_installed_driver(nimbus: Site, service: str) -> None:
    told = nimbus.run(service, "--check-config", entry="region: 12 North")
    assert "providers.nimbus.region" in told
    assert "12 North" in told


def test_a_check_points_out_keys_that_the_driver_does_not_know(nimbus: Site) -> None:
    told = nimbus.run("vmpooler_manager", "--check-config", entry="regoin: north")
    assert "providers.nimbus.regoin" in told
    assert "did you mean region?" in told


def test_a_check_leaves_keys_of_pools_to_a_driver_that_lists_none(nimbus: Site) -> None:
    assert "flavour" not in nimbus.run("vmpooler_manager", "--check-config", entry="region: north")


def test_a_check_points_out_keys_of_pools_that_the_driver_does_not_list(site: Site) -> None:
    site.install(f"{DECLARATION}    pool_options = frozenset({{'size_of_disk'}})\n")
    assert "flavour" in site.run("vmpooler_manager", "--check-config", entry="region: north")


@pytest.mark.parametrize(
    ("declaration", "cause"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("Nimbus = 42", "plugin_nimbus:Nimbus is no subclass of CommonProvider"),
    ],
)
def test_a_declaration_that_can_not_be_read_is_a_warning_with_the_cause(
    site: Site, declaration: str, cause: str
) -> None:
    site.install(declaration)
    told = site.run("vmpooler_manager", "--check-config", entry="region: 12 North")
    assert f"the settings of the driver nimbus can't be read and aren't checked: {cause}" in told


def test_what_a_driver_declares_to_be_secret_is_masked(nimbus: Site, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from vmpooler_common.config.sections.providers import CommonProvider\n"
        "from vmpooler_common.config.sections.drivers import settings_of_driver\n"
        "from vmpooler_common.config.settings import Options\n"
        "from vmpooler_common.config.show.redaction import redacted_options\n"
        "print(redacted_options(Options({'pin': '4711', 'region': 'north'}), settings_of_driver('NIMBUS')))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "{'pin': '********', 'region': 'north'}\n"


def test_the_settings_of_the_built_in_drivers_are_known_without_their_clouds_libraries() -> None:
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['aiosqlite', 'pyVmomi', 'pyVim', 'pytest']))\n"
        "from vmpooler_common.config.sections.drivers import settings_of_drivers\n"
        "print(*settings_of_drivers())\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"dummy", "vsphere"} <= set(ended.stdout.split())
