"""What the settings want of each pool, as the planner and the drivers read it, and of unused places."""

from collections.abc import Mapping
from datetime import timedelta

from vmpooler_common.config import PoolSettings, Settings
from vmpooler_common.config.sections.general import GeneralSection
from vmpooler_manager.planning.spec import PoolSpec
from vmpooler_manager.providers.contract import CloneSpec
from vmpooler_manager.runtime.backoff import Delays
from vmpooler_manager.runtime.pool import CLONE_TARGET
from vmpooler_manager.runtime.provider_client import ProviderClient
from vmpooler_manager.supervisor.purge import PurgedProvider


def pool_spec(pool: PoolSettings, settings: Settings) -> PoolSpec:
    """Say what is wanted of a configured pool."""
    return PoolSpec(
        name=pool.name,
        provider=pool.provider,
        size=pool.size,
        slot_limit=settings.general.task_limit,
        request_slot_limit=settings.general.ondemand_clone_limit,
        serves_from_ready=settings.general.ondemand_from_ready,
        ready_ttl=pool.ready_ttl,
        timeout=pool.timeout,
        migration_limit=settings.general.migration_limit,
        ready_check=pool.ready_check,
        ready_check_timeout=pool.ready_check_timeout,
        checks_names=settings.providers[pool.provider].checks_names,
        checks_hostname=pool.checks_hostname,
        paused=pool.paused,
    )


def spec_of_absent_pool(name: str, provider: str, settings: Settings) -> PoolSpec:
    """Say what is wanted of a pool that isn't configured here: nothing new, some time an end for its VMs."""
    return PoolSpec(
        name=name,
        provider=provider,
        size=0,
        slot_limit=settings.general.task_limit,
        request_slot_limit=settings.general.ondemand_clone_limit,
        serves_from_ready=settings.general.ondemand_from_ready,
        ready_ttl=settings.general.ready_ttl,
        timeout=settings.general.timeout,
        absent_for=timedelta(0),
        removal_grace=settings.general.pool_removal_grace,
    )


def clone_spec(pool: PoolSettings) -> CloneSpec:
    """Say what the VMs of a pool are made from."""
    options = dict(pool.options)
    if pool.clone_target is not None:
        options[CLONE_TARGET] = pool.clone_target
    return CloneSpec(pool.name, pool.template, options)


def delays_of(settings: PoolSettings | GeneralSection) -> Delays:
    """Say how long to wait after errors, in a pool or where no pool is concerned."""
    return Delays(
        settings.check_loop_delay_min, settings.check_loop_delay_max, settings.check_loop_delay_decay
    )


def longest_pause(settings: Settings) -> timedelta:
    """Say for how long a loop may have nothing to do."""
    pools = (pool.check_loop_delay_max for pool in settings.pools)
    return max((settings.general.check_loop_delay_max, *pools))


def purged_providers(settings: Settings, clouds: Mapping[str, ProviderClient]) -> list[PurgedProvider]:
    """List the providers whose unused places are to be removed."""
    return [
        PurgedProvider(
            clouds[name],
            [clone_spec(pool) for pool in settings.pools if pool.provider == name],
            provider.allowed_places,
        )
        for name, provider in settings.providers.items()
        if provider.purges
    ]
