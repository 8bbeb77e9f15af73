"""What tests of on-demand requests do behind the API: a manager's part, by the store's verbs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.api.in_process import Api
from tests.store.ondemand import OnDemand

PATH = "/api/v3/ondemandvm"
GOOD = {"X-AUTH-TOKEN": "good"}
BAD = {"X-AUTH-TOKEN": "bad"}


@dataclass(frozen=True)
class Requester:
    """One who asks, and a manager who takes what is asked for in."""

    api: Api

    @property
    def demand(self) -> OnDemand:
        """The manager's part."""
        return OnDemand(self.api.fleet)

    async def ask(self, body: Any = None, **arguments: Any) -> httpx.Response:
        """Send a request for VMs; a mapping is sent as JSON, bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.api.client.post(PATH, content=content, **arguments)

    async def look(self, request: str, query: str = "") -> httpx.Response:
        """Look at a request."""
        return await self.api.client.get(f"{PATH}/{request}{query}")

    async def explanation(self, request: str) -> dict[str, Any]:
        """Have a request explained."""
        answer = await self.api.client.get(f"{PATH}/{request}/explain")
        assert answer.status_code == 200
        content: dict[str, Any] = answer.json()
        return content

    async def accepted(self, request: str, wanted: Mapping[str, int], **arguments: Any) -> None:
        """Ask for VMs under this id, and have a manager accept it."""
        answer = await self.ask({**wanted, "request_id": request}, **arguments)
        assert answer.status_code == 201
        assert await self.api.fleet.store.backlog.accept(request) == "accepted"

    async def wanted(self, request: str) -> list[tuple[str, str]]:
        """Give (requested name, pool) of each VM."""
        return [(want.name, want.pool) for want in (await self.demand.seen(request)).items]

    async def requests(self) -> set[str]:
        """Give everything under which the store knows of any request."""
        data = await self.api.fleet.dataset()
        return {
            name
            for name in data.entries
            if name.split(":")[0] in {"request", "items", "open", "unaccepted", "requests", "backlog"}
        }
