"""The store of all worlds."""

from collections.abc import Iterator

import pytest

from tests.worlds.clocked_server import ClockedServer
from tests.worlds.records import Records


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    """The store that all worlds use, one after the other."""
    with ClockedServer(tmp_path_factory.mktemp("clocked")) as server:
        records = Records(server)
        yield records
        records.close()
