"""Says in words which tasks on running VMs were not done, or not once."""

import json
from collections.abc import Iterator, Mapping, Sequence

from tests.providers.cloud_file import CloudFile
from tests.store.dataset import Dataset
from vmpooler_common.model.vm import VmTask


def audit_tasks(dataset: Dataset, table: CloudFile, requested: Mapping[str, Sequence[VmTask]]) -> list[str]:
    """List what is not as it should be when every task is over; empty when nothing is.

    `requested`: running VM -> its tasks, in the order in which they were asked for.
    """
    complaints = [
        complaint for vm, tasks in requested.items() for complaint in _one_vm(dataset, table, vm, tasks)
    ]
    complaints += [f"{vm} has something to do" for vm in dataset.members("tasks_due")]
    entry = dataset.entries.get("tasks")
    return complaints + [f"in the inbox of tasks: {fields}" for fields in (entry.value if entry else [])]


def _one_vm(dataset: Dataset, table: CloudFile, vm: str, tasks: Sequence[VmTask]) -> Iterator[str]:
    record = dataset.records[vm]
    for task in tasks:
        told = json.loads(record[f"task:{task.id}"])
        if told["state"] != "done":
            yield f"{vm} tells of its {task.kind} {task.id}: {told['state']} {told['reason']}"
    wanted = [(str(task.kind), task.id) for task in tasks]
    if (done := table.tasks(record["id"])) != wanted:
        yield f"the cloud has done {done} to {vm}, and {wanted} was asked for"
