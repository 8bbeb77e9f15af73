"""Commands for operators: how the service and its pools are, and changing pools."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from vmpooler_cli.declare import talks
from vmpooler_cli.parameters import POOL

if TYPE_CHECKING:
    from vmpooler_cli.output import Cell
    from vmpooler_cli.session import Session
    from vmpooler_client.models import Pool, PoolConfiguration, Status

CONFIGURED = "configured"
"""Stands for what the configuration says."""


@click.command(short_help="Show how the service is.")
@talks
async def status(session: "Session") -> None:
    """Show how the service is: its verdict, what is ready, what is being made, today's clones and boots."""
    found = await session.client.pools.status()
    if session.output.as_json:
        session.output.json(found.model_dump(mode="json", by_alias=True))
    else:
        session.output.facts(_facts(found))


def _facts(found: "Status") -> "Mapping[str, str | Cell]":
    facts: dict[str, str | Cell] = {
        "service": (found.status.message, "green" if found.status.ok else "red"),
    }
    if found.redis:
        remedy = f"; {found.redis.remedy}" if found.redis.remedy else ""
        facts["redis"] = (f"{found.redis.state} since {found.redis.since}{remedy}", "red")
    if found.status.empty:
        facts["empty"] = (" ".join(found.status.empty), "red")
    for number, sentence in enumerate(found.verdict):
        facts["look at" if not number else f"look at ({number + 1})"] = (sentence, "yellow")
    if found.managers:
        facts["managers"] = ", ".join(f"{one.name} ({one.pools} pools)" for one in found.managers)
    if capacity := found.capacity:
        facts["ready"] = f"{capacity.current} of {capacity.total} ({capacity.percent:.0f} %)"
    if queue := found.queue:
        facts["running"] = str(queue.running)
        facts["coming"] = f"{queue.pending} ({queue.cloning} cloning, {queue.booting} booting)"
        facts["requested"] = f"{queue.requested} on demand, not there yet"
        facts["going"] = str(queue.completed)
    for name, today in (("clones", found.clone), ("boots", found.boot)):
        if today is not None:
            seconds = f", {today.duration.average:.0f} s each" if today.count.total else ""
            facts[f"{name} today"] = f"{today.count.total}{seconds}"
    if found.status.uptime is not None:
        facts["up for"] = f"{found.status.uptime / 3600:.1f} h"
    return facts


@click.command(short_help="List the pools, those with problems first.")
@talks
async def pools(session: "Session") -> None:
    """List the pools in numbers, those with problems first."""
    found = (await session.client.pools.status(["pools"])).pools
    ordered = sorted(found.items(), key=lambda item: _problem(item[1])[0])
    if session.output.as_json:
        session.output.json(
            [
                {"name": name, "problem": _problem(pool)[1] or None, **pool.model_dump(mode="json")}
                for name, pool in ordered
            ]
        )
        return
    rows = [
        (
            name,
            (str(pool.ready), _problem(pool)[2]),
            str(pool.max),
            str(pool.pending),
            str(pool.running),
            f"{pool.last_boot:%Y-%m-%d %H:%M}" if pool.last_boot else "never",
            (_problem(pool)[1], _problem(pool)[2]),
        )
        for name, pool in ordered
    ]
    session.output.table(("POOL", "READY", "OF", "COMING", "RUNNING", "LAST BOOT", "PROBLEM"), rows)


def _problem(pool: "Pool") -> tuple[int, str, str]:
    """Say how urgent a pool's problem is (0 first), what it is, and how it is shown."""
    if pool.broken:
        return 0, f"broken: {pool.broken}", "red"
    if pool.problem:
        return 1, f"{pool.problem.kind}: {pool.problem.text}", "red"
    if pool.paused:
        return 4, f"paused: {pool.pause.reason}" if pool.pause else "paused", "yellow"
    if pool.max and not pool.ready:
        return 2, "empty", "red"
    if pool.ready < pool.max:
        return 3, "filling" if pool.pending else "not full", "yellow"
    return 5, "", "green" if pool.max else "dim"


@click.command(short_help="Show a pool, or change it.")
@click.argument("name", type=POOL, metavar="NAME")
@click.option("--size", metavar="N", help="Keep so many VMs ready.")
@click.option("--template", metavar="TEMPLATE", help="Make VMs from this one, and replace those nobody has.")
@click.option("--clone-target", metavar="PLACE", help="Make VMs there, and replace those nobody has.")
@click.option("--reset", is_flag=True, help="Replace all VMs that nobody has.")
@click.option("--pause", metavar="REASON", help="Make no VM of it and hand none out.")
@click.option("--resume", is_flag=True, help="End a pause.")
@talks
async def pool(session: "Session", *, name: str, pause: str | None, resume: bool, **settings: Any) -> None:
    """Show a pool, after changing it if that is asked for.

    `configured` in place of a value takes a change back. What is set counts for all processes at once, and
    after restarts, too.
    """
    if pause is not None and resume:
        raise click.UsageError("--pause and --resume are opposites")
    await _change(session, name, **settings)
    if pause is not None:
        await session.client.pools.pause(name, pause)
    if resume:
        await session.client.pools.resume(name)
    await _show(session, name)


