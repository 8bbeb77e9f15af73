"""The numbers behind the dashboard's charts."""

import re
from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, Field

from vmpooler_api.dashboard.graph_server import History
from vmpooler_common.config import PoolSettings
from vmpooler_common.store.pools.counts import StatusCounts

_PLATFORM = re.compile(r"(\w+)-", re.ASCII)
_SAMPLES_PER_POINT = 8
"""A chart shows 500 samples of the last hour, and graph servers keep fewer points."""


class PoolCapacity(BaseModel):
    """One pool."""

    size: int = Field(description="Ready VMs that it is to have.")
    ready: int
    history: list[int] | None = Field(
        None,
        description="Ready VMs in the past hour, the oldest first; the current number when no more is known.",
    )


class PlatformUsage(BaseModel):
    """The pools whose names have the same beginning."""

    running: int
    history: list[int] | None = Field(
        None,
        description="Running VMs in the past hour, the oldest first; only where a graph server is.",
    )


def current_only(pools: Iterable[PoolSettings], numbers: StatusCounts) -> dict[str, list[int]]:
    """Give the history of ready VMs where there is no graph server: pool -> samples."""
    return {pool.name: [numbers.pools[pool.name].ready] for pool in pools}


def samples_of_ready(
    pools: Iterable[PoolSettings], numbers: StatusCounts, history: History
) -> dict[str, list[int]]:
    """Give the history of ready VMs: pool -> samples; pools that the graph server doesn't know are absent."""
    return {
        pool.name: _samples(points, first=numbers.pools[pool.name].size_or(pool.size))
        for pool in pools
        if (points := history.of(pool.name)) is not None
    }


def samples_of_running(pools: Iterable[PoolSettings], history: History) -> dict[str, list[int]]:
    """Give the history of running VMs: platform -> sums of its pools' samples."""
    of_platform: dict[str, list[list[int]]] = {}
    for pool in pools:
        points = history.of(pool.name)
        if points is not None:
            of_platform.setdefault(platform_of(pool.name), []).append(_samples(points, first=0))
    return {platform: _sums(samples) for platform, samples in of_platform.items()}


def report_pools(
    pools: Iterable[PoolSettings], numbers: StatusCounts, history: Mapping[str, list[int]]
) -> dict[str, PoolCapacity]:
    """Tell size and ready VMs of each pool, in their order."""
    return {
        pool.name: PoolCapacity(
            size=numbers.pools[pool.name].size_or(pool.size),
            ready=numbers.pools[pool.name].ready,
            history=history.get(pool.name),
        )
        for pool in pools
    }


def report_platforms(
    pools: Iterable[PoolSettings], numbers: StatusCounts, history: Mapping[str, list[int]]
) -> dict[str, PlatformUsage]:
    """Add up the running VMs of each platform, in the order of their first pools."""
    running: dict[str, int] = {}
    for pool in pools:
        platform = platform_of(pool.name)
        running[platform] = running.get(platform, 0) + numbers.pools[pool.name].running
    return {
        platform: PlatformUsage(running=count, history=history.get(platform))
        for platform, count in running.items()
    }


def platform_of(pool: str) -> str:
    """Give what the pool's name begins with, up to the first hyphen; the whole name if there is none."""
    beginning = _PLATFORM.match(pool)
    return beginning[1] if beginning else pool


def _samples(points: Sequence[float | None], *, first: int) -> list[int]:
    """Fill gaps with the value before, at the beginning `first`, and stretch what is left."""
    samples: list[int] = []
    value = first
    for point in points:
        if point is not None:
            value = int(point)
        samples += [value] * _SAMPLES_PER_POINT
    return samples


def _sums(of_pools: Sequence[list[int]]) -> list[int]:
    """Add up sample by sample; who has fewer goes on with the last one."""
    longest = max(map(len, of_pools))
    filled = [samples + samples[-1:] * (longest - len(samples)) for samples in of_pools]
    return [sum(at_once) for at_once in zip(*filled, strict=False)]
