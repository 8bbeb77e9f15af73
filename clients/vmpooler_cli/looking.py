"""Commands that look: at pools to choose from, at VMs, at what a request waits for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from vmpooler_cli.declare import talks
from vmpooler_cli.getting import connect
from vmpooler_cli.parameters import POOL, hours, remaining

if TYPE_CHECKING:
    from vmpooler_cli.output import Cell
    from vmpooler_cli.session import Session
    from vmpooler_client.models import Pool, Vm

_WATCH_EVERY = 5.0
_AT_ONCE = 8
"""Questions that are asked at the same time."""
_STATE_STYLES = {"running": "green", "destroyed": "dim", "ready": "cyan"}


@click.command("list", short_help="List the pools that VMs can be taken from.")
@click.argument("filters", nargs=-1, metavar="[FILTER]...")
@click.option("--watch", is_flag=True, help="Show it again every few seconds, until Ctrl-C.")
@talks
async def list_pools(session: "Session", *, filters: tuple[str, ...], watch: bool) -> None:
    """List pools and aliases, and how many VMs are ready. A FILTER is part of a name or alias."""
    import asyncio

    while True:
        pools = (await session.client.pools.status(["pools"])).pools
        chosen = {name: pool for name, pool in pools.items() if _fits(name, pool, filters)}
        if watch:
            session.output.redraw()
        if session.output.as_json:
            session.output.json({name: pool.model_dump(mode="json") for name, pool in chosen.items()})
        else:
            rows = [
                (name, _ready(pool), str(pool.max), str(pool.pending), " ".join(pool.alias), _remark(pool))
                for name, pool in chosen.items()
            ]
            session.output.table(("POOL", "READY", "OF", "COMING", "ALIASES", ""), rows)
        if not watch:
            return
        await asyncio.sleep(_WATCH_EVERY)


def _fits(name: str, pool: "Pool", filters: Sequence[str]) -> bool:
    return not filters or any(text in word for text in filters for word in (name, *pool.alias))


def _ready(pool: "Pool") -> "Cell":
    free = pool.ready - (pool.held or 0)
    return str(free), "green" if free else "yellow" if pool.max else "dim"


def _remark(pool: "Pool") -> "Cell":
    if pool.broken:
        return f"broken: {pool.broken}", "red"
    if pool.problem:
        return f"{pool.problem.kind}: {pool.problem.text}", "red"
    if pool.paused:
        return f"paused: {pool.pause.reason}" if pool.pause else "paused", "yellow"
    return ("", "") if pool.max else ("on demand", "dim")


@click.command(short_help="List your VMs.")
@talks
async def mine(session: "Session") -> None:
    """List the VMs that were taken with your token and still run."""
    names = (await session.client.tokens.show(await session.token())).running
    vms = await _look_up(session, names)
    if session.output.as_json:
        session.output.json([vm.model_dump(mode="json") | {"hostname": vm.hostname} for vm in vms])
        return
    rows = [
        (
            vm.hostname,
            vm.template or "",
            remaining(vm),
            " ".join(f"{key}={text}" for key, text in vm.tags.items()),
        )
        for vm in vms
    ]
    session.output.table(("HOST NAME", "POOL", "LEFT", "TAGS"), rows)


async def _look_up(session: "Session", names: Iterable[str]) -> "list[Vm]":
    """Ask for VMs, several at once; one that has just ended is left out."""
    import asyncio

    from vmpooler_client import NotFoundError

    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> "Vm | None":
        async with limit:
            try:
                return await session.client.vms.show(name)
            except NotFoundError:
                return None

    return [vm for vm in await asyncio.gather(*map(one, names)) if vm is not None]


@click.command(short_help="Show VMs.")
@click.argument("hostnames", nargs=-1, required=True, metavar="HOSTNAME...")
@talks
async def show(session: "Session", *, hostnames: tuple[str, ...]) -> None:
    """Show all that is known of VMs."""
    vms = [await session.client.vms.show(hostname) for hostname in hostnames]
    if session.output.as_json:
        session.output.json([vm.model_dump(mode="json") | {"hostname": vm.hostname} for vm in vms])
        return
    for vm in vms:
        session.output.facts(_facts(vm))


def _facts(vm: "Vm") -> "Mapping[str, str | Cell]":
    facts: dict[str, str | Cell] = {
        "host name": vm.hostname,
        "pool": vm.template or "",
        "state": (vm.state, _STATE_STYLES.get(vm.state, "")),
        "address": vm.ip,
        "host": vm.host or "",
        "used for": "" if vm.running is None else hours(vm.running),
        "left": remaining(vm),
        "ends": f"{vm.end_time:%Y-%m-%d %H:%M %Z}" if vm.end_time and vm.lifetime else "",
        "tags": " ".join(f"{key}={text}" for key, text in vm.tags.items()),
        "disks": " ".join(vm.disk),
        "snapshots": " ".join(vm.snapshots),
    }
    for task in vm.tasks:
        if task.state != "done":
            what = f"{task.kind} {task.disk or task.snapshot or ''}".strip()
            facts[f"task {task.id[:8]}"] = (
                f"{what}: {task.state}" + (f", {task.reason}" if task.reason else ""),
                "red" if task.state == "failed" else "yellow",
            )
    return {name: value for name, value in facts.items() if value}


@click.command(short_help="Connect to a VM.")
@click.argument("hostname")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@talks
async def ssh(session: "Session", *, hostname: str, arguments: tuple[str, ...]) -> None:
    """Connect to a VM by ssh; ARGUMENTS are for ssh, after the name: `vmpooler ssh NAME -- uptime`."""
    vm = await session.client.vms.show(hostname)
    if vm.state != "running":
        raise click.ClickException(f"{vm.hostname} is {vm.state}")
    connect(session, vm.hostname, *arguments)


@click.command(short_help="Explain a pool, or what an on-demand request waits for.")
@click.argument("name", metavar="POOL|REQUEST", type=POOL)
@talks
async def explain(session: "Session", *, name: str) -> None:
    """Explain why a pool has the VMs that it has, or what an on-demand request waits for."""
    if name in await session.client.pools.names():
        of_pool = await session.client.pools.explain(name)
        if session.output.as_json:
            session.output.json(of_pool.model_dump(mode="json"))
        else:
            session.output.lines(of_pool.summary)
        return
    explained = await session.client.requests.explain(name)
    if session.output.as_json:
        session.output.json(explained.model_dump(mode="json"))
        return
    session.output.lines(explained.summary)
    rows = [
        (
            vm.name,
            vm.pool,
            (vm.state, "green" if vm.state == "granted" else "yellow"),
            vm.hostname or ("" if vm.ahead is None else f"{vm.ahead} before it"),
            (vm.last_error or "", "red"),
        )
        for vm in explained.vms
    ]
    session.output.table(("NAME", "POOL", "STATE", "", ""), rows)
