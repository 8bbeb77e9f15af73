"""One name server for each module of tests."""

from collections.abc import Iterator

import pytest

from tests.support.bind import Bind


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    server = Bind(tmp_path_factory.mktemp("bind"))
    server.start()
    yield server
    server.kill()
