"""On-demand requests of users of a site: the API's part, by the store's verbs."""

from dataclasses import dataclass
from datetime import timedelta

from tests.manager.site import Site
from tests.support.eventually import DEADLINE, eventually
from vmpooler_common.model.allowance import Client
from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.requests.requests import OnDemandRequest, RequestStatus

TTL = timedelta(minutes=5)


@dataclass(frozen=True)
class OnDemand:
    """The requests of a site."""

    site: Site

    async def token(self, user: str) -> str:
        """Give a user a token."""
        token = f"token-of-{user}"
        key = f"{self.site.prefix}:token:{token_digest(token)}"
        await self.site.store.connection.call(("HSET", key, "user", user, "created", 0))
        return token

    async def open(
        self,
        request: str,
        *pools: str,
        token: str | None = None,
        lifetime: timedelta | None = timedelta(hours=1),
        lifetime_with_token: timedelta | None = timedelta(hours=2),
        ttl: timedelta = TTL,
    ) -> None:
        """Ask for a VM of each pool."""
        await self.site.store.requests.open(
            request,
            [(pool, pool) for pool in pools],
            operation=new_operation(),
            token=token,
            lifetime=lifetime,
            client=Client(lifetime_with_token=lifetime_with_token),
            ttl=ttl,
        )

    async def show(self, request: str) -> OnDemandRequest:
        """Show a request that is known."""
        found = await self.site.store.requests.look_up(request)
        assert found is not None
        return found

    async def becomes(
        self, request: str, status: RequestStatus, *, within: float = DEADLINE
    ) -> OnDemandRequest:
        """Wait until a request is ready or failed."""

        async def inspect() -> OnDemandRequest:
            found = await self.show(request)
            assert found.status is status, f"{found.status}: {found.reason or found.error}"
            return found

        return await eventually(inspect, within=within)

    async def ready(self, request: str, *, within: float = DEADLINE) -> list[str]:
        """Wait until a request is met; give its VMs."""
        found = await self.becomes(request, RequestStatus.READY, within=within)
        vms = [item.vm for item in found.items]
        assert all(vms)
        assert len(set(vms)) == len(vms)
        return vms

    async def failed(self, request: str, *, within: float = DEADLINE) -> str:
        """Wait until a request has failed; give the reason."""
        return (await self.becomes(request, RequestStatus.FAILED, within=within)).reason

    async def delete(self, request: str) -> None:
        """End a request, as its user does."""
        await self.site.store.requests.delete(
            request, operation=new_operation(), token=None, needs_token=False
        )

    async def is_accepted(self, request: str) -> bool:
        """Say whether a manager has made it part of its pools' backlog."""
        return (await self.show(request)).accepted
