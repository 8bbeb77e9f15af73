"""Clients that wait for VMs, as tests begin them one after the other."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.api.in_process import Api
from tests.support.eventually import eventually

VMS = "/api/v3/vm"
WAITING = "checkout_waiting_clients"
PATIENCE_SECONDS = 30.0

Task = asyncio.Task[httpx.Response]


@dataclass
class Queue:
    """The waiting clients of one API; the test names the order in which they come."""

    api: Api
    tasks: list[Task] = field(default_factory=list)

    async def join(self, names: str, *, seconds: str = "60", **arguments: Any) -> Task:
        """Ask for VMs, and return when the client waits."""
        path = f"{VMS}/{names}?wait={seconds}"
        task = asyncio.create_task(self.api.client.post(path, **arguments))
        self.tasks.append(task)
        count = self.waiting + 1

        async def is_seated() -> bool:
            return self.waiting == count or task.done()

        await eventually(is_seated)
        assert not task.done(), task.result().text
        return task

    @property
    def waiting(self) -> float:
        """How many clients wait, as the API's metrics say."""
        return self.api.metric(WAITING)

    async def places(self) -> int:
        """How many places the store knows of."""
        entries = (await self.api.fleet.dataset()).entries
        return sum(name.startswith("ticket:") for name in entries)

    async def until_so_many_places(self, count: int) -> None:
        """Wait until the store knows of so many."""

        async def are_there() -> bool:
            return await self.places() == count

        await eventually(are_there)


async def vms_of(task: Task) -> list[str]:
    """Give the short names of the VMs that a client got, for whatever names."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        answer = await task
    assert answer.status_code == 200, answer.text
    found: list[str] = []
    for name, given in answer.json().items():
        if name != "ok":
            hostnames = given["hostname"]
            found += [hostnames] if isinstance(hostnames, str) else hostnames
    return [name.partition(".")[0] for name in found]
