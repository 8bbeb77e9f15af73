"""The pinned dependencies: hashed, from nowhere in particular, and in step with pyproject.toml."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.project import ROOT

ALL = "requirements.lock"
OF_IMAGES = {"deploy/requirements.lock": ("client", "common", "api", "manager", "vsphere", "dns")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pins(file: str) -> dict[str, str]:
    """Return version by name."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (ROOT / file).read_text(), re.MULTILINE))


@pytest.mark.parametrize("file", [ALL, *OF_IMAGES])
def test_no_file_of_pins_names_an_index(file: str) -> None:
    assert not re.search(r"^\s*-|://", (ROOT / file).read_text().replace("    --hash=", ""), re.MULTILINE)


@pytest.mark.parametrize("file", [ALL, *OF_IMAGES])
def test_every_pin_has_hashes(file: str) -> None:
    entries = re.split(r"^(?=[^\s#])", (ROOT / file).read_text(), flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins(file))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize(("file", "extras"), [(ALL, tuple(EXTRAS)), *OF_IMAGES.items()])
def test_what_the_project_asks_for_is_pinned_in_a_version_that_suits(
    file: str, extras: tuple[str, ...]
) -> None:
    pinned = pins(file)
    asked = PROJECT["dependencies"] + [line for extra in extras for line in EXTRAS[extra]]
    for requirement in map(Requirement, asked):
        if requirement.name == PROJECT["name"]:  # by its other extras
            assert requirement.extras <= set(extras)
            continue
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), str(requirement)


@pytest.mark.parametrize("file", OF_IMAGES)
def test_an_image_runs_the_versions_that_were_tested(file: str) -> None:
    assert pins(file).items() <= pins(ALL).items()


@pytest.mark.parametrize("file", OF_IMAGES)
def test_no_tool_of_developers_is_in_an_image(file: str) -> None:
    tools = {canonicalize_name(Requirement(line).name) for line in EXTRAS["dev"]}
    assert tools.isdisjoint(pins(file))
