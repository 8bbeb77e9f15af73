"""One thread that vCenter tells of every change in the pools' folders, instead of asking for each VM.

A listing waits for a barrier: an update that vCenter worked out after the listing was asked for. When the
watcher's view is lost, by the end of a session or an error, it is begun anew and listings are read in full.

How often vCenter is called doesn't depend on the number of pools or on how much changes: nobody needs news
before asking for them, so at rest a wait begins every `LONGEST_WAIT` seconds at most; and listings that
recur slowly wait for the end of the wait that is under way, to share one barrier with all others.
"""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from pyVmomi import vim, vmodl

from vmpooler_common.model.events import EventName
from vmpooler_manager.providers.errors import NotFound, ProviderError, TransientError
from vmpooler_manager.providers.vsphere.machines import PROPERTIES
from vmpooler_manager.providers.vsphere.retrieval import Found, beside, retrieve
from vmpooler_manager.providers.vsphere.session import Connection, Session, SessionEnded
from vmpooler_manager.providers.vsphere.view import Told, View, begin, cover, update

LONGEST_WAIT = 20
"""Seconds that vCenter waits for a change before it answers; at most half of the socket's time-out."""
RECURRING = 10.0
"""Seconds between two listings of a pool from which on they can wait for others."""
PATIENCE = 0.4
"""The share of that time that they wait."""
NUDGE = 0.5
"""Seconds after which a waiting call is called off once more: the first time it may not have begun yet."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a lost view is begun anew."""
CALLS_OFF = 10
"""How often the end calls the wait off."""

log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class _Question:
    """Somebody who waits for a barrier."""

    answer: "asyncio.Future[Told]"
    latest: float
    """Monotonic time from which on no wait at vCenter is waited for."""


