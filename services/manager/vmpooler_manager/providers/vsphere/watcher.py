"""One thread that vCenter tells of every change in the pools' folders, instead of asking for each VM.

A listing waits for a barrier: an update that vCenter worked out after the listing was asked for. When the
watcher's view is lost, by the end of a session or an error, it is begun anew and listings are read in full.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from pyVmomi import vim, vmodl

from vmpooler_common.model.events import EventName
from vmpooler_manager.providers.errors import NotFound, ProviderError, TransientError
from vmpooler_manager.providers.vsphere.machines import PROPERTIES
from vmpooler_manager.providers.vsphere.retrieval import (
    Found,
    beside,
    property_specs,
    refused,
    retrieve,
)
from vmpooler_manager.providers.vsphere.session import Connection, Session, SessionEnded

_PC = vmodl.query.PropertyCollector
LONGEST_WAIT = 20
"""Seconds that vCenter waits for a change before it answers; must be less than the socket's time-out."""
NUDGE = 0.5
"""Seconds after which a waiting call is called off once more: the first time it may not have begun yet."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a lost view is begun anew."""
CALLS_OFF = 10
"""How often the end calls the wait off."""
WANTED: Mapping[type, tuple[str, ...]] = {vim.VirtualMachine: PROPERTIES}

log = structlog.get_logger()


@dataclass
class _View:
    """What vCenter has told since the view began, and how it is asked for more."""

    connection: Connection
    collector: Any
    folders: frozenset[str]
    filter: Any = None
    version: str = ""
    vms: dict[str, Found] = field(default_factory=dict)
    in_call: bool = False
    """Whether a thread waits in vCenter; it may outlive whoever started it."""


