"""The client."""

from types import TracebackType
from typing import Self

from vmpooler_client._sync.checkout import Checkout
from vmpooler_client._sync.ondemand import OnDemandCheckout
from vmpooler_client._sync.pools import Pools
from vmpooler_client._sync.requests import Requests
from vmpooler_client._sync.tokens import Tokens
from vmpooler_client._sync.transport import Transport
from vmpooler_client._sync.vms import Vms
from vmpooler_client.configuration import find_service
from vmpooler_client.orders import Order, TakenVm, Wanted
from vmpooler_client.retries import Retries
from vmpooler_client.service import Service

PATIENCE = 15.0


class Client:
    """A service of vmpooler. Close it, or use it in `with`.

        with Client("https://vmpooler.example.com") as client:
            with client.checkout("debian-12-x86_64") as vm:
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
        self._transport = Transport(service, retries or Retries(), patience=patience)
        self.service = service
        self.vms = Vms(self._transport)
        self.requests = Requests(self._transport)
        self.pools = Pools(self._transport)
        self.tokens = Tokens(self._transport)

    @classmethod
    def configured(cls, name: str | None = None) -> Self:
        """Make a client of the service that environment or configuration name; ConfigurationError: none."""
        return cls(find_service(name))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def checkout(self, name: str, *, wait: float = 0, key: str | None = None) -> Checkout[TakenVm]:
        """Take a VM of a pool or alias in `with`, which gives it back whatever happens.

        `wait` is how many seconds to wait for one when none is ready. Repetitions with the same `key`, which
        must be random, get the same VM; without one a key is made.
        """
        return Checkout(self._transport, Order.of([name], key=key), wait=wait, form=lambda vms: vms[0])

    def checkout_many(
        self, wanted: Wanted, *, wait: float = 0, key: str | None = None
    ) -> Checkout[list[TakenVm]]:
        """Take several VMs, all or none, in `with`."""
        return Checkout(self._transport, Order.of(wanted, key=key), wait=wait, form=lambda vms: vms)

    def checkout_on_demand(
        self, wanted: Wanted, *, timeout: float | None = None, request_id: str | None = None
    ) -> OnDemandCheckout:
        """Have VMs made that need not be ready, and wait for them, in `with`."""
        return OnDemandCheckout(self._transport, Order.of(wanted, key=request_id), timeout=timeout)

    def take(self, wanted: Wanted, *, wait: float = 0, key: str | None = None) -> list[TakenVm]:
        """Take VMs and keep them: return each with `client.vms.release`."""
        checkout = self.checkout_many(wanted, wait=wait, key=key)
        with checkout:
            return checkout.keep()

    def knows_waiting(self) -> bool:
        """Tell whether the service can wait and repeat safely; a 3.x service can't."""
        return self._transport.keeps_keys()
