"""`vmpooler get`: takes VMs, tells what it waits for, and gives them back when it is stopped."""

import contextlib
import os
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from vmpooler_cli.declare import talks
from vmpooler_cli.parameters import DURATION, TAG, WANTED

if TYPE_CHECKING:
    from vmpooler_cli.output import Progress
    from vmpooler_cli.session import Session
    from vmpooler_client import AsyncCheckout, AsyncOnDemandCheckout, TakenVm

_AT_ONCE = 0.3
"""Seconds: what is there within them needs no words."""
_LOOK_EVERY = 5.0
"""Seconds between two looks at how far it is; a service may limit its clients to 100 questions a minute."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What the command was called with."""

    names: tuple[tuple[str, int], ...]
    wait: float | None
    ondemand: bool
    detach: bool
    ssh: bool
    lifetime: int | None
    tags: tuple[tuple[str, str], ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """Give how many VMs are wanted of each name."""
        return dict(sum((Counter({name: count}) for name, count in self.names), Counter[str]()))


@click.command(short_help="Take VMs.")
@click.argument("names", nargs=-1, required=True, type=WANTED, metavar="NAME[=N]...")
@click.option("--wait", type=DURATION, metavar="TIME", help="Wait so long until all are there: 90, 10m, 1h.")
@click.option("--ondemand", is_flag=True, help="Have them made where they aren't kept ready; waits.")
@click.option("--detach", is_flag=True, help="With --ondemand: print the request's id instead of waiting.")
@click.option("--ssh", is_flag=True, help="Connect to the first of them.")
@click.option("--lifetime", type=click.IntRange(min=1), metavar="HOURS", help="Hours until they end.")
@click.option("--tag", "tags", type=TAG, multiple=True, help="Note something on them; may be repeated.")
@talks
async def get(session: "Session", **arguments: Any) -> None:
    """Take VMs and print their host names, one a line.

    NAME is a pool or an alias, N how many of it. You get all of them or none. When it is interrupted, or
    anything goes wrong, it gives back what it took, or says which VMs are left.
    """
    chosen = _Chosen(**arguments)
    if chosen.detach:
        await _open(session, chosen)
        return
    checkout: AsyncCheckout[list[TakenVm]] | AsyncOnDemandCheckout
    if chosen.ondemand:
        checkout = session.client.checkout_on_demand(chosen.counts, timeout=chosen.wait)
        watched = _watched(session, chosen, request=checkout.order.key)
    else:
        checkout = session.client.checkout_many(chosen.counts, wait=chosen.wait or 0)
        watched = _watched(session, chosen, request=None)
    async with contextlib.AsyncExitStack() as stack:
        async with watched, _advised(session, chosen):
            vms = await stack.enter_async_context(checkout)
        if chosen.lifetime is not None or chosen.tags:
            for vm in vms:
                await session.client.vms.change(vm.hostname, lifetime=chosen.lifetime, tags=dict(chosen.tags))
        _print(session, vms)
        checkout.keep()
    if chosen.ssh:
        connect(session, vms[0].hostname)


async def _open(session: "Session", chosen: _Chosen) -> None:
    if not chosen.ondemand or chosen.lifetime or chosen.tags or chosen.ssh:
        raise click.UsageError("--detach goes with --ondemand, and without --lifetime, --tag and --ssh")
    import asyncio

    from vmpooler_client import AnswerLostError
    from vmpooler_client.orders import new_key

    request_id = new_key()
    try:
        await session.client.requests.open(chosen.counts, request_id=request_id)
    except (asyncio.CancelledError, AnswerLostError) as error:
        error.add_note(f"the request may be left: vmpooler requests {request_id} --delete")
        raise
    if session.output.as_json:
        session.output.json({"request_id": request_id})
    else:
        session.output.line(request_id)


def _print(session: "Session", vms: "list[TakenVm]") -> None:
    if session.output.as_json:
        session.output.json([{"hostname": vm.hostname, "name": vm.name} for vm in vms])
    else:
        session.output.lines(vm.hostname for vm in vms)


def connect(session: "Session", hostname: str, *arguments: str) -> None:
    """Become ssh, or say that there is none. The name can't be an option: it was checked to be a host's."""
    if shutil.which("ssh") is None:
        raise click.ClickException(f"there is no ssh on this machine to connect to {hostname} with")
    session.output.note(f"connecting; afterwards: vmpooler return {hostname.partition('.')[0]}")
    os.execvp("ssh", ["ssh", hostname, *arguments])  # noqa: S606, S607 - the user's own ssh, without a shell


@contextlib.asynccontextmanager
async def _advised(session: "Session", chosen: _Chosen) -> AsyncIterator[None]:
    """Say which options help where none were ready."""
    from vmpooler_client import NotReadyError

    try:
        yield
    except NotReadyError:
        if not chosen.wait:
            session.output.note("--wait TIME waits for them, --ondemand has them made")
        raise


@contextlib.asynccontextmanager
async def _watched(session: "Session", chosen: _Chosen, *, request: str | None) -> AsyncIterator[None]:
    """Tell what is waited for, while it is."""
    import asyncio

    with session.output.progress() as progress:
        watcher = asyncio.create_task(_watch(session, progress, chosen, request))
        try:
            yield
        finally:
            watcher.cancel()
            await asyncio.wait([watcher])


async def _watch(session: "Session", progress: "Progress", chosen: _Chosen, request: str | None) -> None:
    import asyncio

    from vmpooler_client import VmpoolerError
    from vmpooler_client.words import in_words

    began = time.monotonic()
    brief = f"waiting for {in_words(chosen.counts)}"
    await asyncio.sleep(_AT_ONCE)
    while True:
        try:
            if request is None:
                found = await _expected(session, chosen.counts)
            else:
                found = await _explained(session, request)
        except VmpoolerError as error:
            found = [str(error)]
        left = (
            "" if chosen.wait is None else f", {max(chosen.wait - (time.monotonic() - began), 0):.0f} s left"
        )
        progress.tell(f"{brief}{left}: {' '.join(found)}", brief=f"{brief}: {found[0]}")
        await asyncio.sleep(_LOOK_EVERY)


async def _explained(session: "Session", request: str) -> Sequence[str]:
    """Say what an on-demand request waits for."""
    from vmpooler_client import NotFoundError, NotSupportedError

    try:
        return (await session.client.requests.explain(request)).summary
    except NotFoundError:
        return ["It is being opened."]
    except NotSupportedError:
        counts = (await session.client.requests.show(request)).counts
        return [f"{name}: {count.ready} ready, {count.pending} missing." for name, count in counts.items()]


async def _expected(session: "Session", counts: Mapping[str, int]) -> Sequence[str]:
    """Say how many VMs there are, and when to expect more."""
    status = await session.client.pools.status(["pools", "boot"])
    texts = []
    for name in counts:
        pools = [pool for key, pool in status.pools.items() if key == name or name in pool.alias]
        ready = sum(pool.ready - (pool.held or 0) for pool in pools)
        texts.append(f"{name} has {ready} ready, {sum(pool.pending for pool in pools)} being made.")
        texts += [f"A pool of {name} is broken: {pool.broken}." for pool in pools if pool.broken]
    if status.boot and status.boot.count.total:
        texts.append(f"A VM takes {status.boot.duration.average:.0f} s today.")
    return texts
