"""The example files that came with vmpooler 3.9.1 load as they are."""

from pathlib import Path

import pytest

from tests.support.needs import needs_examples
from vmpooler_common.config import Configuration, load


@pytest.fixture(scope="module")
def directory() -> Path:
    return needs_examples()


def example(directory: Path, name: str) -> Configuration:
    environ = {"VMPOOLER_DEBUG": "1"}
    return load(path=directory / name, host=None, port=None, environ=environ, service="manager")


def test_every_example_loads(directory: Path) -> None:
    files = sorted(path.name for path in directory.glob("*.yaml"))
    assert files
    assert all(example(directory, name).settings.pools for name in files)


def test_the_vsphere_example_means_what_it_says(directory: Path) -> None:
    settings = example(directory, "example.yaml").settings
    first, second = settings.pools
    assert (first.name, first.aliases, first.domain) == ("debian-7-i386", ("debian-7-32",), "example.com")
    assert first.options["create_linked_clone"] is True
    assert second.options["create_linked_clone"] is False
    assert second.options["snapshot_mainMem_iowait"] == "0"
    assert settings.metrics_backend == "statsd"
    assert settings.providers["vsphere-pdx"].provider_class == "vsphere"


def test_the_example_with_a_text_as_alias_is_understood(directory: Path) -> None:
    settings = example(directory, "dummy-aliased-pools.yaml").settings
    (pool,) = settings.candidates("debian-7-32-stringalias")
    assert pool.name == "debian-7-i386-stringalias"


def test_an_alias_may_be_another_pool_s_name(directory: Path) -> None:
    settings = example(directory, "dummy-aliased-pools.yaml").settings
    assert [pool.name for pool in settings.candidates("debian-7-x86_64")] == [
        "debian-7-x86_64",
        "debian-7-x86_64-alias-otherpool-extended",
    ]
