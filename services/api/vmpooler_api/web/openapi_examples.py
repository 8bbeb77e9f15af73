"""Examples in the OpenAPI document: of answers by the name of their schema, of parameters by their name."""

from collections.abc import Mapping
from typing import Any

from vmpooler_api.web.error_handlers import AWAY

_POOL = "debian-12-x86_64"
_VM = "merry-otter"
_REQUEST = "1c7d4a6e-5b1f-4c55-9d6c-0f7a3b1f2a77"
_TOKEN = "q3v7m2xk9d0c8h5t1z6w4b7n2r9y5j0f"  # noqa: S105 - nobody's
_LISTED = {"name": "debian-12", "hostname": _VM, "fqdn": f"{_VM}.example.com", "pool": _POOL}
_SNAPSHOT = "k8s2n5v9w1c4x7b0m3z6q8r2t5y9d1f4"
_CREATED, _LAST = "2026-11-20 08:15:02 +0000", "2026-11-22 17:31:24 +0000"

_DURATIONS = {"average": 41.5, "min": 38.0, "max": 45.0, "total": 83.0}
_COUNT = {"total": 2, "pool": {_POOL: {"total": 2}}}
_TODAY = {"duration": _DURATIONS, "count": {"total": 2}}
_DAY = {"duration": {**_DURATIONS, "pool": {_POOL: _DURATIONS}}, "count": _COUNT}
_DAYS = {**_DAY, "count": {"average": 2.0, "min": 2, "max": 2, **_COUNT}}
_TAGS = {"project": {"installer": 2, "total": 2}}
_DATE = "2026-11-22"

