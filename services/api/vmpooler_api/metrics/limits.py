"""Requests whose rate is limited, and what clients may have at once."""

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter
from vmpooler_common.metrics.instrument import Instrument


class LimitMetrics:
    """What became of requests where their rate is limited."""

    REFUSALS = counter(
        "rate_limit_refusals_total",
        "Requests that were refused because their client had asked too often.",
        labels=(
            Label(
                "category",
                ("vm_creation", "vm_deletion", "logins", "authenticated", "dashboard", "global_per_ip"),
            ),
        ),
    )
    UNCHECKED = counter(
        "rate_limit_unchecked_total", "Requests that passed unlimited because Redis couldn't be asked."
    )

    QUOTAS = counter(
        "quota_refusals_total",
        "Requests that were refused because their client would have had more than it may, by the limit.",
        labels=(
            Label(
                "limit",
                (
                    "running_vms",
                    "ondemand_vms",
                    "waiting_checkouts",
                    "disk_gigabytes",
                    "anonymous_ondemand_vms",
                    "finished_requests",
                ),
            ),
        ),
    )

    def __init__(self, backend: Backend) -> None:
        self._refusals = Instrument(backend, self.REFUSALS)
        self._quotas = Instrument(backend, self.QUOTAS)
        self._unchecked = Instrument(backend, self.UNCHECKED)

    def refused(self, category: str) -> None:
        """A request was refused; `category` is a key of the section `rate_limits`."""
        self._refusals.record(1, category)

    def over_quota(self, limit: str) -> None:
        """A request was refused; `limit` is a key of the section `limits`, or `finished_requests`."""
        self._quotas.record(1, limit)

    def unchecked(self) -> None:
        """A request passed without being counted."""
        self._unchecked.record(1)