class Watcher:
    """Knows the VMs in the folders that were ever listed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._folders: dict[str, Any] = {}
        self._view: _View | None = None
        self._asked: list[asyncio.Future[list[Found]]] = []
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
        view = self._view
        if view is None:
            return None
        return next(
            (vm.ref for vm in view.vms.values() if vm.properties.get("config.instanceUuid") == instance_uuid),
            None,
        )

    async def listing(self, folder: Any) -> tuple[list[Found], float]:
        """List the VMs in a folder, and the monotonic time before the first of it was worked out.

        Raises NotFound when the folder is gone.
        """
        as_of = time.monotonic()
        try:
            vms = await self._barrier(folder)
        except ProviderError as error:
            log.debug(
                EventName.PROVIDER_WARNING, provider=self._session.name, message=f"read in full: {error}"
            )
            as_of = time.monotonic()
            vms = await self._session.call(f"listing {folder._GetMoId()}", partial(_in_full, folder=folder))
        return [vm for vm in vms if _is_in(vm, folder)], as_of

    async def _barrier(self, folder: Any) -> list[Found]:
        self._folders[folder._GetMoId()] = folder
        asked: asyncio.Future[list[Found]] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run())
        if self._caller_off is None or self._caller_off.done():
            self._caller_off = asyncio.create_task(self._call_off())
        return await asked

    async def _call_off(self) -> None:
        """End the long wait for as long as somebody wants to know now."""
        while self._asked:
            if self._is_waiting and self._view is not None:
                with contextlib.suppress(ProviderError):
                    await self._session.run(self._view.collector.CancelWaitForUpdates)
            await asyncio.sleep(NUDGE if self._is_waiting else 0.02)

    async def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._watch()
                pause = FIRST_PAUSE
            except ProviderError as error:
                self._lose(error)
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
                pause = min(pause * 2, LONGEST_PAUSE)
            except BaseException as error:
                self._lose(error)
                raise

    async def _watch(self) -> None:
        """Take one answer of vCenter, all parts of it, into the view."""
        connection = await self._session.connected()
        view = self._view
        if view is None or view.connection is not connection:
            view = await self._session.run(partial(self._begin, connection), "beginning to watch")
        asked, self._asked = self._asked, []
        try:
            if view.folders != frozenset(self._folders):
                await self._session.run(partial(self._cover, view), "watching another folder")
            self._view = view
            self._is_waiting = not asked and bool(view.version)
            await self._session.run(partial(_update, view, 0 if asked else LONGEST_WAIT), "watching")
        except SessionEnded:
            self._session.lost(connection)
            self._asked = asked + self._asked
            self._view = None
            raise
        except BaseException:
            self._asked = asked + self._asked
            raise
        finally:
            self._is_waiting = False
        for future in asked:
            if not future.done():
                future.set_result(list(view.vms.values()))

    def _begin(self, connection: Connection) -> _View:
        return _View(connection, connection.content.propertyCollector.CreatePropertyCollector(), frozenset())

    def _cover(self, view: _View) -> None:
        """Watch all folders of now, each by a view of its own in the one filter, from the beginning."""
        if view.filter is not None:
            view.filter.DestroyPropertyFilter()
        folders = dict(self._folders)
        step = _PC.TraversalSpec(name="view", type=vim.view.ContainerView, path="view", skip=False)
        manager, starts = view.connection.content.viewManager, []
        for id_, folder in folders.items():
            try:
                container = manager.CreateContainerView(
                    view.connection.of(folder), [vim.VirtualMachine], False
                )
            except vmodl.fault.ManagedObjectNotFound:
                self._folders.pop(id_, None)
                continue
            starts.append(_PC.ObjectSpec(obj=container, skip=True, selectSet=[step]))
        spec = _PC.FilterSpec(objectSet=starts, propSet=property_specs(WANTED))
        view.filter = view.collector.CreateFilter(spec, False)
        view.version, view.vms, view.folders = "", {}, frozenset(self._folders)

    def _lose(self, error: BaseException) -> None:
        self._view = None
        self._fail(error if isinstance(error, ProviderError) else TransientError("the watcher has ended"))
        if isinstance(error, ProviderError):
            log.warning(
                EventName.PROVIDER_WARNING, provider=self._session.name, message=f"not watching: {error}"
            )

    def _fail(self, error: ProviderError) -> None:
        asked, self._asked = self._asked, []
        for future in asked:
            if not future.done():
                future.set_exception(error)


def _update(view: _View, longest: int) -> None:
    """Wait for changes and take all parts of them. A wait that is called off changes nothing."""
    while True:
        view.in_call = True
        try:
            update = view.collector.WaitForUpdatesEx(view.version, _PC.WaitOptions(maxWaitSeconds=longest))
        except vmodl.fault.RequestCanceled:
            return
        finally:
            view.in_call = False
        if update is None:
            return
        for part in update.filterSet or ():
            if part.missingSet:
                raise TransientError("vCenter has lost a folder that is watched")
            for change in part.objectSet or ():
                _take(view.vms, change)
        view.version = update.version
        if not update.truncated:
            return


def _take(vms: dict[str, Found], change: Any) -> None:
    id_ = change.obj._GetMoId()
    if change.kind == _PC.ObjectUpdate.Kind.leave:
        vms.pop(id_, None)
        return
    refused(change.missingSet, change.obj)
    vm = vms.setdefault(id_, Found(change.obj))
    for one in change.changeSet or ():
        if one.op in (_PC.Change.Op.assign, _PC.Change.Op.add):
            vm.properties[one.name] = one.val
        else:
            vm.properties.pop(one.name, None)


def _in_full(connection: Connection, folder: Any) -> list[Found]:
    """Read a folder without the watcher."""
    own = connection.of(folder)
    try:
        return retrieve(connection.content, beside(own, vim.Folder, "childEntity", WANTED))
    except vmodl.fault.ManagedObjectNotFound as error:
        raise NotFound("the folder is gone") from error


def _is_in(vm: Found, folder: Any) -> bool:
    parent = vm.properties.get("parent")
    return (
        parent is not None
        and parent._GetMoId() == folder._GetMoId()
        and not vm.properties.get("config.template")
    )
