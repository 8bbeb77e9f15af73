"""How it is told that a VM which is switched on can be used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadyCheck:
    """The check of a VM that is switched on and has an address, before it is handed out."""

    port: int | None
    """TCP port that must accept a connection; None: it is enough to have an address."""

    @classmethod
    def tcp(cls, port: int) -> "ReadyCheck":
        """Ready when `port` accepts a connection."""
        return cls(port)

    @classmethod
    def none(cls) -> "ReadyCheck":
        """Ready when it is switched on and has an address."""
        return cls(None)

    def __str__(self) -> str:
        """As it is written in the configuration."""
        return "none" if self.port is None else f"tcp:{self.port}"
