"""Orders to the crashing driver: at which of its calls it ends, stops or fails its own process.

A file holds them, so that a test can place some while the driver's process runs, and so that each is
carried out once however often that process is started again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Call(StrEnum):
    """A method of the provider."""

    CREATE = "create"
    FIND = "find"
    INSPECT = "inspect"
    LIST_VMS = "list_vms"
    ANNOTATE = "annotate"
    ADD_DISK = "add_disk"
    SNAPSHOT = "snapshot"
    REVERT = "revert"
    DESTROY = "destroy"


class When(StrEnum):
    """Which side of the real call."""

    BEFORE = "before"
    AFTER = "after"


class Effect(StrEnum):
    """What is done then."""

    KILL = "kill"
    """SIGKILL to the own process."""
    STOP = "stop"
    """SIGSTOP to the own process; it goes on from there when it is continued."""
    FAIL = "fail"
    """The call raises TransientError, after it has had its effect or without any."""


@dataclass(frozen=True, slots=True)
class Order:
    """One effect at the next such call."""

    when: When
    call: Call
    effect: Effect

    def __str__(self) -> str:
        return f"{self.effect} {self.when} {self.call}"


class Orders:
    """The orders for one process at a time. Written by the test, taken away by the driver."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def open(self) -> list[Order]:
        """What hasn't been carried out yet."""
        if not self.path.exists():
            return []
        return [
            Order(When(when), Call(call), Effect(effect))
            for when, call, effect in json.loads(self.path.read_text())
        ]

    def place(self, *orders: Order) -> None:
        """Replace all orders. Each waits until those in front of it have been carried out."""
        self._write(orders)

    def take(self, when: When, call: Call) -> Effect | None:
        """Take the first order if it is for this moment of this call, and say what to do."""
        orders = self.open
        if not orders or (orders[0].when, orders[0].call) != (when, call):
            return None
        self._write(orders[1:])
        return orders[0].effect

    def _write(self, orders: Sequence[Order]) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps([(order.when, order.call, order.effect) for order in orders]))
        fresh.replace(self.path)  # whole at any moment, whatever reads it