SCHEMAS: Mapping[str, Any] = {
    "Refusal": {"ok": False},
    "RefusalWithReason": {"ok": False, "error": "Invalid hostname format"},
    "RefusalWithFailures": {"ok": False, "failure": ["Lifetime must be a positive integer (got 0)"]},
    "RefusalWithMessage": {"ok": False, "message": "a sentence that says what is wrong"},
    "Away": {"ok": False, "message": AWAY},
    "Told": {"ok": False, "message": f"no request found for request_id '{_REQUEST}'"},
    "Done": {"ok": True},
    "Fine": {"ok": True},
    "Deleted": {"ok": True},
    "Accepted": {"ok": True},
    "DiskAccepted": {"disk": "+8gb"},
    "SnapshotAccepted": {"snapshot": _SNAPSHOT},
    "NewToken": {"ok": True, "token": _TOKEN},
    "TokenFacts": {"created": _CREATED, "last": _LAST},
    "TokenReport": {"user": "alice", "created": _CREATED, "last": _LAST, "vms": {"running": [_VM]}},
    "GrantedHostname": {"hostname": f"{_VM}.example.com"},
    "CheckedOut": {"ok": True, _POOL: {"hostname": f"{_VM}.example.com"}},
    "ListedVm": _LISTED,
    "CheckedOutList": {"ok": True, "vms": [_LISTED]},
    "VmReport": {
        "template": _POOL,
        "lifetime": 12,
        "running": 1.5,
        "remaining": 10.5,
        "start_time": "2026-11-22T16:01:24+00:00",
        "end_time": "2026-11-23T04:01:24+00:00",
        "state": "running",
        "tags": {"project": "installer"},
        "ip": "192.0.2.17",
        "fqdn": f"{_VM}.example.com",
        "host": "host-1",
    },
    "StatusReport": {
        "boot": _TODAY,
        "capacity": {"current": 4, "total": 5, "percent": 80.0},
        "clone": _TODAY,
        "pools": {
            _POOL: {
                "ready": 4,
                "running": 1,
                "pending": 1,
                "max": 5,
                "lastBoot": _LAST,
                "alias": ["debian-12"],
            }
        },
        "queue": {
            "requested": 0,
            "pending": 1,
            "cloning": 1,
            "booting": 0,
            "ready": 4,
            "running": 1,
            "completed": 0,
            "total": 6,
        },
        "managers": [{"name": "manager-1", "heartbeat": "2026-11-22T17:31:24+00:00", "pools": 1}],
        "providers": {"vsphere-lab": {"state": "ok"}},
        "status": {"ok": True, "message": "Battle station fully armed and operational.", "uptime": 86411.5},
    },
    "PoolExplanation": {
        "ok": True,
        "pool": _POOL,
        "summary": [
            "Its clones fail since 2026-11-22T17:20:00Z, 3 times in a row: no room at datastore1. "
            "It is tried again at 2026-11-22T17:31:40Z.",
            "0 VMs of 5 ready, 0 being made, 4 running.",
        ],
        "can_hand_out": False,
        "provider": "vsphere-lab",
        "manager": "manager-1",
        "size": 5,
        "ready": 0,
        "pending": 0,
        "running": 4,
        "destroying": 0,
        "draining": 0,
        "suspects": 0,
        "backlog": 0,
        "waiting": 1,
        "held": 0,
        "paused": False,
        "problem": {
            "kind": "clones",
            "text": "no room at datastore1",
            "since": "2026-11-22T17:20:00+00:00",
            "next_try": "2026-11-22T17:31:40+00:00",
            "tries": 3,
        },
    },
    "PoolPaused": {
        "ok": True,
        "pool": _POOL,
        "reason": "its template is being rebuilt",
        "since": "2026-11-22T17:20:00+00:00",
    },
    "DeletionResumed": {"ok": True, "released": 18},
    "PoolstatReport": {"pools": {_POOL: {"max": 5, "alias": ["debian-12"], "ready": 4}}},
    "RunningReport": {"running": 17},
    "PoolCapacity": {"size": 5, "ready": 4},
    "PlatformUsage": {"running": 17},
    "Summary": {
        "daily": [{"date": _DATE, "boot": _DAY, "clone": _DAY, "tag": _TAGS}],
        "boot": _DAYS,
        "clone": _DAYS,
        "tag": _TAGS,
    },
    "BootSummary": {"boot": _DAYS, "daily": [{"date": _DATE, "boot": _DAY}]},
    "CloneSummary": {"clone": _DAYS, "daily": [{"date": _DATE, "clone": _DAY}]},
    "TagSummary": {"tag": _TAGS, "daily": [{"date": _DATE, "tag": _TAGS}]},
    "RequestExplanation": {
        "ok": True,
        "request_id": _REQUEST,
        "status": "open",
        "summary": [
            "Ready so far: 0 of 1 VMs.",
            f"{_POOL}: 1 VMs of this request waited for; this request is the next; 1 VMs being made.",
            "The request fails in 299.8 s, at 20:42:15 UTC, if VMs are missing then.",
        ],
        "created": "2026-11-22T20:37:15+00:00",
        "deadline": "2026-11-22T20:42:15+00:00",
        "seconds_left": 299.8,
        "accepted": True,
        "pools": {
            _POOL: {
                "waiting": 1,
                "ahead": 0,
                "owed": 0,
                "backlog": 1,
                "making": {"reserved": 0, "cloning": 1, "booting": 0},
                "ready": 0,
                "limits": [],
            }
        },
        "vms": [{"name": _POOL, "pool": _POOL, "state": "waiting", "ahead": 0, "failed_attempts": 0}],
    },
}
"""By the name of a schema; where a schema has an example of its own, that one stays."""

ANSWERS: Mapping[tuple[str, str], Any] = {
    ("get", "/api/v3/vm/{name}"): {"ok": True, _VM: SCHEMAS["VmReport"]},
    ("post", "/api/v3/vm/{name}/disk/{size}"): {"ok": True, _VM: SCHEMAS["DiskAccepted"]},
    ("post", "/api/v3/vm/{name}/snapshot"): {"ok": True, _VM: SCHEMAS["SnapshotAccepted"]},
    ("get", "/api/v3/token"): {"ok": True, f"{_TOKEN[:8]}…": SCHEMAS["TokenFacts"]},
    ("get", "/api/v3/token/{token}"): {"ok": True, _TOKEN: SCHEMAS["TokenReport"]},
    ("get", "/dashboard/stats/vmpooler/pool"): {_POOL: SCHEMAS["PoolCapacity"]},
    ("get", "/dashboard/stats/vmpooler/running"): {"debian": SCHEMAS["PlatformUsage"]},
}
"""By method and path, of successful answers whose members are names of VMs, tokens or pools."""

PARAMETERS: Mapping[str, str] = {
    "name": _VM,
    "request_id": _REQUEST,
    "token": _TOKEN,
    "snapshot": _SNAPSHOT,
    "wait": "30",
    "view": "capacity,queue",
    "pool": f"{_POOL},debian-12",
    "history": "1",
    "user": "alice",
    "format": "list",
}
"""By the name of a parameter; where a parameter has an example of its own, that one stays."""
