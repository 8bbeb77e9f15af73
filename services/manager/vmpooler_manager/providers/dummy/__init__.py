"""A small cloud of its own, for trying vmpooler out and for testing it: also the example of a driver."""

from vmpooler_manager.providers.dummy.provider import DummyProvider

__all__ = ["DummyProvider"]
