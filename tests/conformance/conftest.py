"""Fixtures of the conformance checklist: those of the API's tests, but over real HTTP."""

import pytest

from tests.api.conftest import api, client, customer, fleet, own_slapd, secured, secured_api, slapd, with_api
from tests.api.in_process import Reach
from tests.conformance.over_http import over_http

__all__ = ["api", "client", "customer", "fleet", "own_slapd", "secured", "secured_api", "slapd", "with_api"]


@pytest.fixture
def reach() -> Reach:
    """Return how these tests' clients reach the app."""
    return over_http
