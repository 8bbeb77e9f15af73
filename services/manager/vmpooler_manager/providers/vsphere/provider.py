"""The vSphere driver: the provider contract, kept by one session with a vCenter."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from pyVmomi import vim

from vmpooler_common.config.sections.vsphere import VsphereProvider as VsphereSettings
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_manager.providers.errors import (
    CloneFailed,
    NotFound,
    PermanentError,
    ProviderError,
    TransientError,
)
from vmpooler_manager.providers.settings import read_settings
from vmpooler_manager.providers.types import (
    CloneRef,
    CloneSpec,
    OwnershipTag,
    Place,
    ProviderVm,
    VmListing,
    VmRef,
)
from vmpooler_manager.providers.vsphere import delta_disks, folders
from vmpooler_manager.providers.vsphere.clones import Clone, Clones
from vmpooler_manager.providers.vsphere.cloning import clone_spec
from vmpooler_manager.providers.vsphere.finishing import CloneFinisher, stopping
from vmpooler_manager.providers.vsphere.hosts import Hosts
from vmpooler_manager.providers.vsphere.machines import PROPERTIES, describe
from vmpooler_manager.providers.vsphere.placement import Placement, Places, folder_path, options_of
from vmpooler_manager.providers.vsphere.privileges import Needed, check, for_clones, for_migrations
from vmpooler_manager.providers.vsphere.retrieval import Found
from vmpooler_manager.providers.vsphere.session import Connection, Session
from vmpooler_manager.providers.vsphere.tags import EXTRA_CONFIG_KEY, annotation, decode
from vmpooler_manager.providers.vsphere.tasks import TASK_PROPERTIES, BatchReader, Tasks
from vmpooler_manager.providers.vsphere.user_tasks import UserTasks
from vmpooler_manager.providers.vsphere.vms import Vms
from vmpooler_manager.providers.vsphere.watcher import Watcher

REQUIRED = ("server", "username", "password")
TRIES = 3
"""Of a destroy that meets another change of the same VM."""


class VsphereProvider:
    """A client of one vCenter."""

    features = VsphereSettings.features

    def __init__(self, name: str, settings: Mapping[str, Any], metrics: ConnectionMetrics) -> None:
        self._name = name
        self._settings = read_settings(VsphereSettings, name, settings)
        missing = [key for key in REQUIRED if getattr(self._settings, key) is None]
        if missing:
            raise PermanentError(f"settings of provider {name!r}: {', '.join(missing)}: required")
        self.create_grace = self._settings.create_grace
        self._session = Session(name, self._settings, metrics)
        self._reader = BatchReader(self._session, {vim.VirtualMachine: PROPERTIES, vim.Task: TASK_PROPERTIES})
        self._tasks = Tasks(self._reader)
        self._watcher = Watcher(self._session)
        self._vms = Vms(self._session, self._tasks, self._watcher)
        self._places = Places(name, self._settings)
        watched = partial(self._watcher.hosts, max_age=self._settings.host_selection_max_age)
        self._hosts = Hosts(self._session, self._settings, watched)
        self._clones = Clones()
        self._may_migrate: set[str] = set()
        self._finisher = CloneFinisher(self._tasks, self._reader, self._vms)
        self._user_tasks = UserTasks(self._vms)

    @property
    def calls(self) -> int:
        """How many calls went to vCenter. No part of the contract: for measurements."""
        return self._session.calls

    async def open(self) -> None:
        """Read the CA file; logs in when it is first needed."""
        await self._session.open()

    async def close(self) -> None:
        """Stop following and watching, and log out."""
        await self._clones.close()
        await self._watcher.close()
        await self._reader.close()
        await self._session.close()

    async def create(self, pool: CloneSpec, tag: OwnershipTag) -> ProviderVm:
        """Send the clone; its id is chosen by us, so that nobody has to wait for it."""
        try:
            placement = await self._placement(pool)
            host = None
            if self._settings.manage_host_selection and placement.host is None:
                host = await self._hosts.choose(placement.compute)
            spec = clone_spec(pool, tag, placement, host=host)
            send = partial(_clone, placement=placement, name=tag.name, spec=spec)
            task = await self._session.call(f"pool {pool.name!r}: cloning {pool.template}", send)
        except ProviderError as error:
            self._places.forget(pool)
            if isinstance(error, NotFound):
                raise TransientError(
                    f"pool {pool.name!r}: its template, folder or target has changed"
                ) from error
            raise
        clone = Clone(tag, task)
        self._clones.follow(clone, partial(self._finish_clone, pool, clone))
        return clone.seen()

    async def find(self, pool: CloneSpec, clone: CloneRef) -> ProviderVm | None:
        """Ask for the id that the clone was given."""
        self._clones.get(str(clone.uuid))
        ref = await self._vms.ref(str(clone.uuid), clone.name, ask=True)
        if ref is None:
            return None
        try:
            return await self._look(pool, VmRef(clone.name, clone.attempt, str(clone.uuid)), ref)
        except NotFound:
            return None

    async def inspect(self, pool: CloneSpec, vm: VmRef) -> ProviderVm:
        """Look at one VM; those that are looked at at the same time share one call."""
        clone = self._clones.get(vm.provider_id)
        if clone is not None:
            return clone.seen()
        return await self._look(pool, vm, await self._vms.existing(vm))

    async def list_vms(self, pool: CloneSpec) -> VmListing:
        """List the pool's folder, from what the watcher knows after a barrier."""
        folder = await self._folder(pool)
        try:
            found, as_of = await self._watcher.listing(folder, pool=pool.name)
        except NotFound as error:
            self._places.forget(pool)
            raise TransientError(f"pool {pool.name!r}: its folder has changed") from error
        return VmListing(self._clones.overlaid(await self._described(found)), as_of)

    async def annotate(self, pool: CloneSpec, vm: VmRef, tag: OwnershipTag) -> None:
        """Write the annotation anew."""
        await self._clones.settled(vm.provider_id)
        async with self._vms.lock(vm):
            await self._vms.annotate(await self._vms.existing(vm), vm, annotation(tag))

    async def destroy(self, pool: CloneSpec, vm: VmRef) -> None:
        """Stop the clone if it is one, switch off, remove. Meets of other changes are tried again."""
        await self._stop_clone(vm)
        async with self._vms.lock(vm):
            for turn in range(TRIES):
                try:
                    await self._vms.remove(vm)
                    break
                except NotFound:
                    break
                except PermanentError:
                    raise
                except TransientError:
                    if turn == TRIES - 1:
                        raise
        self._vms.refs.pop(vm.provider_id, None)

    async def add_disk(self, pool: CloneSpec, vm: VmRef, *, task: str, size: int) -> None:
        """Add a disk, once for a task."""
        await self._user_tasks.add_disk(vm, task=task, size=size)

    async def snapshot(self, pool: CloneSpec, vm: VmRef, *, name: str) -> None:
        """Take a snapshot, once for a name."""
        await self._user_tasks.snapshot(vm, name=name)

    async def revert(self, pool: CloneSpec, vm: VmRef, *, task: str, snapshot: str) -> None:
        """Go back to a snapshot, once for a task."""
        await self._user_tasks.revert(vm, task=task, snapshot=snapshot)

    async def prepare(self, pool: CloneSpec) -> None:
        """Look up all that clones need, make what is missing and may be made, check privileges and hosts."""
        self._places.forget(pool)
        placement = await self._placement(pool)
        await self._check(pool, for_clones(placement, makes_folders=self._settings.create_folders))
        if self._settings.create_template_delta_disks and delta_disks.are_missing(placement):
            name, template = pool.name, pool.template
            await delta_disks.add(
                self._session, self._tasks, pool=name, template=template, placement=placement
            )
            self._places.forget(pool)
        if self._settings.manage_host_selection and placement.host is None:
            await self._hosts.choose(placement.compute)

    async def migrate(self, pool: CloneSpec, vm: VmRef) -> ProviderVm:
        """Move the VM when its host isn't among the best."""
        async with self._vms.lock(vm):
            ref = await self._vms.existing(vm)
            current = (await self._vms.read(ref, vm, ("runtime.host",))).get("runtime.host")
            if current is not None:
                placement = await self._placement(pool)
                better = await self._hosts.better_than(placement.compute, current)
                if better is not None:
                    if pool.name not in self._may_migrate:
                        await self._check(pool, for_migrations(placement))
                        self._may_migrate.add(pool.name)
                    spec = vim.vm.RelocateSpec(host=better)
                    await self._vms.run(ref, f"moving {vm.name}", lambda own: own.RelocateVM_Task(spec))
            return await self._look(pool, vm, ref)

    async def unreferenced(self, pools: Sequence[CloneSpec]) -> Sequence[Place]:
        """List the folders beside the pools' folders that none of them uses."""
        # A pool without a folder has no VMs anywhere.
        paths = [folder_path(self._settings, pool) for pool in pools if pool.options.get("folder")]
        kept = self._settings.resources_allowlist
        found = await self._session.call(
            "listing unused folders", partial(folders.unused, paths=paths, kept=kept)
        )
        return [Place(one.path, await self._described(one.vms), options_of(one.path)) for one in found]

    async def remove_place(self, place: Place) -> None:
        """Remove the folder if no VM is in it."""
        remove = partial(folders.remove_if_empty, path=place.name)
        task = await self._session.call(f"removing {place.name}", remove)
        if task is not None:
            await self._tasks.result(task, f"removing {place.name}")

    async def _check(self, pool: CloneSpec, needed: Iterable[Needed]) -> None:
        doing, who = f"pool {pool.name!r}: checking privileges", f"pool {pool.name!r}"
        await self._session.call(doing, partial(check, who=who, needed=tuple(needed)))

    async def _placement(self, pool: CloneSpec) -> Placement:
        look_up = partial(self._places.placement, pool=pool)
        return await self._session.call(f"pool {pool.name!r}: looking up its template and target", look_up)

    async def _folder(self, pool: CloneSpec) -> Any:
        look_up = partial(self._places.folder, pool=pool, make=False)
        return await self._session.call(f"pool {pool.name!r}: looking up its folder", look_up)

    async def _finish_clone(self, pool: CloneSpec, clone: Clone) -> None:
        try:
            await self._finisher.finish(clone)
        except CloneFailed:
            self._places.forget(pool)
            raise

    async def _stop_clone(self, vm: VmRef) -> None:
        try:
            clone = self._clones.get(vm.provider_id)
        except CloneFailed:
            return
        if clone is not None and clone.task is not None:
            # It may have ended, or can't be stopped: then it is waited for.
            with suppress(ProviderError):
                await self._session.call(f"stopping the clone {vm.name}", stopping(clone))
        await self._clones.settled(vm.provider_id)

    async def _look(self, pool: CloneSpec, vm: VmRef, ref: Any) -> ProviderVm:
        """Describe a VM; one whose clone nobody has finished is finished."""
        try:
            found = await self._reader.read(ref)
        except NotFound as error:
            self._vms.refs.pop(vm.provider_id, None)
            raise NotFound(f"there is no VM {vm.provider_id} ({vm.name})") from error
        [seen] = await self._described([found])
        if seen.provider_id != vm.provider_id:
            raise NotFound(f"there is no VM {vm.provider_id} ({vm.name})")
        clone = self._clones.get(vm.provider_id)
        if seen.tag is None and clone is None:
            clone = await self._unfinished(pool, vm, ref)
        return seen if clone is None else clone.seen()

    async def _unfinished(self, pool: CloneSpec, vm: VmRef, ref: Any) -> Clone | None:
        """Go on with the clone of a client that is gone, by the tag that the clone was made with."""
        values = (await self._vms.read(ref, vm, ("config.extraConfig",))).get("config.extraConfig", ())
        tag = next((decode(one.value) for one in values if one.key == EXTRA_CONFIG_KEY), None)
        if tag is None or str(tag.clone.uuid) != vm.provider_id:
            return None
        clone = Clone(tag, None)
        self._clones.follow(clone, partial(self._finish_clone, pool, clone))
        return clone

    async def _described(self, found: Sequence[Found]) -> tuple[ProviderVm, ...]:
        hosts = [host for one in found if (host := one.properties.get("runtime.host")) is not None]
        names = await self._hosts.names(hosts)
        return tuple(describe(one.ref, one.properties, names) for one in found)


def _clone(connection: Connection, placement: Placement, name: str, spec: Any) -> Any:
    template, folder = connection.of(placement.template), connection.of(placement.folder)
    return template.CloneVM_Task(folder, name, spec)
