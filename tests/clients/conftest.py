"""Fixtures of the clients' tests: an API over real HTTP, whose pools are named as go-vmpooler wants them."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.api.conftest import WithApi, with_api
from tests.api.in_process import Api, Reach
from tests.conformance.over_http import over_http

__all__ = ["with_api"]

POOLS: Mapping[str, Mapping[str, Any]] = {
    "debian-12-x86_64": {"size": 5, "alias": "debian"},
    "rocky-9-x86_64": {"size": 2},
}
TOKEN = "thetokenofalice0123456789abcdefg"


@pytest.fixture
def reach() -> Reach:
    """Return how these tests' clients reach the app."""
    return over_http


@pytest.fixture
async def api(with_api: WithApi) -> AsyncIterator[Api]:
    """Yield an API with authentication and one token, of the user alice."""
    async with with_api(pools=POOLS, auth="dummy") as api:
        await api.fleet.token(TOKEN, "alice")
        yield api
