"""On-demand requests."""

import time

from vmpooler_client._sync.io import sleep
from vmpooler_client._sync.transport import Transport
from vmpooler_client.calls import LONGEST_WAIT, Answer, Call, refusal
from vmpooler_client.errors import (
    AnswerLostError,
    ConflictError,
    NotFoundError,
    NotSupportedError,
    RequestFailedError,
    TimedOutError,
    UnavailableError,
    UnreachableError,
)
from vmpooler_client.models.requests import Explanation, Request
from vmpooler_client.orders import Order, Wanted
from vmpooler_client.request_calls import delete_call, look_call, read_request, request_path
from vmpooler_client.retries import Outage

_PAUSE = 2.0
"""Seconds between two questions to a service that doesn't wait."""

_OUTAGE = 60.0


class Requests:
    """Opens on-demand requests, looks at them and deletes them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def open(self, wanted: Wanted, *, request_id: str | None = None) -> str:
        """Request VMs that need not be ready, and return the id of the request.

        An id of your own makes it safe to ask again: ConflictError says that it is there.
        """
        order = Order.of(wanted, key=request_id)
        self.check_opened(self._transport.send(order.request()), about=order.words)
        return order.key

    def show(self, request_id: str, *, wait: float = 0) -> Request:
        """Tell how far a request is, when it is over or after so many seconds."""
        call = look_call(request_id, wait=min(wait, LONGEST_WAIT))
        return read_request(self._transport.ask(call, about=request_id))

    def wait(self, request_id: str, *, timeout: float | None = None) -> Request:
        """Return a request when its VMs are there.

        Raises RequestFailedError when it is over without them, TimedOutError after `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        return self.wait_until(request_id, deadline)

    def wait_until(self, request_id: str, deadline: float | None, *, has_answered: bool = False) -> Request:
        """Do the same until a moment of the monotonic clock.

        A service that is away for a minute is waited for, once it `has_answered`.
        """
        outage = Outage(longest=_OUTAGE)
        outage.can_pass = has_answered
        while True:
            asked_at = time.monotonic()
            left = LONGEST_WAIT if deadline is None else max(deadline - asked_at, 0.0)
            try:
                request = self.show(request_id, wait=left)
            except (UnavailableError, UnreachableError, AnswerLostError):
                now = time.monotonic()
                if outage.is_too_long(asked_at, now) or (deadline is not None and now >= deadline):
                    raise
                sleep(_PAUSE)
                continue
            outage.over()
            if request.ready:
                return request
            if request.is_over:
                raise RequestFailedError(request.message or "the request is over without its VMs")
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                raise TimedOutError(f"the request {request_id} isn't ready in time")
            if now - asked_at < min(left, _PAUSE):
                sleep(_PAUSE)

    def explain(self, request_id: str) -> Explanation:
        """Tell what a request waits for; NotSupportedError from a 3.x service."""
        answer = self._transport.send(Call("GET", request_path(request_id, "explain")))
        problem = refusal(answer, about=request_id)
        if isinstance(problem, NotFoundError) and not self._transport.keeps_keys():
            raise NotSupportedError("this service can't explain requests: it is vmpooler 3.x", status=404)
        if problem:
            raise problem
        return answer.read(Explanation)

    def delete(self, request_id: str) -> None:
        """Delete a request and give its VMs back; no effect on one that was deleted before."""
        self._transport.ask(delete_call(request_id), about=request_id)

    @staticmethod
    def check_opened(answer: Answer, *, about: str) -> None:
        """Raise RefusedError unless a request was opened, be it by an earlier try."""
        problem = refusal(answer, about=about)
        if problem and not (isinstance(problem, ConflictError) and answer.is_repeated):
            raise problem
