"""A vCenter simulator for tests: built once, run with a certificate of its own, looked into directly."""

import asyncio
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl

from tests.support.needs import needs_program
from vmpooler_manager.providers.contract import CloneSpec, VmRef
from vmpooler_manager.providers.testing import unmeasured
from vmpooler_manager.providers.vsphere.provider import VsphereProvider

SOURCE = Path(__file__).parent / "simulator" / "main.go"
GOVMOMI = Path("/usr/share/gocode/src/github.com/vmware/govmomi/simulator")
DATACENTER, CLUSTER, DATASTORE = "DC0", "DC0_C0", "LocalDS_0"
TEMPLATE = "templates/debian-12"
NETWORK, PORT_GROUP = "VM Network", "DC0_DVPG0"
USER, PASSWORD = "pooler", "secret of vCenter"


def built_simulator() -> Path:
    """Build the simulator, unless this source was built before; skip the test without Go."""
    go = needs_program("go", package="golang-go")
    if not GOVMOMI.is_dir():
        needs_program("govmomi", package="golang-github-vmware-govmomi-dev")
    built = Path(tempfile.gettempdir()) / f"vmpooler-simulator-{os.getuid()}-{SOURCE.stat().st_mtime_ns}"
    with built.with_suffix(".lock").open("w") as lock, tempfile.TemporaryDirectory() as directory:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others that run side by side wait, and find it built
        if not built.exists():
            made = Path(directory) / "simulator"
            go_environment = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
            subprocess.run(
                [str(go), "build", "-o", made, SOURCE],
                env={**os.environ, **go_environment},
                check=True,
                timeout=110,
            )
            shutil.move(made, built)
    return built


@dataclass
class Simulator:
    """A running simulator, with a folder of templates and two of pools."""

    port: int
    ca_file: Path
    process: "subprocess.Popen[str]"
    client: Any
    full: Path
    """While this file exists, clones fail for lack of space."""

    @property
    def settings(self) -> dict[str, Any]:
        """Give the settings of a provider of this vCenter."""
        return {
            "server": "127.0.0.1",
            "port": self.port,
            "username": USER,
            "password": PASSWORD,
            "ca_file": str(self.ca_file),
            "datacenter": DATACENTER,
            "create_folders": True,
            "retry_factor": 0.1,
            "operation_timeout": 30,
        }

    @property
    def content(self) -> Any:
        """Give vCenter's root, seen by another session than the driver's."""
        return self.client.content

    def find(self, path: str) -> Any:
        """Look up an object of the datacenter."""
        return self.content.searchIndex.FindByInventoryPath(f"{DATACENTER}/{path}")

    def list_vms(self) -> list[Any]:
        """List all VMs that there are, wherever."""
        view = self.content.viewManager.CreateContainerView(
            self.content.rootFolder, [vim.VirtualMachine], True
        )
        try:
            return list(view.view)
        finally:
            view.DestroyView()

    def vm(self, id_: str) -> Any:
        """Look up a VM by the id that the driver gave it."""
        return self.content.searchIndex.FindByUuid(None, id_, True, True)

    def names_in(self, folder: str) -> list[str]:
        """List the names of what is in a folder."""
        found, names = self.find(f"vm/{folder}"), []
        for child in found.childEntity if found is not None else []:
            with suppress(vmodl.fault.ManagedObjectNotFound):  # destroyed meanwhile
                names.append(child.name)
        return sorted(names)

    def added_disks(self, vm: VmRef) -> list[int]:
        """List the sizes of the disks that the template hasn't, in GB."""
        devices = self.vm(vm.provider_id).config.hardware.device
        found = [one for one in devices if isinstance(one, vim.vm.device.VirtualDisk)]
        return [one.capacityInKB // 2**20 for one in found][1:]

    def sessions(self) -> list[Any]:
        """List the sessions of others than this object."""
        manager = self.content.sessionManager
        return [one for one in manager.sessionList if one.key != manager.currentSession.key]

    def end_sessions(self) -> None:
        """End the sessions of all others on the server."""
        for one in self.sessions():
            self.content.sessionManager.TerminateSession([one.key])

    @contextmanager
    def full_datastore(self) -> Iterator[str]:
        """Have clones fail after they were accepted, for the length of the block; give the fault's name."""
        self.full.touch()
        try:
            yield f"no space on {DATASTORE}"
        finally:
            self.full.unlink()


@contextmanager
def simulator(directory: Path, *, machines: int = 2, options: tuple[str, ...] = ()) -> Iterator[Simulator]:
    """Run a simulator for the length of the block."""
    authority = trustme.CA()
    ca_file, certificate = directory / "ca.pem", directory / "vcenter.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    identity = ["-user", USER, "-password", PASSWORD, "-certificate", str(certificate)]
    arguments = [*identity, "-machines", str(machines)]
    full = directory / "full"
    process = subprocess.Popen(
        [str(built_simulator()), *arguments, "-full", str(full), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(":")[2])
        client = SmartConnect(
            host="127.0.0.1", port=port, user=USER, pwd=PASSWORD, disableSslCertValidation=True
        )
        running = Simulator(port, ca_file, process, client, full)
        _furnish(running)
        yield running
        Disconnect(client)
        client._stub.DropConnections()
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()


def _furnish(running: Simulator) -> None:
    root = running.find("vm")
    templates = root.CreateFolder("templates")
    machine = running.find("vm/DC0_C0_RP0_VM0")
    machine.PowerOff()
    templates.MoveIntoFolder_Task([machine])
    machine.Rename_Task(TEMPLATE.partition("/")[2])
    machine.MarkAsTemplate()


def pool(name: str = "debian-12", **options: Any) -> CloneSpec:
    """Describe a pool that the simulator can serve."""
    given = {
        "folder": f"pooled/{name}",
        "datastore": DATASTORE,
        "clone_target": CLUSTER,
        **options,
    }
    template = given.pop("template", TEMPLATE)
    return CloneSpec(name=name, template=template, options=given)


@asynccontextmanager
async def driver(running: Simulator, **settings: Any) -> AsyncIterator[VsphereProvider]:
    """Open a driver for the length of the block."""
    provider = VsphereProvider("vc", {**running.settings, **settings}, unmeasured())
    await provider.open()
    try:
        yield provider
    finally:
        await provider.close()


async def in_thread(what: Any, *arguments: Any) -> Any:
    """Ask vCenter beside the event loop."""
    return await asyncio.to_thread(what, *arguments)
