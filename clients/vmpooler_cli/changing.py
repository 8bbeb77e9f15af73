"""Commands that change VMs, and give them back."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from vmpooler_cli.asked import confirm
from vmpooler_cli.declare import talks
from vmpooler_cli.exits import Exit
from vmpooler_cli.parameters import TAG, hours

if TYPE_CHECKING:
    from vmpooler_cli.session import Session

_WAIT = click.option("--wait", is_flag=True, help="Wait until it is done.")


@click.command(short_help="Keep VMs longer.")
@click.argument("hostnames", nargs=-1, required=True, metavar="HOSTNAME...")
@click.argument("more", type=click.FloatRange(min=0, min_open=True), metavar="HOURS")
@talks
async def extend(session: "Session", *, hostnames: tuple[str, ...], more: float) -> None:
    """Have VMs for HOURS from now on, or a little longer: lifetimes are whole hours from the checkout."""
    done = {}
    for hostname in hostnames:
        vm = await session.client.vms.show(hostname)
        lifetime = math.ceil((vm.running or 0) + more)
        await session.client.vms.change(hostname, lifetime=lifetime)
        done[vm.hostname] = lifetime
        if not session.output.as_json:
            session.output.line(f"{vm.hostname} ends in {hours(lifetime - (vm.running or 0))}")
    if session.output.as_json:
        session.output.json({name: {"lifetime": lifetime} for name, lifetime in done.items()})


@click.command(short_help="Note something on a VM.")
@click.argument("hostname")
@click.argument("tags", nargs=-1, type=TAG, required=True, metavar="KEY=VALUE...")
@talks
async def tag(session: "Session", *, hostname: str, tags: tuple[tuple[str, str], ...]) -> None:
    """Note tags on a VM. One that it has gets the new value; none can be removed."""
    await session.client.vms.change(hostname, tags=dict(tags))
    vm = await session.client.vms.show(hostname)
    if session.output.as_json:
        session.output.json(dict(vm.tags))
    else:
        session.output.facts(dict(vm.tags))


@click.command(short_help="Add a disk to a VM.")
@click.argument("hostname")
@click.argument("gigabytes", type=click.IntRange(min=1), metavar="GB")
@_WAIT
@talks
async def disk(session: "Session", *, hostname: str, gigabytes: int, wait: bool) -> None:
    """Add an empty disk of so many GB. It takes a while: see `vmpooler show`, or --wait."""
    added = await session.client.vms.add_disk(hostname, gigabytes)
    await _finish(session, hostname, wait=wait)
    _tell(session, added, disk=added)


@click.command(short_help="Take a snapshot of a VM.")
@click.argument("hostname")
@_WAIT
@talks
async def snapshot(session: "Session", *, hostname: str, wait: bool) -> None:
    """Take a snapshot of disks and memory, and print its name. It takes a while: --wait waits for it."""
    taken = await session.client.vms.take_snapshot(hostname)
    await _finish(session, hostname, wait=wait)
    _tell(session, taken, snapshot=taken)


@click.command(short_help="Go back to a snapshot of a VM.")
@click.argument("hostname")
@click.argument("snapshot", required=False)
@_WAIT
@talks
async def revert(session: "Session", *, hostname: str, snapshot: str | None, wait: bool) -> None:
    """Go back to a snapshot, by itself the newest. Disks that were added since are gone."""
    if snapshot is None:
        snapshots = (await session.client.vms.show(hostname)).snapshots
        if not snapshots:
            raise click.ClickException(f"{hostname} has no snapshot (yet)")
        snapshot = snapshots[-1]
    await session.client.vms.revert(hostname, snapshot)
    await _finish(session, hostname, wait=wait)
    _tell(session, snapshot, reverted_to=snapshot)


async def _finish(session: "Session", hostname: str, *, wait: bool) -> None:
    """Wait for a VM's tasks; raise an error when the last one failed."""
    if not wait:
        return
    with session.output.progress() as progress:
        progress.tell(f"waiting for {hostname}")
        tasks = await session.client.vms.wait_for_tasks(hostname)
    if not tasks:
        session.output.note("this service can't tell when it is done: it is vmpooler 3.x")
    elif tasks[-1].state == "failed":
        raise click.ClickException(f"it failed: {tasks[-1].reason or 'the service gives no reason'}")


def _tell(session: "Session", text: str, **members: str) -> None:
    if session.output.as_json:
        session.output.json(members)
    else:
        session.output.line(text)


@click.command("return", short_help="Give VMs back.")
@click.argument("hostnames", nargs=-1, metavar="[HOSTNAME]...")
@click.option("--all", "all_of_mine", is_flag=True, help="All that were taken with your token.")
@click.option("--yes", is_flag=True, help="With --all: don't ask.")
@talks
async def give_back(session: "Session", *, hostnames: tuple[str, ...], all_of_mine: bool, yes: bool) -> int:
    """Give VMs back: they are destroyed. One failure doesn't keep it from the others."""
    if bool(hostnames) == all_of_mine:
        raise click.UsageError("name VMs, or use --all")
    if all_of_mine:
        hostnames = (await session.client.tokens.show(await session.token())).running
        if hostnames and not yes:
            confirm(f"Give back {', '.join(hostnames)}?")
    return await _release(session, hostnames)


async def _release(session: "Session", hostnames: Sequence[str]) -> int:
    from vmpooler_cli.session import exit_code
    from vmpooler_client import VmpoolerError

    returned: list[str] = []
    failed: dict[str, str] = {}
    code = 0
    for hostname in hostnames:
        try:
            await session.client.vms.release(hostname)
        except VmpoolerError as error:
            failed[hostname] = str(error)
            code = exit_code(error)
            if not session.output.as_json:
                session.output.error(str(error), code=code)
            continue
        returned.append(hostname)
        if not session.output.as_json:
            session.output.line(hostname)
    if session.output.as_json:
        session.output.json({"returned": returned, "failed": failed})
    return Exit.LEFT if failed and returned else code
