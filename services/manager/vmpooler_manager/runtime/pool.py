"""A pool that this manager holds, as its loop and its jobs share it."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from vmpooler_common.config.show.redaction import looks_secret
from vmpooler_common.model.events import EventName
from vmpooler_common.model.features import Feature
from vmpooler_common.model.overrides import NO_OVERRIDES, PoolOverrides
from vmpooler_common.outages import Outage
from vmpooler_manager.planning.spec import PoolSpec
from vmpooler_manager.providers.contract import CloneSpec
from vmpooler_manager.runtime.backoff import Backoff, RetryPolicy
from vmpooler_manager.runtime.dns_client import DnsClient
from vmpooler_manager.runtime.provider_client import ProviderClient

CLONE_TARGET = "clone_target"
"""Among the options of a pool's clone spec."""

log = structlog.get_logger()


class Pool:
    """What is wanted, where VMs come from, and what keeps the pool from working."""

    def __init__(
        self,
        spec: PoolSpec,
        *,
        clone_spec: CloneSpec,
        domain: str,
        cloud: ProviderClient,
        retries: RetryPolicy,
        dns: DnsClient | None = None,
    ) -> None:
        self.spec = self._configured = spec
        self.clone_spec = self._configured_clone_spec = clone_spec
        self.domain = domain
        self.cloud = cloud
        self.retries = retries
        self.dns = dns
        """Where its VMs' names are known; None for short names."""
        self.naming = Backoff(retries)
        """Has clones back off while DNS knows every name that is drawn."""
        self.clones = Backoff(retries)
        """Has clones back off after errors."""
        self.boots = Backoff(retries)
        """Counts VMs that were not ready in time; they hold nothing back."""
        self.destructions = Backoff(retries)
        """Counts destructions that failed; each VM has its own next try in the store."""
        self.listings = Backoff(retries)
        self.preparations = Backoff(retries)
        self.prepared: CloneSpec | None = None
        """What the provider has prepared for this manager."""
        self.obstacles: dict[str, str] = {}
        """Why pending VMs that this manager follows aren't ready, as far as it knows."""
        self.clone_outage = Outage("clones", pool=spec.name)
        self.listing_outage = Outage("listing", pool=spec.name)
        self.checkout_at: datetime | None = None
        """The oldest checkout whose replacement has not begun to be cloned."""
        self._followed = NO_OVERRIDES
        self._wake = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        """The pool's name."""
        return self.spec.name

    @property
    def configured(self) -> PoolSpec:
        """What the configuration wants, whatever was set through the API."""
        return self._configured

    @property
    def place(self) -> str:
        """Where the pool's VMs are by its configuration, as it is written down: without secrets."""
        options = self._configured_clone_spec.options
        return json.dumps(
            {key: value for key, value in options.items() if not looks_secret(key)},
            sort_keys=True,
            default=str,
        )

    def look_at(self, place: str) -> None:
        """Look for the VMs of a pool that has left the configuration where they were made."""
        spec = CloneSpec(self.name, template="", options=json.loads(place))
        self.clone_spec = self._configured_clone_spec = spec

    def follow(self, overrides: PoolOverrides, *, paused: bool = False) -> None:
        """Go by what was set through the API from now on, and else by the configuration."""
        before, self._followed = self._followed, overrides
        if self.spec.paused != (paused or self._configured.paused):
            self.spec = replace(self.spec, paused=not self.spec.paused)
        if overrides == before:
            return
        self.spec = replace(self._configured, paused=self.spec.paused)
        self.clone_spec = self._configured_clone_spec
        if overrides.size is not None:
            self.spec = replace(self.spec, size=overrides.size)
        if overrides.template is not None:
            self.clone_spec = replace(self.clone_spec, template=overrides.template)
        if overrides.clone_target is not None:
            options = {**self.clone_spec.options, CLONE_TARGET: overrides.clone_target}
            self.clone_spec = replace(self.clone_spec, options=options)
        if (overrides.template, overrides.clone_target) != (before.template, before.clone_target):
            # What failed before says nothing of what is to be tried now.
            self.clones.succeeded()
            self.boots.succeeded()
            self.preparations.succeeded()
        log.info(
            EventName.POOL_CHANGED,
            pool=self.name,
            size=overrides.size,
            template=overrides.template,
            clone_target=overrides.clone_target,
        )

    @property
    def is_prepared(self) -> bool:
        """Whether clones need no (other) preparation."""
        return Feature.PREPARATION not in self.cloud.features or self.prepared == self.clone_spec

    def may_prepare(self, monotonic: float) -> bool:
        """Whether the pool lacks its preparation and may be prepared now."""
        return not self.is_prepared and self._is_free(monotonic) and self.preparations.allows(monotonic)

    def note_absence(self, absent_for: timedelta) -> None:
        """Note for how long no live manager has been configured for the pool."""
        before = self.spec
        self.spec = replace(self.spec, absent_for=absent_for)
        self._configured = replace(self._configured, absent_for=absent_for)
        if self.spec.removed and not before.removed:
            log.warning(EventName.POOL_REMOVED, pool=self.name, after=str(self.spec.removal_grace))
            self.poke()

    def may_clone(self, monotonic: float) -> bool:
        """Whether clones may be started now: nothing is wrong with the provider, missing or backing off."""
        may = self.clones.allows(monotonic) and self.naming.allows(monotonic)
        return may and self.is_prepared and self._is_free(monotonic) and not (self.dns and self.dns.fault)

    @property
    def keeps_records(self) -> bool:
        """Whether the DNS records of its VMs are ours to write."""
        return self.dns is not None and self.dns.keeps_records

    @property
    def checks_names(self) -> bool:
        """Whether DNS is asked before a new name is used."""
        return self.dns is not None and self.spec.checks_names

    @property
    def is_failing(self) -> bool:
        """Whether what was tried last has failed, so that a reason why the pool is broken may still hold."""
        return self.clones.is_failing or self.listings.is_failing or self.preparations.is_failing

    def backs_off(self, monotonic: float) -> str:
        """Say why no clone is started just now; empty when clones are."""
        if monotonic < self.cloud.throttled_until:
            return "the provider asked to be left alone for a while"
        if self.dns and self.dns.fault:
            return f"DNS can't be used: {self.dns.fault}"
        for failing in (self.preparations, self.clones, self.naming):
            if not failing.allows(monotonic):
                return f"clones are tried again after a pause: {failing.reason}"
        return ""

    def _is_free(self, monotonic: float) -> bool:
        return not self.cloud.fault and monotonic >= self.cloud.throttled_until

    def poke(self) -> None:
        """Ask for a pass soon."""
        self._wake.set()

    def poke_later(self, seconds: float) -> None:
        """Ask for a pass within so many seconds; asking again meanwhile changes nothing."""
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(seconds, self.poke)

    def begin_pass(self) -> None:
        """Clear the flag before observing, so that a poke during the pass is kept."""
        self._wake.clear()
        if self._later is not None:
            self._later.cancel()
            self._later = None

    async def sleep(self, seconds: float) -> None:
        """Sleep until poked, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
