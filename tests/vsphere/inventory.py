"""A small inventory on the edge server: a template, a cluster, a folder of VMs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from pyVmomi import vim

from tests.vsphere.edge import Edge
from vmpooler_manager.providers.contract import CloneSpec
from vmpooler_manager.providers.testing import unmeasured
from vmpooler_manager.providers.vsphere.provider import VsphereProvider

FOLDER, CLUSTER = vim.Folder("group-v1"), vim.ClusterComputeResource("domain-c1")
STORE = vim.Datastore("ds-1")
POOL = CloneSpec(
    "edge",
    "templates/debian",
    {"folder": "pooled/edge", "clone_target": "C", "datastore": "store", "network": "lan"},
)
VMS = 7
GREEN = vim.ManagedEntity.Status.green


def furnish(world: Edge) -> None:
    """Put everything there that the pool needs."""
    network, pool = vim.Network("net-1"), vim.ResourcePool("resgroup-1")
    world.put(vim.Datacenter("dc-1"), path="DC", datastore=[STORE], network=[network])
    world.put(STORE, name="store")
    world.put(network, name="lan")
    world.put(pool, owner=CLUSTER)
    world.put(CLUSTER, path="DC/host/C", resourcePool=pool, host=[])
    card = vim.vm.device.VirtualVmxnet3(key=4000)
    world.put(
        vim.VirtualMachine("vm-1"),
        path="DC/vm/templates/debian",
        config__hardware__device=vim.vm.device.VirtualDevice.Array([card]),
        config__template=True,
    )
    vms = [put_vm(world, number) for number in range(10, 10 + VMS)]
    world.put(FOLDER, path="DC/vm/pooled/edge", childEntity=vms)


def put_vm(world: Edge, number: int, **properties: Any) -> Any:
    """Add a VM of the folder."""
    found = {
        "name": f"vm{number}",
        "parent": FOLDER,
        "config__instanceUuid": str(UUID(int=number)),
        "runtime__powerState": vim.VirtualMachine.PowerState.poweredOn,
        **properties,
    }
    return world.put(vim.VirtualMachine(f"vm-{number}"), **found)


def put_host(world: Edge, number: int, used: int | None, **properties: Any) -> Any:
    """Add a host of the cluster; `used` is in percent of its processor."""
    host = vim.HostSystem(f"host-{number}")
    found = {
        "name": f"host{number}",
        "parent": CLUSTER,
        "overallStatus": GREEN,
        "runtime__connectionState": vim.HostSystem.ConnectionState.connected,
        "runtime__inMaintenanceMode": False,
        "summary__hardware__cpuMhz": 1000,
        "summary__hardware__numCpuCores": 10,
        "summary__hardware__memorySize": 2**30,
        "summary__quickStats__overallMemoryUsage": 1,
        **({} if used is None else {"summary__quickStats__overallCpuUsage": used * 100}),
        **properties,
    }
    world.put(host, **found)
    world.objects[CLUSTER._GetMoId()][1]["host"].append(host)
    return host


@asynccontextmanager
async def driver(world: Edge, **settings: Any) -> AsyncIterator[VsphereProvider]:
    """Open a driver for the length of the block."""
    provider = VsphereProvider("edge", {**world.settings, **settings}, unmeasured())
    await provider.open()
    try:
        yield provider
    finally:
        await provider.close()
