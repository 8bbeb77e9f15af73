"""The page for authors of drivers: its driver and its test run as they are printed, and pass."""

import os
import re
import subprocess
import sys
from pathlib import Path

from vmpooler_common.config.declare.field import setting_of
from vmpooler_common.config.sections.providers import CommonProvider
from vmpooler_manager.providers.dummy.settings import DummySettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "providers.md").read_text()


def test_the_driver_on_the_page_passes_the_conformance_suite(tmp_path: Path) -> None:
    driver, suite = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "my_package.py").write_text(driver)
    (tmp_path / "test_directory_provider.py").write_text(suite)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    [command] = re.findall(r"```sh\npytest (.*?)\n```", PAGE)
    arguments = command.replace("path/to", str(tmp_path)).split()
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert "skipped" not in ended.stdout


def test_every_setting_of_the_dummy_that_has_an_effect_is_on_the_page() -> None:
    own = DummySettings.model_fields.keys() - CommonProvider.model_fields.keys()
    settings = [key for key in sorted(own) if setting_of(DummySettings.model_fields[key]).in_effect]
    assert [key for key in settings if f"`{key}`" not in PAGE] == []


def test_every_module_of_the_dummy_is_on_the_page() -> None:
    modules = (ROOT / "services/manager/vmpooler_manager/providers/dummy").glob("[a-z]*.py")
    assert [module.name for module in modules if f"`{module.name}`" not in PAGE] == []
