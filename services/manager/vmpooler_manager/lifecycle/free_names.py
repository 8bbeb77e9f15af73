"""Names for new VMs that DNS doesn't know yet."""

import asyncio

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_manager.lifecycle.names import NameGenerator
from vmpooler_manager.metrics.dns import DnsMetrics
from vmpooler_manager.runtime.pool import Pool

log = structlog.get_logger()


class FreeNames:
    """Draws names for any pool. Some of them may be in use here: the store passes over those."""

    def __init__(self, generator: NameGenerator, *, metrics: DnsMetrics) -> None:
        self._generator = generator
        self._metrics = metrics

    async def draw(self, pool: Pool, count: int) -> list[tuple[str, str]]:
        """Give so many (name, attempt) pairs, or fewer where DNS knows some of them.

        When it knows them all, the pool backs off: a zone that knows every name would never let go.
        """
        drawn = self._generator.generate(count)
        if pool.dns is None or not pool.checks_names:
            return drawn
        hosts = {name: f"{name}.{pool.domain}".lower() for name, _ in drawn}
        known = await pool.dns.taken(list(hosts.values()))
        taken = [name for name, host in hosts.items() if host in known]
        now = asyncio.get_running_loop().time()
        if taken:
            self._metrics.names_taken(pool.dns.name, len(taken))
            log.warning(
                EventName.VM_NAME_TAKEN, pool=pool.name, vms=taken, reason="DNS knows the name already"
            )
        if len(taken) == len(drawn):
            reason = (
                f"DNS knows all of the {len(drawn)} names below {pool.domain} that were drawn; if it answers "
                "to any name, set skip_dns_check_before_creating_vm at the provider"
            )
            pool.naming.failed(now, reason=reason)
        else:
            pool.naming.succeeded()
        return [pair for pair in drawn if pair[0] not in taken]
