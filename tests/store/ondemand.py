"""Opens on-demand requests, as the API does, and takes them in, as a manager does."""

from dataclasses import dataclass
from datetime import timedelta

from tests.store.fleet import MANAGER, Fleet, attempt_of
from vmpooler_common.model.allowance import Client
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.core.inbox import GROUP
from vmpooler_common.store.requests.requests import OnDemandRequest
from vmpooler_common.store.retirement.retirement import FailedAttempt, Outcome

LIFETIME = timedelta(hours=1)
LIFETIME_WITH_TOKEN = timedelta(hours=2)
TTL = timedelta(minutes=5)
SHORT_TTL = timedelta(milliseconds=1)


@dataclass(frozen=True)
class OnDemand:
    """What users ask of a fleet's store."""

    fleet: Fleet

    async def opened(self, request: str, *pools: str, token: str | None = None, ttl: timedelta = TTL) -> None:
        """Open a request for a VM of each pool; nobody has accepted it yet."""
        await self.fleet.store.requests.open(
            request,
            [(pool, pool) for pool in pools],
            operation=f"open-{request}",
            token=token,
            lifetime=LIFETIME,
            client=Client(lifetime_with_token=LIFETIME_WITH_TOKEN),
            ttl=ttl,
        )

    async def accepted(
        self, request: str, *pools: str, token: str | None = None, ttl: timedelta = TTL
    ) -> None:
        """Open a request and make it part of the backlog, its entry out of the inbox."""
        await self.opened(request, *pools, token=token, ttl=ttl)
        await self.fleet.store.request_inbox.prepare()
        ((entry, named),) = await self.entries()
        assert (named, await self.fleet.store.backlog.accept(named, entry=entry)) == (request, "accepted")

    async def overdue(self, request: str, *pools: str) -> None:
        """Accept a request whose deadline is over."""
        await self.accepted(request, *pools, ttl=SHORT_TTL)
        begun = await self.fleet.server_ms()
        while await self.fleet.server_ms() < begun + 2:
            pass

    async def waited(self, request: str, *, seconds: int) -> None:
        """Make an accepted request look as if it had been accepted so much earlier."""
        key = f"{self.fleet.prefix}:request:{request}"
        await self.fleet.client.hincrby(key, "accepted", -1000 * seconds)

    async def entries(self) -> list[tuple[str, str]]:
        """Read what is in the inbox, as a manager does: (entry, request), the latter empty for none."""
        key = f"{self.fleet.prefix}:requests"
        command = ("XREADGROUP", "GROUP", GROUP, MANAGER, "STREAMS", key, ">")
        (reply,) = await self.fleet.store.connection.call(command)
        entries = reply[0][1] if reply else []
        return [(entry, fields[1] if fields[0] == "request" else "") for entry, fields in entries]

    async def failed(self, pool: str, vm: str, error: str, *, most: int) -> None:
        """Make a clone of the pool fail, with a charge for the request that is next."""
        await self.fleet.reserved(pool, vm)
        outcome = await self.fleet.store.retirement.retire(
            vm,
            VmState.PENDING,
            operation=f"fail-{vm}",
            reason="clone_failed",
            failed_attempt=FailedAttempt(error, most),
        )
        assert outcome is Outcome.OK

    async def booted(self, pool: str, vm: str) -> str:
        """Make a VM, alone; give the request that gets it, empty when it is ready for anybody."""
        await self.fleet.created(pool, vm)
        promotion = await self.fleet.store.clones.promote(vm, attempt_of(vm), operation=f"promote-{vm}")
        assert promotion is not None
        return promotion.request

    async def served(self, pool: str, count: int, *, first: str = "vm") -> list[str]:
        """Make so many VMs, one after the other; give the requests that get them."""
        return [await self.booted(pool, f"{first}-{number}") for number in range(count)]

    async def seen(self, request: str) -> OnDemandRequest:
        """Look at a request that is known."""
        found = await self.fleet.store.requests.look_up(request)
        assert found is not None
        return found


async def of_a_user(demand: OnDemand, request: str, user: str, *pools: str) -> None:
    """Open and accept a request under the token of this user."""
    await demand.fleet.token(f"token-{user}", user)
    await demand.accepted(request, *pools, token=f"token-{user}")
