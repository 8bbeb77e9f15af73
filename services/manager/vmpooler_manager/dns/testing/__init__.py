"""The conformance suite for DNS plug-ins, a plug-in for pytest: see docs/dns.md.

A plug-in's tests switch it on by pytest's option `-p vmpooler_manager.dns.testing`, subclass the class below
and give it one fixture, `subject`. Only tests import this folder: vmpooler runs without pytest.
"""

import pytest

pytest.register_assert_rewrite(f"{__name__}.conformance")

from vmpooler_manager.dns.testing.conformance import DnsConformance  # noqa: E402 - asserts are rewritten at import
from vmpooler_manager.dns.testing.subject import DnsSubject  # noqa: E402

__all__ = ["DnsConformance", "DnsSubject"]


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to start where asynchronous tests would not be run."""
    if not config.pluginmanager.hasplugin("asyncio"):
        raise pytest.UsageError("the conformance suite for DNS plug-ins needs pytest-asyncio")
    if str(config.getoption("asyncio_mode") or config.getini("asyncio_mode")) != "auto":
        raise pytest.UsageError('the conformance suite for DNS plug-ins needs asyncio_mode = "auto"')
