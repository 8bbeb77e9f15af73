"""How often a client may ask: limits of requests per time, kept for all API processes together."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import duration_ms, from_ms


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many requests of one category in any period of this length."""

    category: str
    """Counted apart from the others; goes into a key's name."""
    limit: int
    period: timedelta


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a request may go on, and how much the client has left."""

    allowance: Allowance
    """The one that was counted against: which of the two depends on the token's being known."""
    is_admitted: bool
    remaining: int
    """Requests that would be admitted now, after this one."""
    changes_in: timedelta
    """When the next request that counts leaves the period; for a refused one, when to try again."""
    now: datetime
    """The time by Redis's clock."""


class Rates:
    """One round trip."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def admit(
        self, *, operation: str, token: str | None, address: str, with_token: Allowance, without: Allowance
    ) -> Admission:
        """Count a request by its token if the store knows it, else by the address; or refuse it.

        What is refused isn't counted, and the same operation again is counted once. Raises StoreUnavailable.
        """
        reply = await self._scripts.fetch(
            "admit_rate",
            operation=operation,
            token=token_digest(token),
            address=address,
            with_token=(with_token.category, with_token.limit, duration_ms(with_token.period)),
            without=(without.category, without.limit, duration_ms(without.period)),
        )
        return Admission(
            allowance=with_token if reply["category"] == with_token.category else without,
            is_admitted=reply["admitted"],
            remaining=reply["remaining"],
            changes_in=timedelta(milliseconds=int(reply["changes_in"])),
            now=from_ms(reply["now"]),
        )
