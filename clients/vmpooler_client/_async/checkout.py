"""VMs that are taken for a while, and given back whatever happens."""

import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Generic, TypeVar

from vmpooler_client._async.io import Flight, sleep
from vmpooler_client._async.transport import AsyncTransport
from vmpooler_client.calls import LONGEST_WAIT, Answer, checkout_refusal
from vmpooler_client.errors import (
    AnswerLostError,
    NotFoundError,
    NotReadyError,
    RefusedError,
    UnavailableError,
    UnreachableError,
    VmpoolerError,
    VmsLeftError,
)
from vmpooler_client.orders import Order, TakenVm, read_taken
from vmpooler_client.retries import Outage
from vmpooler_client.vm_calls import release_call

T = TypeVar("T")

_PAUSE = 5.0
"""Seconds between two questions to a service that doesn't wait."""
_AT_ONCE = 1.0
_WAITED = 3.0
"""Seconds after which an order that found nobody, all tries included, must have been waiting."""
_OUTAGE, _PAUSE_IN_OUTAGE = 60.0, 2.0
"""Seconds for which a service that waits for us may be away, and between two questions then."""
_HURRY = 5.0
"""Seconds for each answer when somebody has been stopped and waits to be gone."""
_GRACE, _LONG_GRACE = 0.5, 5.0
"""Seconds for an order that is under way when its caller is stopped: the long one where its answer is the
only way to learn what it did."""


class AsyncCheckout(Generic[T]):
    """Takes VMs when it is entered, and gives them back when it is left, also by an error or a cancellation.

    What couldn't be given back is raised as VmsLeftError, or noted at the error that was on its way.
    """

    def __init__(
        self, transport: AsyncTransport, order: Order, *, wait: float, form: Callable[[list[TakenVm]], T]
    ) -> None:
        """Describe it; `wait` in seconds is for VMs that aren't ready, `form` gives what entering returns."""
        self.order = order
        self.is_unclear = False
        """Whether VMs may be taken that the service didn't name."""
        self._transport = transport
        self._wait = wait
        self._form = form
        self._flight: Flight | None = None
        self._is_lost = False
        self._held: list[TakenVm] = []

    @property
    def left(self) -> list[TakenVm]:
        """List what is taken and not given back: after the end, what is left behind."""
        return list(self._held)

    def keep(self) -> list[TakenVm]:
        """Give nothing back at the end: the VMs are the caller's now."""
        kept, self._held = self._held, []
        return kept

    async def __aenter__(self) -> T:
        try:
            return self._form(await self._take())
        except BaseException as error:
            await self._give_back(error)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._give_back(error)

    async def _take(self) -> list[TakenVm]:
        """Ask until the VMs are there or the time is over: by its key it is one order."""
        outage = Outage(longest=_OUTAGE)
        knows_key = bool(self._wait) and await self._transport.keeps_keys()
        deadline = time.monotonic() + self._wait
        while True:
            asked_at = time.monotonic()
            wait = min(max(deadline - asked_at, 0.0), LONGEST_WAIT)
            try:
                return await self._ask(wait)
            except NotReadyError as problem:
                self._flight, self._is_lost = None, False
                outage.over()
                now = time.monotonic()
                if now >= deadline:
                    raise
                if now - asked_at < min(wait, _AT_ONCE):
                    await self._judge(problem)
                    await sleep(min(deadline - now, _PAUSE))
            except (UnavailableError, UnreachableError, AnswerLostError) as error:
                self._is_lost = self._is_lost or not _says_nothing_was_taken(error)
                now = time.monotonic()
                outage.can_pass = outage.can_pass or now - asked_at > _WAITED
                if not knows_key or now >= deadline or outage.is_too_long(asked_at, now):
                    raise
                await sleep(min(deadline - now, _PAUSE_IN_OUTAGE))

    async def _ask(self, wait: float) -> list[TakenVm]:
        self._flight = Flight(self._transport, self.order.checkout(wait=wait))
        answer = await self._flight.answer()
        if problem := checkout_refusal(answer, about=self.order.words):
            raise problem
        self._held = read_taken(answer)
        self.order.check(self._held)
        self._flight = None
        return list(self._held)

    async def _judge(self, problem: NotReadyError) -> None:
        """Raise an error when a service that can wait says at once that it won't."""
        if await self._transport.keeps_keys():
            raise problem

    async def _settle(self, flight: Flight) -> None:
        """Find out what an order took whose answer wasn't read."""
        if self._held:
            return
        self.is_unclear = True
        knows_key = await self._transport.keeps_keys()
        answer = await flight.outcome(_GRACE if knows_key else _LONG_GRACE)
        try:
            if answer is None and knows_key:
                answer = await self._transport.send(replace(self.order.checkout(), at_most=_HURRY))
            if answer is not None:
                self._held, self.is_unclear = self._judged(answer)
        except VmpoolerError:
            return

    def _judged(self, answer: Answer) -> tuple[list[TakenVm], bool]:
        """Say what an answer grants, and whether it leaves anything unclear."""
        problem = checkout_refusal(answer, about=self.order.words)
        if problem is None:
            return read_taken(answer), False
        return [], isinstance(problem, UnavailableError) or not isinstance(problem, RefusedError)

    async def _give_back(self, error: BaseException | None) -> None:
        """Give back what is held, and raise or note what couldn't be."""
        try:
            if error and self._flight and (self._is_lost or not _says_nothing_was_taken(error)):
                await self._settle(self._flight)
            problems = await self._release_all(error)
        except BaseException as stopped:  # once more: there is no time for the rest
            if self._held or self.is_unclear:
                stopped.add_note(self._what_is_left([]))
            raise
        if not self._held and not self.is_unclear:
            return
        left = VmsLeftError(self._what_is_left(problems), [vm.hostname for vm in self._held])
        if error is None:
            raise left
        error.add_note(str(left))

    async def _release_all(self, error: BaseException | None) -> list[VmpoolerError]:
        problems: list[VmpoolerError] = []
        for vm in self.left:
            call = release_call(vm.hostname)
            try:
                await self._transport.ask(call if error is None else replace(call, at_most=_HURRY))
            except NotFoundError:
                pass  # it was given back by somebody else, or has ended
            except VmpoolerError as problem:
                problems.append(problem)
                continue
            self._held.remove(vm)
        return problems

    def _what_is_left(self, problems: list[VmpoolerError]) -> str:
        if self._held:
            names = ", ".join(vm.hostname for vm in self._held)
            return f"not given back: {names}" + (f" ({problems[0]})" if problems else "")
        return f"VMs of {self.order.words} may be left: the service didn't say what it did"


def _says_nothing_was_taken(error: BaseException) -> bool:
    """Tell whether an order that ended so took nothing; a proxy's word for the service doesn't count."""
    if isinstance(error, RefusedError):
        return error.status not in (502, 504)
    return isinstance(error, UnreachableError)