async def _change(
    session: "Session",
    name: str,
    *,
    size: str | None,
    template: str | None,
    clone_target: str | None,
    reset: bool,
) -> None:
    if size is not None and size != CONFIGURED and not size.isdecimal():
        raise click.BadParameter(f"{size} is no number, nor `{CONFIGURED}`", param_hint="--size")
    change = session.client.pools
    if size is not None:
        await (change.reset_size(name) if size == CONFIGURED else change.set_sizes({name: int(size)}))
    if template is not None:
        await (
            change.reset_template(name) if template == CONFIGURED else change.set_templates({name: template})
        )
    if clone_target is not None:
        await (
            change.reset_clone_target(name)
            if clone_target == CONFIGURED
            else change.set_clone_targets({name: clone_target})
        )
    if reset:
        await change.replace_vms([name])


async def _show(session: "Session", name: str) -> None:
    from vmpooler_client import NotFoundError

    numbers = (await session.client.pools.status(["pools"])).pools.get(name)
    settings = next((pool for pool in await session.client.pools.configuration() if pool.name == name), None)
    if numbers is None or settings is None:
        raise NotFoundError(f"there is no pool {name}", status=404)
    if session.output.as_json:
        session.output.json({**settings.model_dump(mode="json"), "numbers": numbers.model_dump(mode="json")})
    else:
        session.output.facts(_pool_facts(numbers, settings))


def _pool_facts(numbers: "Pool", settings: "PoolConfiguration") -> "Mapping[str, str | Cell]":
    _, problem, style = _problem(numbers)
    before = settings.configured
    facts: dict[str, Any] = {
        "pool": settings.name,
        "problem": (problem, style),
        "aliases": " ".join(settings.alias),
        "ready": f"{numbers.ready} of {settings.size}"
        + (f" ({before.size} configured)" if before and before.size != settings.size else ""),
        "kept back": f"{numbers.held} for {numbers.holders or 'some'} checkouts that wait"
        if numbers.held
        else "",
        "kept for": ", ".join(
            f"{one.user or one.address or 'somebody'} ({one.vms} VMs)" for one in numbers.held_by
        ),
        "coming": str(numbers.pending),
        "running": str(numbers.running),
        "last boot": f"{numbers.last_boot:%Y-%m-%d %H:%M}" if numbers.last_boot else "never",
        "template": (settings.template or "")
        + ("" if settings.template_ready is not False else " (not used by its manager yet)")
        + (f" ({before.template} configured)" if before and before.template != settings.template else ""),
        "provider": settings.provider or "",
        "clone target": settings.clone_target or "",
    }
    return {key: value for key, value in facts.items() if value and value != ("", style)}


@click.command(short_help="List the providers, or resume deletion at one.")
@click.argument("resumed", metavar="[PROVIDER]", required=False)
@click.option("--resume-deletion", is_flag=True, help="Destroy VMs again where a safety limit paused that.")
@talks
async def providers(session: "Session", *, resumed: str | None, resume_deletion: bool) -> None:
    """List where VMs are made, and how these places are.

    Deletion is paused where more VMs were missing or unknown than is usual: look why, then resume it.
    """
    if resume_deletion != (resumed is not None):
        raise click.UsageError("name the provider and --resume-deletion, or neither")
    if resumed is not None:
        released = await session.client.pools.resume_deletion(resumed)
        if session.output.as_json:
            session.output.json({"provider": resumed, "released": released})
        else:
            session.output.line(f"{resumed}: VMs are destroyed again; {released} are released from the limit")
        return
    found = (await session.client.pools.status(["health"])).providers
    if not found and not await session.client.knows_waiting():
        session.output.note("this service doesn't tell of its providers: it is vmpooler 3.x")
    if session.output.as_json:
        session.output.json({name: one.model_dump(mode="json") for name, one in found.items()})
        return
    session.output.table(
        ("PROVIDER", "STATE", "REASON"),
        [
            (name, (one.state, "green" if one.state == "ok" else "red"), one.reason or "")
            for name, one in found.items()
        ],
    )
