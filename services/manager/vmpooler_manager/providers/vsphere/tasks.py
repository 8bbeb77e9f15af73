"""Waiting for vCenter's tasks, and looking at VMs: all that is asked for at one time is one call."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyVmomi import vim, vmodl

from vmpooler_manager.providers.errors import NotFound, ProviderError, TransientError
from vmpooler_manager.providers.vsphere.faults import translate
from vmpooler_manager.providers.vsphere.retrieval import Found, of_objects, retrieve
from vmpooler_manager.providers.vsphere.session import Closed, Connection, Session

TASK_PROPERTIES = ("info.state", "info.error", "info.result")
"""Never `info` as a whole: some tasks' results have types that nobody declares."""
TICK = 0.1
"""Seconds between two looks at young tasks; all looks are at multiples of it, so that they share one call."""
PATIENT_TICK = 1.0
"""The same for tasks that take longer than `YOUNG`."""
YOUNG = 2.0


class BatchReader:
    """Reads single objects; those that are asked for while a call is under way share the next."""

    def __init__(self, session: Session, wanted: Mapping[type, Sequence[str]]) -> None:
        self._session = session
        self._wanted = wanted
        self._asked: dict[str, tuple[Any, list[asyncio.Future[Found]]]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def read(self, ref: Any) -> Found:
        """Read one object. Raises NotFound when it is gone."""
        future: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(ref._GetMoId(), (ref, []))[1].append(future)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_all())
        return await future

    async def close(self) -> None:
        """Stop reading; who waits is told so."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        for _, futures in self._asked.values():
            _fail(futures, Closed("the provider is closed"))
        self._asked.clear()

    async def _read_all(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                await self._read_these(asked)
            except ProviderError as error:
                for _, futures in asked.values():
                    _fail(futures, error)
            except asyncio.CancelledError:
                for _, futures in asked.values():
                    _fail(futures, Closed("the provider is closed"))
                raise

    async def _read_these(self, asked: dict[str, tuple[Any, list[asyncio.Future[Found]]]]) -> None:
        """Answer all; one that is gone makes vCenter refuse the whole call, and name it."""
        asked = dict(asked)
        while asked:
            refs = [ref for ref, _ in asked.values()]
            answer = await self._session.call(
                f"reading {len(refs)} objects", partial(self._retrieve, refs=refs)
            )
            if isinstance(answer, str):
                gone = [answer] if answer in asked else list(asked)
                for id_ in gone:
                    _fail(asked.pop(id_)[1], NotFound("vCenter has no such object any more"))
                continue
            for found in answer:
                for future in asked.pop(found.ref._GetMoId(), (None, []))[1]:
                    if not future.done():
                        future.set_result(found)
            for _, futures in asked.values():
                _fail(futures, NotFound("vCenter has no such object any more"))
            return

    def _retrieve(self, connection: Connection, refs: list[Any]) -> list[Found] | str:
        """Read them, or give the id of one that is gone."""
        try:
            return retrieve(
                connection.content, of_objects([connection.of(ref) for ref in refs], self._wanted)
            )
        except vmodl.fault.ManagedObjectNotFound as gone:
            return str(gone.obj._GetMoId()) if gone.obj is not None else refs[0]._GetMoId()


class TaskForgotten(TransientError):  # noqa: N818 - the field's word
    """vCenter doesn't know the task any more: what became of it has to be found out otherwise."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended."""

    result: Any
    failure: ProviderError | None
    """What vCenter says that the task failed of; nothing else is meant by it."""


class Tasks:
    """Waits for tasks of vCenter."""

    def __init__(self, reader: BatchReader) -> None:
        self._reader = reader

    async def result(self, task: Any, doing: str) -> Any:
        """Wait until the task has ended; give its result. Raises what it failed of, and as `ended` does."""
        ended = await self.ended(task, doing)
        if ended.failure is not None:
            raise ended.failure
        return ended.result

    async def ended(self, task: Any, doing: str) -> Ended:
        """Wait until the task has ended.

        A look that fails says nothing of the task, so it is looked at again, until the caller's deadline.
        Raises TaskForgotten; PermanentError when looking can't work.
        """
        clock = asyncio.get_running_loop().time
        started = clock()
        while True:
            now = clock()
            tick = TICK if now - started < YOUNG else PATIENT_TICK
            await asyncio.sleep(
                max(0.02, math.floor(now / tick + 1) * tick - now) if now > started + TICK else 0.02
            )
            try:
                properties = (await self._reader.read(task)).properties
            except NotFound as error:
                raise TaskForgotten(f"{doing}: vCenter has forgotten the task") from error
            except Closed:
                raise
            except TransientError:
                await asyncio.sleep(PATIENT_TICK)
                continue
            state = properties.get("info.state")
            if state == vim.TaskInfo.State.success:
                return Ended(properties.get("info.result"), None)
            if state == vim.TaskInfo.State.error:
                fault = properties.get("info.error")
                cause = fault if isinstance(fault, Exception) else RuntimeError(str(fault))
                failure = translate(cause, doing)
                failure.__cause__ = cause
                return Ended(None, failure)


def _fail(futures: list["asyncio.Future[Found]"], error: ProviderError) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
