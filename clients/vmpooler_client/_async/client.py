"""The client."""

from types import TracebackType
from typing import Self

from vmpooler_client._async.checkout import AsyncCheckout
from vmpooler_client._async.ondemand import AsyncOnDemandCheckout
from vmpooler_client._async.pools import AsyncPools
from vmpooler_client._async.requests import AsyncRequests
from vmpooler_client._async.tokens import AsyncTokens
from vmpooler_client._async.transport import AsyncTransport
from vmpooler_client._async.vms import AsyncVms
from vmpooler_client.configuration import find_service
from vmpooler_client.orders import Order, TakenVm, Wanted
from vmpooler_client.retries import Retries
from vmpooler_client.service import Service

PATIENCE = 15.0


class AsyncClient:
    """A service of vmpooler. Close it, or use it in `async with`.

        async with AsyncClient("https://vmpooler.example.com") as client:
            async with client.checkout("debian-12-x86_64") as vm:
                ...

    Each method raises VmpoolerError, whose kinds `vmpooler_client.errors` lists.
    """

    def __init__(
        self,
        service: Service | str,
        *,
        token: str | None = None,
        retries: Retries | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """Describe it; nothing is sent. `token` goes with an address; a Service has its own.

        `patience` is how many seconds an answer may take, beyond what the service is asked to wait.
        """
        if isinstance(service, str):
            service = Service(service, token=token)
        self._transport = AsyncTransport(service, retries or Retries(), patience=patience)
        self.service = service
        self.vms = AsyncVms(self._transport)
        self.requests = AsyncRequests(self._transport)
        self.pools = AsyncPools(self._transport)
        self.tokens = AsyncTokens(self._transport)

    @classmethod
    def configured(cls, name: str | None = None) -> Self:
        """Make a client of the service that environment or configuration name; ConfigurationError: none."""
        return cls(find_service(name))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def checkout(self, name: str, *, wait: float = 0, key: str | None = None) -> AsyncCheckout[TakenVm]:
        """Take a VM of a pool or alias in `async with`, which gives it back whatever happens.

        `wait` is how many seconds to wait for one when none is ready. Repetitions with the same `key`, which
        must be random, get the same VM; without one a key is made.
        """
        return AsyncCheckout(self._transport, Order.of([name], key=key), wait=wait, form=lambda vms: vms[0])

    def checkout_many(
        self, wanted: Wanted, *, wait: float = 0, key: str | None = None
    ) -> AsyncCheckout[list[TakenVm]]:
        """Take several VMs, all or none, in `async with`."""
        return AsyncCheckout(self._transport, Order.of(wanted, key=key), wait=wait, form=lambda vms: vms)

    def checkout_on_demand(
        self, wanted: Wanted, *, timeout: float | None = None, request_id: str | None = None
    ) -> AsyncOnDemandCheckout:
        """Have VMs made that need not be ready, and wait for them, in `async with`."""
        return AsyncOnDemandCheckout(self._transport, Order.of(wanted, key=request_id), timeout=timeout)

    async def take(self, wanted: Wanted, *, wait: float = 0, key: str | None = None) -> list[TakenVm]:
        """Take VMs and keep them: return each with `client.vms.release`."""
        checkout = self.checkout_many(wanted, wait=wait, key=key)
        async with checkout:
            return checkout.keep()

    async def knows_waiting(self) -> bool:
        """Tell whether the service can wait and repeat safely; a 3.x service can't."""
        return await self._transport.keeps_keys()
