"""The page for authors of drivers: its package is built as it is printed, and passes the suite."""

import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from vmpooler_common.config.declare.field import setting_of
from vmpooler_common.config.sections.providers import CommonProvider
from vmpooler_manager.providers.dummy.settings import DummySettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "providers.md").read_text()


class Package:
    """The package on the page, as a directory and installed beside vmpooler."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "vmpooler-directory"
        self._installed = directory / "installed"
        [project] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
        settings, driver, suite = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
        for name, content in {
            "pyproject.toml": project,
            "vmpooler_directory/__init__.py": "",
            "vmpooler_directory/settings.py": settings,
            "vmpooler_directory/driver.py": driver,
            "tests/test_conformance.py": suite,
        }.items():
            assert name in PAGE
            file = self.directory / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)

    def install(self) -> None:
        """Build the wheel and unpack it, as an installer does."""
        self._python("-m", "hatchling", "build", "--target", "wheel")
        [wheel] = (self.directory / "dist").glob("*.whl")
        ZipFile(wheel).extractall(self._installed)

    def run(self, *arguments: str) -> str:
        """Run a module of Python in the package's directory; return what it prints once it succeeds."""
        return self._python("-m", *arguments)

    def _python(self, *arguments: str) -> str:
        path = os.pathsep.join(filter(None, [str(self._installed), os.environ.get("PYTHONPATH")]))
        ended = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.directory,
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout
        return ended.stdout


@pytest.fixture
def package(tmp_path: Path) -> Package:
    package = Package(tmp_path)
    package.install()
    return package


def test_the_driver_on_the_page_passes_the_conformance_suite(package: Package) -> None:
    told = package.run("pytest", "-p", "no:cacheprovider")
    assert "passed" in told
    assert "skipped" not in told


def test_the_suite_refuses_to_start_where_asynchronous_tests_would_not_run() -> None:
    plugin = ["-p", "vmpooler_manager.providers.testing", "-o", "asyncio_mode=strict"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", *plugin, "-p", "no:cacheprovider"],
        cwd=ROOT / "docs",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert 'needs asyncio_mode = "auto"' in ended.stderr


def test_the_configuration_on_the_page_has_no_unknown_key(package: Package) -> None:
    [document] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (package.directory / "vmpooler.yaml").write_text(document)
    assert "not known" not in package.run("vmpooler_manager", "--config", "vmpooler.yaml", "--check-config")


def test_the_settings_on_the_page_are_in_the_table_of_settings(package: Package) -> None:
    assert "Directory that is the cloud" in package.run("vmpooler_api", "--print-settings")


def test_every_setting_of_the_dummy_that_has_an_effect_is_on_the_page() -> None:
    own = DummySettings.model_fields.keys() - CommonProvider.model_fields.keys()
    settings = [key for key in sorted(own) if setting_of(DummySettings.model_fields[key]).in_effect]
    assert [key for key in settings if f"`{key}`" not in PAGE] == []


def test_every_module_of_the_dummy_is_on_the_page() -> None:
    modules = (ROOT / "services/manager/vmpooler_manager/providers/dummy").glob("[a-z]*.py")
    assert [module.name for module in modules if f"`{module.name}`" not in PAGE] == []
