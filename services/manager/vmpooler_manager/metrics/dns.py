"""What the manager reports of DNS: calls to its servers, names that were taken, orphaned records."""

from typing import Literal, get_args

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter, gauge, histogram
from vmpooler_common.metrics.instrument import Instrument

DnsOperation = Literal["is_taken", "publish", "remove", "owned"]
"""The calls of the DNS contract."""

DnsResult = Literal["ok", "unavailable", "misconfigured", "name_taken", "timeout"]
"""How a call ended: the errors of the contract, and its deadline."""

DNS = Label("dns")
OPERATION = Label("operation", get_args(DnsOperation))
CALL_BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60)
"""Seconds."""


class DnsMetrics:
    """DNS, by the name of the entry of `dns_configs`."""

    CALLS = counter(
        "dns_calls_total",
        "Calls to the DNS plug-in, by how they ended.",
        labels=(DNS, OPERATION, Label("result", get_args(DnsResult))),
    )
    CALL_SECONDS = histogram(
        "dns_call_seconds",
        "Time of a call to the DNS plug-in.",
        labels=(DNS, OPERATION),
        buckets=CALL_BUCKETS,
    )
    FAILING = gauge(
        "dns_failing",
        "Whether the last change of records, or the last look-up of a name, failed (1).",
        labels=(DNS,),
    )
    NAMES_TAKEN = counter(
        "dns_names_taken_total",
        "Names that were not given to VMs because DNS knows them already.",
        labels=(DNS,),
    )
    ORPHANS = gauge(
        "dns_orphans", "Records of ours whose VM is gone, as they were looked for last.", labels=(DNS,)
    )
    ORPHANS_REMOVED = counter(
        "dns_orphans_removed_total",
        "Records of ours that were removed because their VM is gone.",
        labels=(DNS,),
    )
    FOREIGN = gauge(
        "dns_foreign_records",
        "Records of another data set of this installation; nobody removes them.",
        labels=(DNS,),
    )

    def __init__(self, backend: Backend) -> None:
        self._calls = Instrument(backend, self.CALLS)
        self._call_seconds = Instrument(backend, self.CALL_SECONDS)
        self._failing = Instrument(backend, self.FAILING)
        self._names_taken = Instrument(backend, self.NAMES_TAKEN)
        self._orphans = Instrument(backend, self.ORPHANS)
        self._orphans_removed = Instrument(backend, self.ORPHANS_REMOVED)
        self._foreign = Instrument(backend, self.FOREIGN)

    def called(self, dns: str, operation: DnsOperation, *, result: DnsResult, seconds: float) -> None:
        """A call ended."""
        self._calls.record(1, dns, operation, result)
        self._call_seconds.record(seconds, dns, operation)

    def failing(self, dns: str, *, is_failing: bool) -> None:
        """Changes or look-ups fail, or work."""
        self._failing.record(int(is_failing), dns)

    def names_taken(self, dns: str, count: int) -> None:
        """So many names were passed over."""
        self._names_taken.record(count, dns)

    def swept(self, dns: str, *, orphans: int, removed: int, foreign: int) -> None:
        """A look for orphans found so many, and removed some."""
        self._orphans.record(orphans - removed, dns)
        if removed:
            self._orphans_removed.record(removed, dns)
        self._foreign.record(foreign, dns)
