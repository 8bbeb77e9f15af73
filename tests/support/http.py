"""How tests speak HTTP: patiently, for a test run beside others isn't about speed."""

from collections.abc import Mapping

import httpx

PATIENCE = 30.0
"""Seconds for an answer."""


def patient_client(
    base_url: httpx.URL | str = "", *, headers: Mapping[str, str] | None = None
) -> httpx.AsyncClient:
    """Make a client that waits for answers, and asks the services themselves whatever proxy is configured."""
    return httpx.AsyncClient(base_url=base_url, headers=headers, timeout=PATIENCE, trust_env=False)
