"""What goes wrong in the dummy cloud, and how long things take: random decisions that can be repeated."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import TypeVar

from vmpooler_manager.providers.dummy.settings import DummySettings
from vmpooler_manager.providers.errors import Throttled

T = TypeVar("T")

RETRY_AFTER = timedelta(seconds=1)
"""The pause that a throttled call asks for."""


class Fault(StrEnum):
    """A fault, under the name of the setting that holds its percentage."""

    CREATE_FAILS = "createvm_fail_percent"
    CREATE_FAILS_LATE = "createvm_latefail_percent"
    NO_CAPACITY = "createvm_nocapacity_percent"
    CREATE_LEAVES_ORPHAN = "createvm_orphan_percent"
    DESTROY_FAILS = "destroyvm_fail_percent"
    DISK_FAILS = "createdisk_fail_percent"
    SNAPSHOT_FAILS = "createsnapshot_fail_percent"
    REVERT_FAILS = "revertsnapshot_fail_percent"
    TASK_ANSWER_IS_LOST = "task_lostanswer_percent"
    READINESS_CHECK_FAILS = "vmready_fail_percent"
    MIGRATION_FAILS = "migratevm_fail_percent"
    COULD_MOVE = "migratevm_couldmove_percent"
    IS_RENAMED = "getvm_rename_percent"
    POWERS_OFF = "getvm_poweroff_percent"
    LISTING_FAILS = "listvms_fail_percent"
    LISTING_IS_PARTIAL = "listvms_partial_percent"
    THROTTLED = "throttle_percent"
    HANGS = "hang_percent"


class Delay(StrEnum):
    """Something that takes time, under the name of the setting that holds its longest duration in seconds."""

    CLONE = "createvm_max_time"
    BOOT = "vmready_max_time"
    SHUTDOWN = "destroyvm_max_shutdown_time"
    REMOVAL = "destroyvm_max_time"
    DISK = "createdisk_max_time"
    SNAPSHOT = "createsnapshot_max_time"
    REVERT = "revertsnapshot_max_time"
    MIGRATION = "migratevm_max_time"


class Faults:
    """Decides. Every kind of decision draws from a stream of its own.

    So with a `seed` the third `create` comes out the same however many other calls ran between.
    """

    def __init__(self, settings: DummySettings) -> None:
        self._percent: dict[Fault, float] = {fault: getattr(settings, fault) for fault in Fault}
        self._longest: dict[Delay, float] = {delay: getattr(settings, delay) for delay in Delay}
        self._streams = {kind: _stream(settings.seed, kind) for kind in (*Fault, *Delay)}

    def may(self, fault: Fault) -> bool:
        """Whether `fault` can happen at all."""
        return self._percent[fault] > 0

    def strikes(self, fault: Fault) -> bool:
        """Decide whether `fault` happens now."""
        return self._streams[fault].random() * 100 < self._percent[fault]

    def seconds(self, delay: Delay) -> float:
        """Decide how long it takes this time."""
        return self._streams[delay].uniform(0, self._longest[delay])

    def without_some(self, items: Sequence[T]) -> list[T]:
        """Take at least one item away, and at most all; keep the order of the others."""
        stream = self._streams[Fault.LISTING_IS_PARTIAL]
        missing = set(stream.sample(range(len(items)), stream.randint(1, len(items)))) if items else set()
        return [item for position, item in enumerate(items) if position not in missing]

    async def meet_call(self) -> None:
        """Do to a call what can happen to any: raise Throttled, or hang until it is cancelled."""
        if self.strikes(Fault.THROTTLED):
            raise Throttled("dummy cloud: too many requests", retry_after=RETRY_AFTER)
        if self.strikes(Fault.HANGS):
            await asyncio.get_running_loop().create_future()


def _stream(seed: int | str | None, kind: StrEnum) -> Random:
    # Dice for faults, not secrets.
    return Random() if seed is None else Random(f"{seed} {kind}")  # noqa: S311
