"""Carries retirements out. What is retired, and why, is decided in `planning`."""

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.model.vm import Guard, VmState
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.retirement.retirement import Condition, FailedAttempt, Outcome
from vmpooler_common.store.store import Store
from vmpooler_manager.lifecycle.clone_slots import SlotQueue
from vmpooler_manager.metrics.vms import VmMetrics
from vmpooler_manager.planning.actions import Retire

log = structlog.get_logger()

_EVENTS = {
    VmState.PENDING: EventName.VM_FAILED,
    VmState.READY: EventName.VM_RETIRED,
    VmState.RUNNING: EventName.VM_EXPIRED,
}
"""By the state that a VM leaves."""


class VmRetirer:
    """Retires VMs of any pool; `max_retries` failed attempts on one VM of a request fail the request."""

    def __init__(self, store: Store, *, slots: SlotQueue, max_retries: int, metrics: VmMetrics) -> None:
        self._store = store
        self._slots = slots
        self._max_retries = max_retries
        self._metrics = metrics

    async def retire(self, pool: str, action: Retire) -> bool:
        """Retire a VM of `pool`; False when the store refused. Raises StoreError."""
        outcome = await self._store.retirement.retire(
            action.name,
            action.state,
            operation=new_operation(),
            reason=action.reason,
            condition=Condition(action.guard, action.bound),
            failed_attempt=FailedAttempt(action.failure, self._max_retries if action.counts else None)
            if action.failure
            else None,
        )
        if action.state is VmState.PENDING:
            self._slots.freed()
        if outcome is not Outcome.OK:
            return False
        if action.reason != "lifetime over":
            self._metrics.failed(pool, action.reason)
        if action.guard is Guard.UNSEEN:
            write = log.warning  # a VM that disappeared was not our doing: operators should notice
        else:
            # Failing clones are told by their pool when they begin and end to fail.
            write = log.debug if action.reason == "clone_failed" else log.info
        write(
            _EVENTS[action.state],
            vm=action.name,
            pool=pool,
            reason=action.reason,
            error=action.failure or None,
        )
        return True
