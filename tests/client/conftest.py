"""Fixtures of the tests of the client and of the command."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.command import Command, command_server
from tests.client.pair import Pair, running_pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Yield a running installation that the module's tests share."""
    with running_pair(tmp_path_factory.mktemp("pair")) as pair:
        yield pair


@pytest.fixture(scope="module")
def command_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield where to call the command."""
    with command_server(tmp_path_factory.mktemp("command")) as path:
        yield path


@pytest.fixture
def vmpooler(command_socket: Path, tmp_path: Path) -> Command:
    """Return what calls the command in an empty home, without any service configured."""
    return Command(command_socket, tmp_path)
