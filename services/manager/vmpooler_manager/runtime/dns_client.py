"""One entry of `dns_configs` as the manager uses it: calls bounded and measured, none while they fail."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import TypeVar

import structlog

from vmpooler_common.config import DnsSettings, Settings
from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_manager.dns.contract import DnsPlugin, OwnedRecords, RecordOwner
from vmpooler_manager.dns.errors import DnsError, DnsMisconfigured, DnsUnavailable, NameTaken
from vmpooler_manager.dns.registry import load
from vmpooler_manager.metrics.dns import DnsMetrics, DnsOperation, DnsResult
from vmpooler_manager.runtime.backoff import Backoff, Delays, RetryPolicy

T = TypeVar("T")

log = structlog.get_logger()

CALL_SECONDS = 20.0
"""Longest time of a change: a plug-in makes several exchanges for one."""
LIST_SECONDS = 90.0
LOOKUP_SECONDS = 3.0
"""Longest time of the look-up of a name."""
AT_ONCE = 20
"""Changes that one manager makes at the same time; others wait."""
LOOKUPS_AT_ONCE = 8
DELAYS = Delays(timedelta(seconds=1), timedelta(seconds=15), 2.0)
"""Between tries while a server fails: short, as VMs wait for nothing else."""


class DnsClient:
    """A plug-in by the name of its entry.

    `fault` says why it can't be used at all, such as one that isn't installed; then every call raises
    DnsMisconfigured.
    """

    def __init__(
        self,
        settings: DnsSettings,
        plugin: DnsPlugin | None,
        *,
        fault: str,
        metrics: DnsMetrics,
        random: Random,
    ) -> None:
        self.name = settings.name
        self.domain = settings.domain
        self.orphan_check_interval = settings.orphan_check_interval
        self.fault = fault
        self._plugin = plugin
        self._metrics = metrics
        retries = RetryPolicy(DELAYS, random)
        self.changes = Backoff(retries)
        """Has changes of records back off after errors."""
        self.lookups = Backoff(retries)
        self._change_outage = Outage("DNS records", dns=self.name)
        self._lookup_outage = Outage("DNS look-ups", dns=self.name)
        self._changing = asyncio.Semaphore(AT_ONCE)
        self._looking = asyncio.Semaphore(LOOKUPS_AT_ONCE)

    @property
    def has_plugin(self) -> bool:
        """Whether there is a plug-in to open; False when it isn't installed."""
        return self._plugin is not None

    @property
    def keeps_records(self) -> bool:
        """Whether records are ours to write; so it is assumed of a plug-in that can't be used."""
        return self._plugin is None or self._plugin.keeps_records

    @property
    def retry_delay(self) -> timedelta:
        """How long to wait before a change that failed is tried again."""
        left = self.changes.until - asyncio.get_running_loop().time()
        return timedelta(seconds=left) if left > 0 else DELAYS.longest

    async def open(self) -> bool:
        """Prepare the plug-in; what keeps it from that becomes the fault. Says whether it is open."""
        if self._plugin is None:
            return False
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await self._plugin.open()
        except (DnsError, TimeoutError) as error:
            self.fault = str(error) or f"opening took longer than {CALL_SECONDS:g} s"
        except Exception as error:
            # The same border as in `_call`.
            log.exception(EventName.JOB_FAILED, job="dns open", dns=self.name)
            self.fault = f"the plug-in failed: {type(error).__name__}"
        else:
            self.fault = ""
            self.changes.succeeded()
            self.lookups.succeeded()
        return not self.fault

    async def close(self) -> None:
        """Give the plug-in's connections back."""
        if self._plugin is not None:
            await self._plugin.close()

    async def taken(self, names: Sequence[str]) -> frozenset[str]:
        """Give those of `names` that DNS knows; without an answer names are taken as free.

        Takes as long as one look-up, about, and no longer than a few.
        """
        found = await asyncio.gather(*(self._is_taken(name) for name in names))
        return frozenset(name for name, is_taken in zip(names, found, strict=True) if is_taken)

    async def publish(self, name: str, addresses: Sequence[str], owner: RecordOwner) -> None:
        """See `DnsPlugin.publish`."""
        await self._change("publish", lambda plugin: plugin.publish(name, addresses, owner))

    async def remove(self, name: str, owner: RecordOwner) -> None:
        """See `DnsPlugin.remove`."""
        await self._change("remove", lambda plugin: plugin.remove(name, owner))

    async def owned(self) -> Sequence[OwnedRecords]:
        """See `DnsPlugin.owned`."""
        return await self._call("owned", lambda plugin: plugin.owned(), seconds=LIST_SECONDS)

    async def _is_taken(self, name: str) -> bool:
        now = asyncio.get_running_loop().time
        async with self._looking:
            if not self.lookups.allows(now()):
                return False
            try:
                is_taken = await self._call(
                    "is_taken", lambda plugin: plugin.is_taken(name), seconds=LOOKUP_SECONDS
                )
            except DnsError as error:
                self.lookups.failed(now(), reason=str(error))
                self._lookup_outage.began(str(error))
                self._report()
                return False
        self.lookups.succeeded()
        self._lookup_outage.ended()
        self._report()
        return is_taken

    async def _change(self, operation: DnsOperation, call: Callable[[DnsPlugin], Awaitable[None]]) -> None:
        now = asyncio.get_running_loop().time
        async with self._changing:
            if not self.changes.allows(now()):
                raise DnsUnavailable(self.changes.reason)  # others have just tried
            try:
                await self._call(operation, call, seconds=CALL_SECONDS)
            except NameTaken:
                self._changes_work()
                raise
            except DnsError as error:
                self.changes.failed(now(), reason=str(error))
                self._change_outage.began(str(error))
                self._report()
                raise
        self._changes_work()

    def _changes_work(self) -> None:
        self.changes.succeeded()
        self._change_outage.ended()
        self._report()

    async def _call(
        self, operation: DnsOperation, call: Callable[[DnsPlugin], Awaitable[T]], *, seconds: float
    ) -> T:
        if self.fault or self._plugin is None:
            raise DnsMisconfigured(self.fault)
        clock = asyncio.get_running_loop().time
        started = clock()
        result: DnsResult = "unavailable"
        try:
            async with asyncio.timeout(seconds):
                value = await call(self._plugin)
            result = "ok"
        except TimeoutError:
            result = "timeout"
            raise DnsUnavailable(f"{operation} took longer than {seconds:g} s") from None
        except NameTaken:
            result = "name_taken"
            raise
        except DnsMisconfigured:
            result = "misconfigured"
            raise
        except DnsError:
            raise
        except Exception as error:
            # The border to foreign code: a fault of a plug-in delays its own domain only.
            log.exception(EventName.JOB_FAILED, job=f"dns {operation}", dns=self.name)
            raise DnsUnavailable(f"the plug-in failed: {type(error).__name__}") from error
        finally:
            self._metrics.called(self.name, operation, result=result, seconds=clock() - started)
        return value

    def _report(self) -> None:
        is_failing = self.changes.is_failing or self.lookups.is_failing
        self._metrics.failing(self.name, is_failing=is_failing)


def open_dns_client(settings: DnsSettings, *, metrics: DnsMetrics, random: Random) -> DnsClient:
    """Load the plug-in; without one the client has a fault, and only the pools of its domain suffer."""
    fault = ""
    plugin = None
    try:
        plugin = load(settings.name, settings.dns_class, {**settings.options, "domain": settings.domain})
    except DnsMisconfigured as error:
        fault = str(error)
    return DnsClient(settings, plugin, fault=fault, metrics=metrics, random=random)


def open_dns_clients(settings: Settings, *, metrics: DnsMetrics, random: Random) -> Mapping[str, DnsClient]:
    """Load the plug-ins of all domains."""
    return {
        name: open_dns_client(entry, metrics=metrics, random=random)
        for name, entry in settings.dns_configs.items()
        if entry.domain
    }
