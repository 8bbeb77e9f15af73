"""What is asked for in a checkout or an on-demand request, and the VMs that an answer names."""

import re
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from vmpooler_client.calls import Answer, Call, Repeat
from vmpooler_client.errors import BadAnswerError, ConfigurationError
from vmpooler_client.words import in_words, printable

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+")
"""What 3.x takes in a body; other names it takes in the path only."""
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_NOT_NAMES = ("ok", "request_id", "ready")

Wanted = Mapping[str, int] | Iterable[str]
"""Pools or aliases: with counts, or each as often as it is wanted."""


@dataclass(frozen=True, slots=True)
class TakenVm:
    """A VM that is yours."""

    hostname: str
    """With its domain, if it has one."""
    name: str
    """The pool or alias that was asked for."""


@dataclass(frozen=True, slots=True)
class Order:
    """VMs that are wanted, under a key (or an id) by which the service knows a repetition."""

    counts: Mapping[str, int]
    key: str

    @classmethod
    def of(cls, wanted: Wanted, *, key: str | None = None) -> "Order":
        """Count what is wanted; raise ConfigurationError when that is nothing."""
        if isinstance(wanted, str):
            wanted = [wanted]
        counts = dict(wanted) if isinstance(wanted, Mapping) else dict(Counter(wanted))
        if not counts or not all(counts) or min(counts.values()) < 1:
            raise ConfigurationError("name at least one pool, and how many VMs of it: one or more")
        return cls(counts, key or new_key())

    @property
    def words(self) -> str:
        """Say what is wanted."""
        return printable(in_words(self.counts))

    def checkout(self, *, wait: float = 0) -> Call:
        """Ask for VMs that are ready, or will be within these seconds."""
        return Call(
            "POST",
            f"/api/v3/vm{self._in_path()}",
            Repeat.KEYED,
            json=None if self._in_path() else dict(self.counts),
            params={"wait": f"{wait:.3f}"} if wait else {},
            headers={"Idempotency-Key": self.key},
            wait=wait,
        )

    def request(self) -> Call:
        """Ask for VMs that need not be ready. The id in the body makes a repetition known."""
        return Call("POST", "/api/v3/ondemandvm", json={**self.counts, "request_id": self.key})

    def check(self, vms: Sequence[TakenVm]) -> None:
        """Raise BadAnswerError when these aren't the VMs that were asked for."""
        if Counter(vm.name for vm in vms) != Counter(self.counts):
            names = ", ".join(vm.hostname for vm in vms)
            raise BadAnswerError(f"the service grants other VMs than {self.words}: {names or 'none'}")

    def _in_path(self) -> str:
        if all(map(_PLAIN_NAME.fullmatch, self.counts)):
            return ""
        return "/" + "+".join(
            quote(name, safe="") for name, count in self.counts.items() for _ in range(count)
        )


def new_key() -> str:
    """Make a key, or an id for an on-demand request, that nobody else has."""
    return secrets.token_hex(16)


def read_taken(answer: Answer) -> list[TakenVm]:
    """List the VMs that an answer names; raise BadAnswerError when their names can't be any."""
    vms = []
    for name, value in answer.members().items():
        if name in _NOT_NAMES and not isinstance(value, dict):
            continue
        told = value.get("hostname") if isinstance(value, dict) else None
        for hostname in told if isinstance(told, list) else [told]:
            if not isinstance(hostname, str) or not _HOST_NAME.fullmatch(hostname):
                raise BadAnswerError(
                    f"the service calls a VM of {printable(name)} {printable(str(hostname)) or 'nothing'}"
                )
            vms.append(TakenVm(hostname, name))
    return vms
