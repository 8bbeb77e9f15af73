"""Which provider makes a pool's VMs, and whether its driver is there."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.config.documents import COMPLETE, load_text, mistakes, with_pool, write
from vmpooler_common.cli import start

VSPHERE = {"server": "vc.lab.example"}


def test_a_pool_without_a_provider_takes_the_only_one() -> None:
    document = with_pool(provider=None) | {"providers": {"vc": {"provider_class": "vsphere", **VSPHERE}}}
    assert load_text(document).settings.pools[0].provider == "vc"


def test_a_file_of_3_x_with_vsphere_only_serves_no_dummy_vms() -> None:
    document = with_pool(provider=None) | {"vsphere": VSPHERE}
    del document["providers"]
    assert list(load_text(document).settings.providers) == ["vsphere"]


@pytest.mark.parametrize("providers", [None, {}, {"dummy": {}, "vsphere": VSPHERE}])
def test_a_pool_without_a_provider_is_refused_where_none_or_several_are_configured(providers: Any) -> None:
    (problem,) = mistakes(with_pool(provider=None) | {"providers": providers})
    assert problem.place == "pools[0].provider"
    assert problem.found.startswith("missing")
    assert "dummy" in problem.expected


@pytest.mark.parametrize(
    ("driver", "remedy"),
    # The first is the name of an extra of ours that will never be a driver.
    [("testing", "pip install 'vmpooler[testing]'"), ("nimbus", "install its package")],
)
def test_a_check_refuses_a_driver_that_is_missing_and_says_what_to_install(
    driver: str, remedy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = COMPLETE | {"providers": {"dummy": {}, "cloud": {"provider_class": driver}}}
    path = write(tmp_path, "a.yaml", document)
    assert start("manager", ["--check-config", "--config", str(path)], {}) == 1
    (mistake, _count) = capsys.readouterr().err.splitlines()
    assert f"providers.cloud.provider_class: the driver '{driver}'" in mistake
    assert remedy in mistake
    assert start("manager", ["--check-config", "--allow-missing-drivers", "--config", str(path)], {}) == 0
    assert not isinstance(start("manager", ["--config", str(path)], {}), int), "the other pools are served"
