"""On-demand requests that nobody waits for: `vmpooler requests`."""

from typing import TYPE_CHECKING

import click

from vmpooler_cli.declare import talks

if TYPE_CHECKING:
    from vmpooler_cli.session import Session
    from vmpooler_client.models import Request


@click.command(short_help="Look at on-demand requests, or delete them.")
@click.argument("request_ids", nargs=-1, required=True, metavar="REQUEST...")
@click.option("--delete", is_flag=True, help="Delete them, and give their VMs back.")
@talks
async def requests(session: "Session", *, request_ids: tuple[str, ...], delete: bool) -> None:
    """Show how far on-demand requests are, such as those of `get --ondemand --detach`."""
    if delete:
        for request_id in request_ids:
            await session.client.requests.delete(request_id)
            session.output.note(f"deleted: {request_id}")
        return
    found = [await session.client.requests.show(request_id) for request_id in request_ids]
    if session.output.as_json:
        session.output.json([request.model_dump(mode="json") for request in found])
        return
    session.output.table(
        ("REQUEST", "STATE", ""),
        [(request.request_id, _state(request), _remark(request)) for request in found],
    )


def _state(request: "Request") -> tuple[str, str]:
    if request.ready:
        return "ready", "green"
    return ("over", "red") if request.is_over else ("open", "yellow")


def _remark(request: "Request") -> str:
    if request.ready:
        return " ".join(vm.hostname for vm in request.vms)
    if request.message:
        return request.message
    return ", ".join(
        f"{name}: {count.ready} ready, {count.pending} missing" for name, count in request.counts.items()
    )
