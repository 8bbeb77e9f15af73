"""What a client sees of vmpooler 3.9: no keys, no waiting, no explanations, fewer members."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.client.gate import Asked, reply

OK, NOT_OK = {"ok": True}, {"ok": False}
TOKEN = "utpg2i2xswor6h8ttjhu3d47z53yy47y"


@dataclass(slots=True)
class OldService:
    """Its answers, as the reference has them. Sizes and numbers are of one pool."""

    ready: int = 3
    running: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: dict[str, list[str]] = field(default_factory=dict)
    has_users: bool = True
    looks_until_ready: int = 1
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def __call__(self, asked: Asked) -> bytes:
        """Answer a request."""
        path, _, _ = asked.path.partition("?")
        parts = [unquote(part) for part in path.removeprefix("/api/v3/").split("/")]
        routes: dict[str, Callable[[Asked, list[str]], bytes]] = {
            "vm": self._vm,
            "ondemandvm": self._ondemand,
            "token": self._token,
            "status": lambda *_: reply(200, self._status()),
            "config": lambda *_: self._config(parts),
            "poolreset": lambda *_: reply(405, NOT_OK),
        }
        route = routes.get(parts[0])
        return route(asked, parts[1:]) if route else reply(404, NOT_OK)

    def _vm(self, asked: Asked, rest: list[str]) -> bytes:
        match asked.method, rest:
            case "GET", []:
                return reply(200, ["debian-12-x86_64"])
            case "POST", []:
                return self._check_out(asked.json)
            case "GET", [name]:
                return (
                    reply(200, {**OK, _short(name): self.running[_short(name)]})
                    if self._has(name)
                    else _gone()
                )
            case "PUT", [name] if self._has(name):
                change = json.loads(asked.body)
                self.running[_short(name)] |= {
                    key: change[key] for key in ("lifetime", "tags") if key in change
                }
                return reply(200, OK)
            case "DELETE", [name] if self._has(name):
                del self.running[_short(name)]
                return reply(200, OK)
            case "POST", [name, "disk", size] if self._has(name):
                self.running[_short(name)]["disk"] = [f"+{size}gb"]
                return reply(202, {**OK, _short(name): {"disk": f"+{size}gb"}})
            case "POST", [name, "snapshot"] if self._has(name):
                self.running[_short(name)]["snapshots"] = ["4gb4kdtp7rwv4x158366vd9jhac8btq1"]
                return reply(202, {**OK, _short(name): {"snapshot": "4gb4kdtp7rwv4x158366vd9jhac8btq1"}})
            case "POST", [name, "snapshot", _] if self._has(name):
                return reply(202, OK)
        return _gone()

    def _check_out(self, wanted: dict[str, int]) -> bytes:
        if set(wanted) - {"debian-12-x86_64", "debian"}:
            return reply(404, NOT_OK)
        if sum(map(int, wanted.values())) > self.ready:
            return reply(503, NOT_OK)
        answer: dict[str, Any] = dict(OK)
        for name, count in wanted.items():
            names = [self._take() for _ in range(int(count))]
            answer[name] = {"hostname": names[0] if len(names) == 1 else names}
        return reply(200, answer)

    def _take(self) -> str:
        self.ready -= 1
        name = f"old-{next(self._numbers)}"
        self.running[name] = {
            "template": "debian-12-x86_64",
            "lifetime": 12,
            "running": 0.0,
            "remaining": 0.0,
            "start_time": "2026-04-28T19:17:47-07:00",
            "end_time": "2026-04-28T19:17:47-07:00",
            "state": "running",
            "ip": "",
            "fqdn": f"{name}.example.test",
        }
        return f"{name}.example.test"

    def _ondemand(self, asked: Asked, rest: list[str]) -> bytes:
        if asked.method == "POST" and not rest:
            wanted = asked.json
            request_id = wanted.pop("request_id")
            self.requests[request_id] = [name for name, count in wanted.items() for _ in range(count)]
            return reply(201, {**OK, "request_id": request_id})
        if len(rest) != 1 or rest[0] not in self.requests:
            message = {**NOT_OK, "message": f"no request found for request_id '{rest[0]}'"}
            return reply(404, message if len(rest) == 1 else NOT_OK)
        if asked.method == "DELETE":
            del self.requests[rest[0]]
            return reply(200, OK)
        self.looks_until_ready -= 1
        names = self.requests[rest[0]]
        head = {**OK, "request_id": rest[0]}
        if self.looks_until_ready >= 0:
            return reply(202, {**head, "ready": False, names[0]: {"ready": "0", "pending": str(len(names))}})
        hosts = [self._take() for _ in names]
        return reply(200, {**head, "ready": True, names[0]: {"hostname": hosts}})

    def _token(self, asked: Asked, rest: list[str]) -> bytes:
        if not self.has_users:
            return reply(404, NOT_OK)
        if rest and asked.method == "GET":
            facts = {"user": "alice", "created": "2015-04-28 19:17:47 -0700"}
            vms = {"vms": {"running": list(self.running)}} if self.running else {}
            return reply(200, {**OK, TOKEN: facts | vms}) if rest == [TOKEN] else reply(404, NOT_OK)
        if "authorization" not in asked.headers:
            return reply(401, NOT_OK, WWW_Authenticate='Basic realm="Authentication required"')
        if asked.method == "POST":
            return reply(200, {**OK, "token": TOKEN})
        entry = {"created": "2015-04-28 19:17:47 -0700", "last": "never"}
        return reply(200, {**OK, TOKEN: entry} if asked.method == "GET" else OK)

    def _config(self, parts: list[str]) -> bytes:
        if len(parts) > 2 and parts[1] == "clonetarget":
            return reply(404, NOT_OK)
        if len(parts) > 1:
            return reply(201, OK)
        pool = {
            "name": "debian-12-x86_64",
            "alias": "debian",
            "size": 3,
            "template": "templates/debian",
            "major": "x",
        }
        return reply(200, {"pool_configuration": [{**pool, "template_ready": True}], "status": OK})

    def _status(self) -> dict[str, Any]:
        none = {"duration": {"average": 0, "min": 0, "max": 0, "total": 0}, "count": {"total": 0}}
        pool = {"ready": self.ready, "running": len(self.running), "pending": 0, "max": 3, "lastBoot": ""}
        queue = dict.fromkeys(
            ("requested", "pending", "cloning", "booting", "ready", "running", "completed"), 0
        )
        return {
            "boot": none,
            "capacity": {"current": self.ready, "total": 3, "percent": 100.0},
            "clone": none,
            "pools": {"debian-12-x86_64": {**pool, "alias": ["debian"]}},
            "queue": {**queue, "total": 0},
            "status": {"ok": True, "message": "Battle station fully armed and operational."},
        }

    def _has(self, name: str) -> bool:
        return _short(name) in self.running


def _short(name: str) -> str:
    return name.partition(".")[0]


def _gone() -> bytes:
    return reply(404, NOT_OK)
