"""VMs: what is known of them, and what can be done with them."""

import time
from collections.abc import Mapping

from vmpooler_client._sync.io import sleep
from vmpooler_client._sync.transport import Transport
from vmpooler_client.calls import Answer, parse, refusal
from vmpooler_client.errors import BadAnswerError, NotFoundError, TimedOutError
from vmpooler_client.models.vms import Vm, VmTask
from vmpooler_client.vm_calls import change_call, release_call, short, show_call, task_call

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0
"""Seconds between two looks at a VM that is worked on; each pause is longer than the one before."""


class Vms:
    """Shows, changes and returns VMs, and adds disks and snapshots. A name may have its domain or not."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def show(self, hostname: str) -> Vm:
        """Tell what is known of a VM."""
        answer = self._transport.ask(show_call(hostname), about=hostname)
        return parse(Vm, {**self._of(answer, hostname), "name": short(hostname)})

    def release(self, hostname: str) -> None:
        """Give a VM back. It is destroyed."""
        answer = self._transport.send(release_call(hostname))
        try:
            if problem := refusal(answer, about=hostname):
                raise problem
        except NotFoundError:
            if not answer.is_repeated:  # else an earlier try did it
                raise

    def change(
        self, hostname: str, *, lifetime: float | None = None, tags: Mapping[str, str] | None = None
    ) -> None:
        """Set hours from the checkout to the end, and tags; all of it or nothing."""
        self._transport.ask(change_call(hostname, lifetime=lifetime, tags=tags), about=hostname)

    def add_disk(self, hostname: str, gigabytes: int) -> str:
        """Ask for a disk and return the service's word for it, such as `+8gb`; a manager adds it next."""
        answer = self._transport.ask(task_call(hostname, "disk", str(gigabytes)), about=hostname)
        return self._text(answer, hostname, "disk")

    def take_snapshot(self, hostname: str) -> str:
        """Ask for a snapshot and return its name; a manager takes it next."""
        answer = self._transport.ask(task_call(hostname, "snapshot"), about=hostname)
        return self._text(answer, hostname, "snapshot")

    def revert(self, hostname: str, snapshot: str) -> None:
        """Ask to go back to a snapshot; a manager does it next."""
        self._transport.ask(task_call(hostname, "snapshot", snapshot), about=f"{hostname}, {snapshot}")

    def wait_for_tasks(self, hostname: str, *, timeout: float = 600) -> list[VmTask]:
        """Return the tasks of a VM when none of them is pending any more.

        Raises TimedOutError after so many seconds. A 3.x service tells of no tasks: the list is empty.
        """
        deadline = time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while True:
            tasks = (self.show(hostname)).tasks
            if all(task.state != "pending" for task in tasks):
                return list(tasks)
            if time.monotonic() >= deadline:
                raise TimedOutError(f"{hostname}: its tasks aren't done in time")
            sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    @staticmethod
    def _of(answer: Answer, hostname: str) -> Mapping[str, object]:
        found = answer.members().get(short(hostname))
        if not isinstance(found, dict):
            raise BadAnswerError(f"the answer isn't about {hostname}")
        return found

    def _text(self, answer: Answer, hostname: str, member: str) -> str:
        text = self._of(answer, hostname).get(member)
        if not isinstance(text, str):
            raise BadAnswerError(f"the answer names no {member}")
        return text
