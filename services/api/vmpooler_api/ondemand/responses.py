"""What the API tells of an on-demand request.

Clients take every member that they don't know for the name of a pool, so nothing may be added here but to
the list, which they have to ask for; there is more in the explanation.
"""

from collections import Counter, defaultdict
from typing import Any

from vmpooler_common.store.requests.requests import OnDemandRequest, RequestStatus

_ACCEPTED, _OK = 202, 200


def report_request(request: OnDemandRequest) -> tuple[int, dict[str, Any]]:
    """Give the HTTP status and the members of the answer."""
    is_ready = request.status is RequestStatus.READY
    head = {"ok": True, "request_id": request.id, "ready": is_ready}
    match request.status:
        case RequestStatus.OPEN:
            return _ACCEPTED, head | _counts(request)
        case RequestStatus.READY:
            return _OK, head | _hostnames(request)
        case RequestStatus.FAILED:
            return _OK, head | {"message": request.reason}
        case RequestStatus.DELETED:
            return _OK, head | {"message": "The request has been deleted"}


def list_request(request: OnDemandRequest) -> tuple[int, dict[str, Any]]:
    """Give the HTTP status and the members of the answer, the same ones for every request."""
    is_ready = request.status is RequestStatus.READY
    status, content = report_request(request)
    counts = _counts(request)
    listed = {
        "ok": True,
        "request_id": request.id,
        "ready": is_ready,
        "message": content.get("message") if request.status in _OVER else None,
        "vms": [
            {"name": item.name, "hostname": item.vm, "fqdn": item.fqdn, "pool": item.pool}
            for item in request.items
            if is_ready
        ],
        "counts": [
            {"name": name, "ready": int(count["ready"]), "pending": int(count["pending"])}
            for name, count in counts.items()
            if request.status not in _OVER
        ],
    }
    return status, {name: value for name, value in listed.items() if value is not None}


_OVER = (RequestStatus.FAILED, RequestStatus.DELETED)


def _counts(request: OnDemandRequest) -> dict[str, Any]:
    wanted = Counter(want.name for want in request.items)
    granted = Counter(want.name for want in request.items if want.vm)
    return {
        name: {"ready": str(granted[name]), "pending": str(count - granted[name])}
        for name, count in wanted.items()
    }


def _hostnames(request: OnDemandRequest) -> dict[str, Any]:
    hostnames: defaultdict[str, list[str]] = defaultdict(list)
    for want in request.items:
        hostnames[want.name].append(want.fqdn)
    return {name: {"hostname": of_name} for name, of_name in hostnames.items()}
