"""Fixtures for tests that need a VM: `pytest_plugins = ["vmpooler_client.pytest_plugin"]` in conftest.py.

    @pytest.mark.vmpooler("debian-12-x86_64", wait=300)
    def test_it_installs(vmpooler_vm):
        run_over_ssh(vmpooler_vm.hostname)

Without the mark the pool is what `vmpooler_pool` says in pytest's configuration. The service is the one that
the command uses, or what VMPOOLER_URL and VMPOOLER_TOKEN say.
"""

from collections.abc import Iterator

import pytest

from vmpooler_client import Client, TakenVm

_WAIT = 60.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare our settings."""
    parser.addini("vmpooler_pool", "the pool or alias of the VMs of tests without a mark", default="")
    parser.addini("vmpooler_service", "the name of the service, as the command knows it", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Declare our mark."""
    config.addinivalue_line(
        "markers", "vmpooler(name, wait=60): take the test's VM of this pool or alias, within so many seconds"
    )


@pytest.fixture(scope="session")
def vmpooler_client(pytestconfig: pytest.Config) -> Iterator[Client]:
    """Yield a client of the configured service."""
    with Client.configured(pytestconfig.getini("vmpooler_service") or None) as client:
        yield client


@pytest.fixture
def vmpooler_vm(request: pytest.FixtureRequest, vmpooler_client: Client) -> Iterator[TakenVm]:
    """Yield a VM of the test's own, which is given back after it."""
    mark = request.node.get_closest_marker("vmpooler")
    name = mark.args[0] if mark and mark.args else request.config.getini("vmpooler_pool")
    if not name:
        raise pytest.UsageError("name a pool: @pytest.mark.vmpooler(NAME), or vmpooler_pool in the settings")
    wait = mark.kwargs.get("wait", _WAIT) if mark else _WAIT
    with vmpooler_client.checkout(name, wait=wait) as vm:
        yield vm
