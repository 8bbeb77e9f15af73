"""Sends calls, and sends them again where that is safe."""

from types import TracebackType
from typing import Self

import httpx

from vmpooler_client._async.io import open_http, sleep
from vmpooler_client.calls import Answer, Call, Repeat, is_passing, refusal
from vmpooler_client.connection import failure, timeout
from vmpooler_client.errors import AnswerLostError, UnreachableError, VmpoolerError
from vmpooler_client.retries import Loss, Retries
from vmpooler_client.service import Service

_QUESTION = Call("GET", "/api/v3/ondemandvm/x", params={"wait": "x"}, at_most=5)
"""A 3.x service doesn't know the parameter, and says that there is no such request (404)."""
_BAD_REQUEST, _TOO_MANY = 400, 429


class AsyncTransport:
    """A service's connections."""

    def __init__(self, service: Service, retries: Retries, *, patience: float) -> None:
        self.service = service
        self._patience = patience
        self._retries = retries
        self._http = open_http(service)
        self._keeps_keys: bool | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def ask(self, call: Call, *, about: str = "") -> Answer:
        """Send a call and return its answer; raise RefusedError when that is no, about what is asked."""
        answer = await self.send(call)
        if problem := refusal(answer, about=about):
            raise problem
        return answer

    async def send(self, call: Call) -> Answer:
        """Send a call, again where that is safe, and return the answer whatever its status is.

        Raises UnreachableError, AnswerLostError. A call whose time is over isn't sent again.
        """
        attempt, is_repeated = 1, False
        while True:
            result, loss, told = await self._try(call, is_repeated=is_repeated)
            if loss is None:
                break
            is_repeated = is_repeated or loss is Loss.LOST
            may_repeat = loss is Loss.NOT_SENT or await self._may_repeat(call)
            pause = self._retries.pause(attempt, told) if may_repeat else None
            if pause is None:
                break
            attempt += 1
            await sleep(pause)
        if isinstance(result, Answer):
            return result
        if is_repeated and isinstance(result, UnreachableError):
            raise AnswerLostError(str(result)) from result
        raise result

    async def keeps_keys(self) -> bool:
        """Tell whether the service knows Idempotency-Key and `?wait`; 3.x and one that is away don't."""
        if self._keeps_keys is None:
            try:
                status = (await self.send(_QUESTION)).status
            except VmpoolerError:
                return False
            self._keeps_keys = status == _BAD_REQUEST
        return self._keeps_keys

    async def _try(
        self, call: Call, *, is_repeated: bool
    ) -> tuple[Answer | VmpoolerError, Loss | None, float | None]:
        """Send a call once: what came of it, whether it may be worth another try, after how many seconds."""
        try:
            response = await self._http.request(
                call.method,
                f"{self.service.url}{call.path}",
                json=call.json,
                params=dict(call.params),
                headers=dict(call.headers),
                auth=call.login or httpx.USE_CLIENT_DEFAULT,
                timeout=timeout(self._seconds(call)),
            )
        except httpx.HTTPError as error:
            problem, loss = failure(error, self.service, self._seconds(call))
            is_final = isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout)
            return problem, None if is_final else loss, None
        answer = Answer(response.status_code, response.headers, response.content, is_repeated)
        if answer.status == _TOO_MANY:
            return answer, Loss.NOT_SENT, answer.retry_after
        return answer, Loss.LOST if is_passing(answer) else None, answer.retry_after

    def _seconds(self, call: Call) -> float:
        return min(self._patience, call.at_most or self._patience) + call.wait

    async def _may_repeat(self, call: Call) -> bool:
        return call.repeat is Repeat.SAFE or (call.repeat is Repeat.KEYED and await self.keeps_keys())