class Watcher:
    """Knows the VMs in the folders that were ever listed, and the hosts of clusters that were asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._longest_wait = max(1, min(LONGEST_WAIT, int(session.socket_timeout / 2)))
        self._places: dict[str, Any] = {}
        self._view: View | None = None
        self._told: Told | None = None
        self._asked: list[_Question] = []
        self._was_asked = asyncio.Event()
        self._listed: dict[str, float] = {}
        self._is_waiting = False
        self._work: asyncio.Task[None] | None = None
        self._caller_off: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Stop watching; the thread's wait is called off, so that it ends at once."""
        view, self._view = self._view, None
        for task in (self._caller_off, self._work):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._fail(TransientError("the provider is closed"))
        for _ in range(CALLS_OFF):
            if view is None or not view.in_call:
                break
            with contextlib.suppress(ProviderError):
                await self._session.run(view.collector.CancelWaitForUpdates)
            await asyncio.sleep(NUDGE / CALLS_OFF)

    def known(self, instance_uuid: str) -> Any:
        """Give the object of a VM, as far as is known without asking; None otherwise."""
        return None if self._told is None else self._told.refs.get(instance_uuid)

    async def listing(self, folder: Any, *, pool: str) -> tuple[list[Found], float]:
        """List the VMs in a pool's folder, and the monotonic time before the first of it was worked out.

        Raises NotFound when the folder is gone.
        """
        as_of = time.monotonic()
        since, self._listed[pool] = as_of - self._listed.get(pool, as_of), as_of
        try:
            vms = (await self._barrier(folder, patience=self._patience(since))).vms
        except ProviderError as error:
            log.debug(
                EventName.PROVIDER_WARNING, provider=self._session.name, message=f"read in full: {error}"
            )
            as_of = time.monotonic()
            in_full = partial(_in_full, folder=folder)
            vms = tuple(await self._session.call(f"listing {folder._GetMoId()}", in_full))
        return [vm for vm in vms if _is_in(vm, folder)], as_of

    async def hosts(self, compute: Any, *, max_age: timedelta) -> list[Found]:
        """Give a cluster's hosts as they were at most `max_age` ago. Raises when they can't be watched."""
        told = self._told
        if (
            told is None
            or compute._GetMoId() not in told.covered
            or time.monotonic() - told.as_of > max_age.total_seconds()
        ):
            told = await self._barrier(compute, patience=0)
        return [one for one in told.hosts if _is_of(one, compute)]

    def _patience(self, interval: float) -> float:
        if interval < RECURRING:
            return 0.0
        return min(PATIENCE * interval, self._longest_wait * 1.25, self._session.socket_timeout * 0.75)

    async def _barrier(self, place: Any, *, patience: float) -> Told:
        self._places[place._GetMoId()] = place
        question = _Question(asyncio.get_running_loop().create_future(), time.monotonic() + patience)
        self._asked.append(question)
        self._was_asked.set()
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run())
        if self._caller_off is None or self._caller_off.done():
            self._caller_off = asyncio.create_task(self._call_off())
        return await question.answer

    async def _call_off(self) -> None:
        """End the long wait when somebody has to know now."""
        while self._asked:
            await self._until(time.monotonic() + self._longest_wait)
            if self._is_waiting and self._view is not None and self._asked:
                with contextlib.suppress(ProviderError):
                    await self._session.run(self._view.collector.CancelWaitForUpdates)
            await asyncio.sleep(NUDGE if self._is_waiting else 0.02)

    async def _until(self, latest: float) -> None:
        """Wait until somebody has to know now, or until `latest`."""
        while (left := min([latest, *(one.latest for one in self._asked)]) - time.monotonic()) > 0:
            self._was_asked.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._was_asked.wait(), left)

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                had_news = await self._watch()
                pause = FIRST_PAUSE
                if had_news:  # more are likely, and nobody needs them now
                    await self._until(began + self._longest_wait)
            except ProviderError as error:
                self._lose(error)
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
                pause = min(pause * 2, LONGEST_PAUSE)
            except BaseException as error:
                self._lose(error)
                raise

    async def _watch(self) -> bool:
        """Take one answer of vCenter, all parts of it, into the view; whether it had news for nobody."""
        connection = await self._session.connected()
        view = self._view
        if view is None or view.connection is not connection:
            view = await self._session.run(partial(begin, connection), "beginning to watch")
        asked, self._asked = self._asked, []
        try:
            if view.covered != frozenset(self._places):
                await self._session.run(partial(cover, view, self._places), "watching another place")
            self._view = view
            self._is_waiting = not asked and bool(view.version)
            longest = 0 if asked else self._longest_wait
            had_news = await self._session.run(partial(update, view, longest), "watching")
            if asked:
                _check(view)
        except SessionEnded:
            self._session.lost(connection)
            self._asked = asked + self._asked
            self._view = self._told = None
            raise
        except BaseException:
            self._asked = asked + self._asked
            raise
        finally:
            self._is_waiting = False
        self._told = view.told()
        for question in asked:
            if not question.answer.done():
                question.answer.set_result(self._told)
        return had_news and not asked

    def _lose(self, error: BaseException) -> None:
        self._view = self._told = None
        self._fail(error if isinstance(error, ProviderError) else TransientError("the watcher has ended"))
        if isinstance(error, ProviderError):
            log.warning(
                EventName.PROVIDER_WARNING, provider=self._session.name, message=f"not watching: {error}"
            )

    def _fail(self, error: ProviderError) -> None:
        asked, self._asked = self._asked, []
        for question in asked:
            if not question.answer.done():
                question.answer.set_exception(error)


def _check(view: View) -> None:
    """Refuse a view with a VM of which vCenter hasn't told where it is: a listing would miss it."""
    if any("parent" not in vm.properties for vm in view.vms.values()):
        raise TransientError("vCenter has told of a VM, but not where it is")


def _in_full(connection: Connection, folder: Any) -> list[Found]:
    """Read a folder without the watcher."""
    own = connection.of(folder)
    try:
        wanted = {vim.VirtualMachine: PROPERTIES}
        return retrieve(connection.content, beside(own, vim.Folder, "childEntity", wanted))
    except vmodl.fault.ManagedObjectNotFound as error:
        raise NotFound("the folder is gone") from error


def _is_of(one: Found, place: Any) -> bool:
    parent = one.properties.get("parent")
    return parent is not None and parent._GetMoId() == place._GetMoId()


def _is_in(vm: Found, folder: Any) -> bool:
    return _is_of(vm, folder) and not vm.properties.get("config.template")
