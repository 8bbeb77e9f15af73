"""The past hour as a graph server (Graphite, or one that renders as it does) knows it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Annotated, Literal

import httpx
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from vmpooler_common.config import Settings
from vmpooler_common.metrics.backends.dotted_name import level
from vmpooler_common.outages import Outage

PATIENCE = timedelta(seconds=2)
"""For an answer. A dashboard that lacks its history is better than one that waits for it."""
_LARGEST = 8 << 20
"""Bytes of an answer."""

State = Literal["ready", "running"]


@dataclass(frozen=True, slots=True)
class GraphSource:
    """Where the history is: a host, maybe with a port, or a whole address; and how its names begin."""

    server: str
    prefix: str


@dataclass(frozen=True, slots=True)
class History:
    """The points of the past hour by the last level of each series' name, the oldest first; None: a gap."""

    series: Mapping[str, Sequence[float | None]] = field(default_factory=dict)

    def of(self, pool: str) -> Sequence[float | None] | None:
        """Give a pool's points; None when there are none."""
        return self.series.get(level(pool)) or None


class _Series(BaseModel):
    target: str
    datapoints: list[tuple[Annotated[float, Field(allow_inf_nan=False)] | None, int]]


_ANSWER = TypeAdapter(list[_Series])


class _Unusable(Exception):  # noqa: N818 - a fact about an answer
    """The answer is none that can be used; the text says why."""


def graph_source(settings: Settings) -> GraphSource | None:
    """Tell where the history is: what `graphs` says, else where `graphite` sends it; None: nowhere."""
    graphs, graphite = settings.graphs, settings.graphite
    if graphs is not None and graphs.server is not None:
        return GraphSource(graphs.server, graphs.prefix or "vmpooler")
    if graphite is None:
        return None
    return GraphSource(graphite.server, (graphs.prefix if graphs else None) or graphite.prefix)


class GraphServer:
    """Asks one graph server, once in `max_age` at most, however many dashboards are opened.

    Its failures are logged when they begin and end; the history is empty then.
    """

    def __init__(self, source: GraphSource, *, max_age: timedelta = timedelta(seconds=10)) -> None:
        self._source = source
        address = source.server if "://" in source.server else f"http://{source.server}"
        self._url = f"{address.rstrip('/')}/render"
        self._client = httpx.AsyncClient(timeout=PATIENCE.total_seconds(), trust_env=False)
        self._max_age = max_age.total_seconds()
        self._known: dict[State, tuple[float, History]] = {}
        self._asking = {"ready": asyncio.Lock(), "running": asyncio.Lock()}
        self._outage = Outage("history of the dashboard", server=source.server)

    async def past_hour(self, state: State) -> History:
        """Give the numbers of VMs in this state, by pool."""
        async with self._asking[state]:
            asked_at, history = self._known.get(state, (float("-inf"), History()))
            if monotonic() - asked_at > self._max_age:
                history = await self._ask(state)
                self._known[state] = (monotonic(), history)
            return history

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def _ask(self, state: State) -> History:
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                answer = _ANSWER.validate_json(await self._fetch(f"{self._source.prefix}.{state}.*"))
        except (httpx.HTTPError, httpx.InvalidURL, _Unusable) as error:
            self._outage.began(str(error) or type(error).__name__)
        except TimeoutError:
            self._outage.began(f"no answer within {PATIENCE.total_seconds():g} s")
        except ValidationError as error:
            self._outage.began(f"not an answer that is known: {error.errors()[0]['msg']}")
        else:
            self._outage.ended()
            return History(
                {one.target.rpartition(".")[2]: [value for value, _ in one.datapoints] for one in answer}
            )
        return History()

    async def _fetch(self, target: str) -> bytes:
        query = {"target": target, "from": "-1hour", "format": "json"}
        body = bytearray()
        async with self._client.stream("GET", self._url, params=query) as answer:
            if answer.status_code != httpx.codes.OK:
                raise _Unusable(f"it answered {answer.status_code}")
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > _LARGEST:
                    raise _Unusable(f"it answered more than {_LARGEST} bytes")
        return bytes(body)
