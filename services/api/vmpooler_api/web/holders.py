"""Who holds VMs back, told to those who may know: admins all of it, everybody else of themselves."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel, Field

from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_common.store.checkout.holders import Holder

TOKEN_MAY_HELP: dict[str, Any] = {"security": [{}, {"token": []}]}
"""Of operations that tell more to some."""


class HolderReport(BaseModel):
    """A waiting checkout that holds VMs back."""

    user: str | None = Field(None, description="Absent for one without a token.")
    address: str | None = Field(None, description="Where it was asked from; absent in its first seconds.")
    vms: int
    since: Annotated[str, Field(description="RFC 3339. When it began to wait.")]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks what holds VMs back."""

    token: str | None
    address: str

    @classmethod
    def of(cls, request: Request, token: str | None, addresses: ClientAddresses) -> "Visitor":
        """Describe whoever sent a request."""
        return cls(token, addresses.address_of(request.scope))


def visible_holders(
    holders: Sequence[Holder], visitor: Visitor, viewer: str | None, admins: Collection[str]
) -> list[HolderReport] | None:
    """Give those that the visitor, whose token is the `viewer`'s, may know of; None where there are none."""
    seen = [one for one in holders if viewer in admins or _is_own(one, visitor, viewer)]
    return [
        HolderReport(
            user=one.user, address=one.address, vms=one.vms, since=one.since.isoformat(timespec="seconds")
        )
        for one in seen
    ] or None


def _is_own(holder: Holder, visitor: Visitor, viewer: str | None) -> bool:
    if holder.user is not None:
        return holder.user == viewer
    return holder.address == visitor.address


def describe_holders(seen: Sequence[HolderReport] | None) -> str:
    """Say in half a sentence who they are; empty for none."""
    return ", ".join(
        f"{one.user or one.address or 'somebody without a token'} ({one.vms} since {one.since})"
        for one in seen or ()
    )
