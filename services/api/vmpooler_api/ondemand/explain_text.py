"""An on-demand request's explanation, put together, with the sentences that people read."""

from collections.abc import Iterator, Mapping

from vmpooler_api.ondemand.explain import PoolLine, RequestExplanation, pool_lines, wanted_vms
from vmpooler_api.web.holders import Visitor, describe_holders
from vmpooler_common.config import Settings
from vmpooler_common.store.requests.positions import RequestPosition
from vmpooler_common.store.requests.requests import OnDemandRequest, RequestStatus


def explain(standing: RequestPosition, settings: Settings, visitor: Visitor) -> RequestExplanation:
    """Say what a request waits for and what holds it up."""
    request = standing.request
    is_open = request.status is RequestStatus.OPEN
    left = max(0.0, round((request.deadline - standing.now).total_seconds(), 1))
    pools = pool_lines(standing, settings, visitor)
    return RequestExplanation(
        request_id=request.id,
        status=request.status,
        summary=list(_open(request, pools, left) if is_open else _over(request)),
        created=request.created.isoformat(timespec="seconds"),
        deadline=request.deadline.isoformat(timespec="seconds"),
        seconds_left=left if is_open else None,
        accepted=request.accepted,
        reason=request.reason or None,
        last_error=request.error or None,
        pools=pools,
        vms=wanted_vms(standing),
    )


def _over(request: OnDemandRequest) -> Iterator[str]:
    match request.status:
        case RequestStatus.READY:
            yield f"All is there: {_vms(len(request.items))}."
        case RequestStatus.FAILED:
            yield f"The request failed: {request.reason}"
        case RequestStatus.DELETED:
            yield "The request has been deleted."
    if request.granted and request.status is not RequestStatus.READY:
        yield f"What it had been given is returned: {_vms(request.granted)}."


def _open(request: OnDemandRequest, pools: Mapping[str, PoolLine], left: float) -> Iterator[str]:
    yield f"Ready so far: {request.granted} of {_vms(len(request.items))}."
    if not request.accepted:
        yield "No manager has taken the request up yet."
    for name, line in pools.items():
        if line.ahead is not None:
            yield f"{name}: {_place(line)}."
        if line.owed:
            owed = f"{_vms(line.owed)}, counting ready ones"
            yield f"{name}: {owed}, owed to checkouts that wait and come before."
        if line.held_by:
            yield f"{name}: these checkouts are of {describe_holders(line.held_by)}."
        for limit in line.limits:
            yield f"{name}: {limit.text}."
    if request.error:
        yield f"A clone failed: {request.error}"
    yield f"The request fails in {left:g} s, at {request.deadline:%H:%M:%S} UTC, if VMs are missing then."


def _place(line: PoolLine) -> str:
    place = (
        f"{_vms(line.ahead)} {'goes' if line.ahead == 1 else 'go'} to others before"
        if line.ahead
        else "this request is the next"
    )
    making = line.making.reserved + line.making.cloning + line.making.booting
    return f"{_vms(line.waiting)} of this request waited for; {place}; {_vms(making)} being made"


def _vms(count: int) -> str:
    return "1 VM" if count == 1 else f"{count} VMs"
