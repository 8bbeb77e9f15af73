"""VMs that are made on demand, and given back whatever happens."""

import time
from dataclasses import replace
from types import TracebackType

from vmpooler_client._sync.io import Flight
from vmpooler_client._sync.requests import Requests
from vmpooler_client._sync.transport import Transport
from vmpooler_client.errors import (
    NotFoundError,
    RefusedError,
    UnreachableError,
    VmpoolerError,
    VmsLeftError,
)
from vmpooler_client.models.requests import Request
from vmpooler_client.orders import Order, TakenVm
from vmpooler_client.request_calls import delete_call

_HURRY, _GRACE = 5.0, 0.5
"""Seconds for each answer when somebody has been stopped and waits to be gone, and for the one under way."""


class OnDemandCheckout:
    """Requests VMs when it is entered, waits for them, and deletes the request when it is left.

    What couldn't be given back is raised as VmsLeftError, or noted at the error that was on its way.
    """

    def __init__(self, transport: Transport, order: Order, *, timeout: float | None) -> None:
        """Describe it; `timeout` in seconds is for all of it, None leaves the end to the service."""
        self.order = order
        """Its key is the id of the request."""
        self.is_unclear = False
        """After the end: whether the request may still be there."""
        self._transport = transport
        self._timeout = timeout
        self._flight: Flight | None = None
        self._held: list[TakenVm] = []

    @property
    def left(self) -> list[TakenVm]:
        """List what is taken and not given back: after the end, what is left behind."""
        return list(self._held)

    def keep(self) -> list[TakenVm]:
        """Give nothing back at the end: the VMs are the caller's now."""
        kept, self._held, self.is_unclear = self._held, [], False
        return kept

    def __enter__(self) -> list[TakenVm]:
        try:
            self._open()
            request = self._wait_for()
            self._held = list(request.vms)
            self.order.check(self._held)
            return list(self._held)
        except BaseException as error:
            self._delete(error)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_unclear:
            self._delete(error)

    def _open(self) -> None:
        self.is_unclear = True
        self._flight = Flight(self._transport, self.order.request())
        answer = self._flight.answer()
        self._flight = None
        try:
            Requests.check_opened(answer, about=self.order.words)
        except (RefusedError, UnreachableError):
            self.is_unclear = False
            raise

    def _wait_for(self) -> Request:
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        return Requests(self._transport).wait_until(self.order.key, deadline, has_answered=True)

    def _delete(self, error: BaseException | None) -> None:
        """Delete the request, also one that may only be on its way."""
        if not self.is_unclear:
            return
        problem: VmpoolerError | None = None
        try:
            if self._flight is not None and self._flight.outcome(_GRACE) is None:
                # Once it is there, the lost one that may still arrive is refused.
                self._transport.send(replace(self.order.request(), at_most=_HURRY))
            call = delete_call(self.order.key)
            self._transport.ask(call if error is None else replace(call, at_most=_HURRY))
        except NotFoundError:
            pass  # it is over, and forgotten
        except VmpoolerError as raised:
            problem = raised
        except BaseException as stopped:  # once more: there is no time for the rest
            stopped.add_note(self._what_is_left("it was stopped"))
            raise
        if problem is None:
            self.is_unclear, self._held = False, []
            return
        left = VmsLeftError(self._what_is_left(str(problem)), [vm.hostname for vm in self._held])
        if error is None:
            raise left
        error.add_note(str(left))

    def _what_is_left(self, reason: str) -> str:
        names = ", ".join(vm.hostname for vm in self._held)
        return f"the on-demand request {self.order.key} may be left, with {names or 'its VMs'} ({reason})"
