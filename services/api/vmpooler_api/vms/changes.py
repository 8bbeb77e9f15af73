"""What a user wants changed of a VM, parsed from a body."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vmpooler_api.vms.fields import LifetimeParser, TagParser
from vmpooler_api.vms.tasks import disk_of
from vmpooler_api.web.errors import BadRequest, UnfitChange
from vmpooler_api.web.request import as_text, parse_object
from vmpooler_common.config import Settings
from vmpooler_common.model.vm import VmTask
from vmpooler_common.store.vms.changes import Access, VmChange


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A change, or why none is to be made; that is told only to those who may."""

    change: VmChange = field(default_factory=VmChange)
    access: Access = Access.ANYBODY
    """Who may ask for it."""
    refusal: BadRequest | UnfitChange | None = None


@dataclass(frozen=True, slots=True)
class _Member:
    read: Callable[[VmChange, Any], VmChange]
    """Adds what a value says to a change. Raises UnfitChange."""
    access: Access


class ChangeParser:
    """Parses requests to change a VM; the members that a body may have are in one table."""

    def __init__(self, settings: Settings) -> None:
        general = settings.general
        lifetimes = LifetimeParser(general.max_lifetime_upper_limit)
        tags = TagParser(allowed=general.allowed_tags, filters=settings.tagfilter)
        self._members: Mapping[str, _Member] = {
            "lifetime": _Member(
                lambda change, value: replace(change, lifetime=lifetimes.parse(value)),
                # Whoever keeps a VM for long has to be known, also of one that was taken anonymously.
                Access.KNOWN if settings.needs_token else Access.HOLDER,
            ),
            "disk": _Member(
                lambda change, value: replace(change, disk=_disk(value)),
                Access.KNOWN if settings.needs_token else Access.HOLDER,
            ),
            "tags": _Member(
                lambda change, value: replace(change, tags=tags.parse(value)),
                # Everybody may give an anonymous VM back, which is worse than to tag it. Where ownership
                # isn't enforced, build tools tag the VMs of others without a token, as they did with 3.x.
                Access.HOLDER if general.enforce_ownership else Access.ANYBODY,
            ),
        }

    def parse(self, body: bytes) -> ChangeRequest:
        """Parse a JSON object; no body is an empty one. Whatever is wrong is told, in the body's order."""
        try:
            content = parse_object(body) if body else {}
        except BadRequest as refusal:
            return ChangeRequest(refusal=refusal)
        change, access, failures = VmChange(), Access.ANYBODY, []
        for name, value in content.items():
            member = self._members.get(name)
            if member is None:
                failures.append(f"Unknown argument {as_text(value)}.")
                continue
            access = max(access, member.access, key=list(Access).index)
            try:
                change = member.read(change, value)
            except UnfitChange as unfit:
                failures += unfit.failures
        return (
            ChangeRequest(access=access, refusal=UnfitChange(*failures))
            if failures
            else ChangeRequest(change, access)
        )


def _disk(value: Any) -> VmTask:
    try:
        return disk_of(value)
    except ValueError as error:
        raise UnfitChange(str(error)) from None
