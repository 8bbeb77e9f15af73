"""What the manager reports of calls to providers."""

from typing import Literal, get_args

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter, gauge, histogram
from vmpooler_common.metrics.instrument import Instrument

ProviderOperation = Literal[
    "create",
    "find",
    "inspect",
    "list_vms",
    "annotate",
    "add_disk",
    "snapshot",
    "revert",
    "destroy",
    "prepare",
    "migrate",
    "unreferenced",
    "remove_place",
]
"""The calls of the provider contract."""

CallResult = Literal["ok", "transient", "throttled", "no_capacity", "permanent", "not_found", "timeout"]
"""How a provider call ended: the errors of the contract, and its deadline."""

PROVIDER = Label("provider")
OPERATION = Label("operation", get_args(ProviderOperation))
CALL_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""Seconds."""


class ProviderMetrics:
    """Calls to the providers, by the provider's name in the configuration."""

    CALLS = counter(
        "provider_calls_total",
        "Calls to the provider, by how they ended.",
        labels=(
            PROVIDER,
            OPERATION,
            Label("result", get_args(CallResult)),
        ),
    )
    CALL_SECONDS = histogram(
        "provider_call_seconds",
        "Time of a call to the provider.",
        labels=(PROVIDER, OPERATION),
        buckets=CALL_BUCKETS,
    )
    HALTED = gauge(
        "provider_halted",
        "Whether all destroying is stopped (1) until an operator looks: too many VMs vanished or appeared.",
        labels=(PROVIDER,),
    )

    UNUSED_PLACES = gauge(
        "provider_unused_places",
        "Places of the provider that no pool uses and that may not stay, where they are looked for.",
        labels=(PROVIDER,),
    )

    def __init__(self, backend: Backend) -> None:
        self._calls = Instrument(backend, self.CALLS)
        self._call_seconds = Instrument(backend, self.CALL_SECONDS)
        self._deletion_paused = Instrument(backend, self.HALTED)
        self._unused_places = Instrument(backend, self.UNUSED_PLACES)

    def called(
        self, provider: str, operation: ProviderOperation, *, result: CallResult, seconds: float
    ) -> None:
        """A call ended."""
        self._calls.record(1, provider, operation, result)
        self._call_seconds.record(seconds, provider, operation)

    def unused_places(self, provider: str, count: int) -> None:
        """So many places are unused."""
        self._unused_places.record(count, provider)

    def deletion_paused(self, provider: str) -> None:
        """Nothing of this provider is destroyed any more."""
        self._deletion_paused.record(1, provider)

    def deletion_resumed(self, provider: str) -> None:
        """Deletion goes on, or was never paused."""
        self._deletion_paused.record(0, provider)
