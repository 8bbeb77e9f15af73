"""Users of the API who take VMs, keep them a while and give them back, whatever happens to the service."""

import asyncio
from collections.abc import Sequence
from random import Random

import httpx

from tests.support.ledger import Ledger
from tests.support.services import Service

PATIENCE = 30.0
"""Seconds that a client waits for an answer: longer than anything that the service promises."""
TRY_AGAIN = 0.1

GONE_ASTRAY = (httpx.TransportError,)
"""No answer: the API may have done what was asked, or not."""


class CheckoutUsers:
    """Several users at once; everything that they see goes into the ledger.

    What they do is decided by `random`; which API they ask, too.
    """

    def __init__(
        self, apis: Sequence[Service], ledger: Ledger, *, pools: Sequence[str], random: Random
    ) -> None:
        self.served = 0
        """Checkouts that were granted."""
        self._apis = apis
        self._ledger = ledger
        self._pools = pools
        self._random = random
        self._leaving = asyncio.Event()

    async def work(self, *, users: int, longest_use: float, keep_percent: float = 0) -> None:
        """Take and return until `leave`; so many users use each VM at most so many seconds.

        A share of the VMs is never returned. At the end every return that was begun has been answered.
        """
        limits = httpx.Limits(max_keepalive_connections=users)
        async with (
            httpx.AsyncClient(timeout=PATIENCE, trust_env=False, limits=limits) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(users):
                group.create_task(self._live(client, longest_use, keep_percent))

    def leave(self) -> None:
        """Have everybody finish what was begun and go."""
        self._leaving.set()

    async def _live(self, client: httpx.AsyncClient, longest_use: float, keep_percent: float) -> None:
        while not self._leaving.is_set():
            name = await self._take(client, self._random.choice(self._pools))
            if name is None:
                await asyncio.sleep(TRY_AGAIN)
                continue
            await asyncio.sleep(self._random.uniform(0, longest_use))
            if self._random.random() * 100 >= keep_percent:
                await self._give_back(client, name)

    async def _take(self, client: httpx.AsyncClient, pool: str) -> str | None:
        try:
            answer = await client.post(f"{self._any_api()}/api/v3/vm/{pool}")
        except httpx.ConnectError:
            return None  # nothing was asked
        except GONE_ASTRAY:
            self._ledger.unclear += 1
            return None
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self._ledger.withdrawn += "message" in answer.json()
            return None
        if answer.status_code != httpx.codes.OK:
            self._ledger.wrongs.append(f"a checkout was answered {answer.status_code}: {answer.text[:200]}")
            return None
        name = str(answer.json()[pool]["hostname"]).split(".")[0]
        self._ledger.grant([name])
        self.served += 1
        return name

    async def _give_back(self, client: httpx.AsyncClient, name: str) -> None:
        self._ledger.returning(name)
        tries = 0
        while True:
            tries += 1
            try:
                answer = await client.delete(f"{self._any_api()}/api/v3/vm/{name}")
            except GONE_ASTRAY:
                answer = None
            if answer is not None and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                self._ledger.gave_back(name, status=answer.status_code, tries=tries)
                return
            await asyncio.sleep(TRY_AGAIN)

    def _any_api(self) -> str:
        return self._random.choice(self._apis).base_url
