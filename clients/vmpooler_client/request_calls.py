"""Calls about on-demand requests, and what their answers say."""

from urllib.parse import quote

from vmpooler_client.calls import Answer, Call, parse
from vmpooler_client.models.requests import Request
from vmpooler_client.orders import read_taken

ACCEPTED = 202


def request_path(request_id: str, *more: str) -> str:
    """Give the path of a request, or of something below it."""
    return "/".join(["/api/v3/ondemandvm", *(quote(part, safe="") for part in (request_id, *more))])


def look_call(request_id: str, *, wait: float = 0) -> Call:
    """Ask how far a request is, when it is over or after so many seconds."""
    params = {"wait": f"{wait:.3f}"} if wait else {}
    return Call("GET", request_path(request_id), params=params, wait=wait)


def delete_call(request_id: str) -> Call:
    """Delete a request and give its VMs back."""
    return Call("DELETE", request_path(request_id))


def read_request(answer: Answer) -> Request:
    """Read how far a request is."""
    members = answer.members()
    known = {name: members.get(name) for name in ("request_id", "ready", "message")}
    is_over = answer.status != ACCEPTED
    counts = {} if is_over else {name: value for name, value in members.items() if isinstance(value, dict)}
    vms = read_taken(answer) if members.get("ready") is True else []
    return parse(Request, {**known, "is_over": is_over, "counts": counts, "vms": vms})
