"""Users who open on-demand requests over HTTP, wait for them, and now and then change their mind."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

import httpx

from tests.support.ledger import Ledger
from tests.support.services import Service

PATH = "/api/v3/ondemandvm"
WAIT = 20
"""Seconds that one look at a request waits for a change."""
PATIENCE = WAIT + 20.0
LONGEST_SECOND_THOUGHTS = 1.0
"""Seconds within which those who change their mind do so."""


class OndemandUsers:
    """Several users at once, each with a token; everything that they see goes into the ledger.

    What they do is decided by `random`.
    """

    def __init__(self, api: Service, ledger: Ledger, *, pools: Sequence[str], random: Random) -> None:
        self.ready = 0
        """Requests that came to their end with all VMs."""
        self.reasons: list[str] = []
        """Why the others failed."""
        self.deleted = 0
        """Requests that were deleted while they were waited for."""
        self._api = api
        self._ledger = ledger
        self._pools = pools
        self._random = random

    async def work(
        self, tokens: Sequence[str], *, requests: int, at_once: int, most_vms: int, delete_percent: float
    ) -> None:
        """Open so many requests, so many `at_once` per user, for 1 to `most_vms` VMs each, and see each end.

        A share of them is deleted at a random moment.
        """
        numbers = iter(range(requests))
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with (
            httpx.AsyncClient(
                base_url=f"{self._api.base_url}{PATH}", timeout=PATIENCE, trust_env=False, limits=limits
            ) as client,
            asyncio.TaskGroup() as group,
        ):

            async def live(token: str) -> None:
                for number in numbers:
                    count = self._random.randint(1, most_vms)
                    changes_mind = self._random.random() * 100 < delete_percent
                    await self._ask(client, f"request-{number}", count, token, changes_mind=changes_mind)

            for token in tokens:
                for _ in range(at_once):
                    group.create_task(live(token))

    async def _ask(
        self, client: httpx.AsyncClient, request: str, count: int, token: str, *, changes_mind: bool
    ) -> None:
        pools = [self._random.choice(self._pools) for _ in range(count)]
        self._ledger.ask(request, pools)
        body = {**self._ledger.asked[request], "request_id": request}
        answer = await client.post("", json=body, headers={"X-AUTH-TOKEN": token})
        if answer.status_code != httpx.codes.CREATED:
            self._wrong(request, "opened", answer)
        elif not changes_mind:
            await self._wait(client, request)
        else:
            try:
                async with asyncio.timeout(self._random.uniform(0, LONGEST_SECOND_THOUGHTS)):
                    await self._wait(client, request)
            except TimeoutError:
                self.deleted += 1
            await self._delete(client, request, token)

    async def _wait(self, client: httpx.AsyncClient, request: str) -> None:
        while True:
            answer = await client.get(f"/{request}", params={"wait": WAIT})
            if answer.status_code == httpx.codes.ACCEPTED:
                continue
            if answer.status_code != httpx.codes.OK:
                self._wrong(request, "looked at", answer)
            elif "message" in answer.json():
                self.reasons.append(answer.json()["message"])
            else:
                self.ready += 1
                self._ledger.tell(request, _names(answer.json()))
            return

    async def _delete(self, client: httpx.AsyncClient, request: str, token: str) -> None:
        self._ledger.delete(request)
        answer = await client.delete(f"/{request}", headers={"X-AUTH-TOKEN": token})
        if answer.status_code != httpx.codes.OK:
            self._wrong(request, "deleted", answer)

    def _wrong(self, request: str, what: str, answer: httpx.Response) -> None:
        self._ledger.wrongs.append(
            f"{request} was {what}, and answered {answer.status_code}: {answer.text[:200]}"
        )


def _names(answer: dict[str, Any]) -> list[str]:
    of_pools = (member["hostname"] for member in answer.values() if isinstance(member, dict))
    return [hostname.split(".")[0] for hostnames in of_pools for hostname in hostnames]
