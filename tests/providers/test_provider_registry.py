"""How a driver is found: by the entry points of what is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from vmpooler_manager.providers.dummy.provider import DummyProvider
from vmpooler_manager.providers.errors import PermanentError
from vmpooler_manager.providers.registry import load
from vmpooler_manager.providers.testing import unmeasured

TRY = """
import sys
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.metrics.backends.null import NullBackend
from vmpooler_manager.providers.errors import PermanentError
from vmpooler_manager.providers.registry import load

metrics = ConnectionMetrics(NullBackend(), "provider_connection_pool", "cloud-1")
try:
    provider = load("cloud-1", sys.argv[1], settings={"server": "vc", "password": "hunter2"}, metrics=metrics)
except PermanentError as error:
    print("permanent:", error)
else:
    print(type(provider).__name__, getattr(provider, "told", None))
print("imported:", *sorted(name for name in sys.modules if name.startswith("plugin_")))
"""

GOOD = """
class Cloud:
    def __init__(self, name, settings, metrics):
        self.told = (name, settings, type(metrics).__name__)
"""


class Site:
    """A directory on the module path, with plug-ins installed as a package installer does it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def install(self, distribution: str, *, entry_point: str, source: str) -> None:
        """Install a plug-in with one module, `plugin_<distribution>`, and one entry point."""
        information = self._directory / f"{distribution}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[vmpooler.providers]\n{entry_point}\n")
        (self._directory / f"plugin_{distribution}.py").write_text(source)

    def load(self, provider_class: str) -> list[str]:
        """Load a driver in a process of its own that sees the plug-ins; return what it prints."""
        path = [str(self._directory), *filter(None, sys.path)]
        program = f"import sys; sys.path[:] = {path!r}\n{TRY}"
        ended = subprocess.run(
            [sys.executable, "-c", program, provider_class], check=True, capture_output=True, text=True
        )
        return ended.stdout.splitlines()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_provider_uses_the_driver_of_its_own_name_by_default() -> None:
    assert isinstance(load("dummy", None, settings={}, metrics=unmeasured()), DummyProvider)


@pytest.mark.parametrize("provider_class", ["dummy", "Dummy", "DUMMY"])
def test_provider_class_picks_the_driver_whatever_its_case(provider_class: str) -> None:
    assert isinstance(load("lab", provider_class, settings={}, metrics=unmeasured()), DummyProvider)


def test_wrong_settings_are_a_permanent_error() -> None:
    with pytest.raises(PermanentError, match=r"provider 'lab'.*hang_percent"):
        load("lab", "dummy", settings={"hang_percent": "sometimes"}, metrics=unmeasured())


def test_a_driver_that_is_not_installed_is_a_permanent_error_that_lists_those_that_are() -> None:
    with pytest.raises(PermanentError, match=r"driver not installed: proxmox \(installed: .*dummy[^;]*\)$"):
        load("proxmox", None, settings={}, metrics=unmeasured())


def test_a_plug_in_is_found_and_given_its_name_its_settings_and_the_metrics(site: Site) -> None:
    site.install("nimbus", entry_point="Nimbus = plugin_nimbus:Cloud", source=GOOD)
    answer, _ = site.load("nimbus")
    settings = "{'server': 'vc', 'password': 'hunter2'}"
    assert answer == f"Cloud ('cloud-1', {settings}, 'ConnectionMetrics')"


def test_only_the_driver_that_is_used_is_imported(site: Site) -> None:
    site.install("nimbus", entry_point="nimbus = plugin_nimbus:Cloud", source=GOOD)
    site.install("cirrus", entry_point="cirrus = plugin_cirrus:Cloud", source="raise SystemExit(3)")
    _, imported = site.load("nimbus")
    assert imported == "imported: plugin_nimbus"


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("def (", "SyntaxError"),
        ("Wolke = None", "AttributeError: module 'plugin_nimbus' has no attribute 'Cloud'"),
        ("import os; os.environ['NIMBUS_HOME']", "KeyError: 'NIMBUS_HOME'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit('not on this machine')", "SystemExit: not on this machine"),
        ("Cloud = 42", "plugin_nimbus:Cloud can't be called"),
    ],
)
def test_a_plug_in_that_can_not_be_loaded_is_a_permanent_error_with_the_cause(
    site: Site, source: str, cause: str
) -> None:
    site.install("nimbus", entry_point="nimbus = plugin_nimbus:Cloud", source=source)
    answer = site.load("nimbus")[0]
    assert answer.startswith("permanent: driver 'nimbus' can't be loaded: ")
    assert cause in answer


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        ("settings['template']", "driver 'nimbus' failed at its start: KeyError: 'template'"),
        ("1 / 0", "driver 'nimbus' failed at its start: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "driver 'nimbus' failed at its start: SystemExit: 3"),
        ("raise PermanentError('no such region')", "no such region"),
    ],
)
def test_a_driver_that_fails_when_it_is_made_is_a_permanent_error(
    site: Site, failure: str, told: str
) -> None:
    source = (
        "from vmpooler_manager.providers.errors import PermanentError\n"
        f"def Cloud(name, settings, metrics):\n    {failure}\n"
    )
    site.install("nimbus", entry_point="nimbus = plugin_nimbus:Cloud", source=source)
    assert site.load("nimbus")[0] == f"permanent: {told}"


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        ("raise ValueError('can not log in at vc with hunter2')", "ValueError: can not log in at vc with *"),
        ("Model.model_validate(settings)", "ValidationError: password: Input should be a valid integer"),
    ],
)
def test_what_a_driver_says_of_its_secrets_is_not_told(site: Site, failure: str, told: str) -> None:
    """Everybody may read in the status why a pool is broken."""
    source = (
        "import pydantic\n"
        "class Model(pydantic.BaseModel):\n    password: int\n"
        f"def Cloud(name, settings, metrics):\n    {failure}\n"
    )
    site.install("nimbus", entry_point="nimbus = plugin_nimbus:Cloud", source=source)
    answer = site.load("nimbus")[0]
    assert told in answer
    assert "hunter" not in answer


def test_two_plug_ins_of_one_name_are_a_permanent_error_that_names_both(site: Site) -> None:
    site.install("nimbus", entry_point="cloud = plugin_nimbus:Cloud", source=GOOD)
    site.install("cirrus", entry_point="Cloud = plugin_cirrus:Cloud", source=GOOD)
    answer = site.load("cloud")[0]
    assert answer == (
        "permanent: driver 'cloud' is installed more than once: plugin_cirrus:Cloud, plugin_nimbus:Cloud"
    )
