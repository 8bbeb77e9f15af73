"""What the API tells of tokens."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, Field

from vmpooler_common.store.access.tokens import TokenEntry, TokenRecord

_NEVER = "never"


class TokenFacts(BaseModel):
    """One token in its user's list."""

    created: str = Field(description="When it was made, such as 2026-11-22 17:31:24 +0000.")
    last: str = Field(description="When it was last used, or never.")


class HeldVms(BaseModel):
    """VMs that were taken with a token."""

    running: list[str] = Field(description="Short names of those that run, the oldest first.")


class TokenReport(BaseModel):
    """One token; members that don't apply are absent."""

    user: str
    created: str = Field(description="When it was made.")
    last: str | None = Field(None, description="When it was last used.")
    vms: HeldVms | None = None


def report_tokens(entries: Iterable[TokenEntry]) -> dict[str, bool | TokenFacts]:
    """Describe a user's tokens, each under its first characters: the rest of it isn't known.

    Two of the same beginning, which hardly happens, are told apart by a number.
    """
    report: dict[str, bool | TokenFacts] = {"ok": True}
    for entry in entries:
        name, number = f"{entry.beginning}…", 1
        while name in report:
            number += 1
            name = f"{entry.beginning}… ({number})"
        last = _shown(entry.last_used_at) if entry.last_used_at else _NEVER
        report[name] = TokenFacts(created=_shown(entry.created_at), last=last)
    return report


def report_token(record: TokenRecord) -> TokenReport:
    """Describe one token."""
    return TokenReport(
        user=record.user,
        created=_shown(record.created_at),
        last=_shown(record.last_used_at) if record.last_used_at else None,
        vms=HeldVms(running=list(record.running)) if record.running else None,
    )


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S %z")
