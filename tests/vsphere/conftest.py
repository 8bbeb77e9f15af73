"""One simulator for each module of tests."""

from collections.abc import Iterator

import pytest

from tests.vsphere.simulated import Simulator, simulator


@pytest.fixture(scope="module")
def vcenter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("vcenter")) as running:
        yield running
