"""Each request is one round trip to Redis, however many VMs it is about."""

from typing import Any

import pytest

from tests.api.every_route import every_route, fits
from tests.api.in_process import Api
from tests.store.ondemand import OnDemand, of_a_user

GOOD = {"X-AUTH-TOKEN": "good"}
DEMAND = "/api/v3/ondemandvm"
ROOT = {"X-AUTH-TOKEN": "roots"}
RIGHT, WRONG = ("alice", "secret"), ("alice", "alice")


REQUESTS: list[tuple[str, str, dict[str, Any], int]] = [
    ("POST", "/api/v3/vm", {"json": {"pool1": 1}}, 1),
    ("POST", "/api/v3/vm", {"json": {"pool1": 2, "both": 3}, "headers": GOOD}, 1),
    ("POST", "/api/v3/vm/pool1", {}, 1),
    ("POST", "/api/v3/vm/pool3", {}, 1),
    ("POST", "/api/v3/vm/pool1", {"headers": {"Idempotency-Key": "new-with-16-bytes"}}, 1),
    ("POST", "/api/v3/vm/pool2", {"headers": {"Idempotency-Key": "known-with-16-bytes"}}, 1),
    ("POST", "/api/v3/vm/pool1", {"headers": {"Idempotency-Key": "known-with-16-bytes"}}, 1),
    ("POST", "/api/v3/vm/pool1", {"headers": {"Idempotency-Key": ""}}, 0),
    ("POST", "/api/v3/vm/pool1", {"headers": {"X-AUTH-TOKEN": "bad"}}, 1),
    ("DELETE", "/api/v3/vm/mine", {"headers": GOOD}, 1),
    ("DELETE", "/api/v3/vm/unknown", {}, 1),
    ("PUT", "/api/v3/vm/mine", {"json": {"lifetime": 3, "tags": {"a": "b"}}, "headers": GOOD}, 1),
    ("PUT", "/api/v3/vm/mine", {"json": {"disk": 8, "tags": {"a": "b"}}, "headers": GOOD}, 1),
    ("PUT", "/api/v3/vm/mine", {"json": {"tags": {"a": "b"}}}, 1),
    ("PUT", "/api/v3/vm/mine", {"content": "{bad"}, 1),
    ("PUT", "/api/v3/vm/mine", {"json": {"nope": 1}}, 1),
    ("PUT", "/api/v3/vm/mine", {}, 1),
    ("PUT", "/api/v3/vm/unknown", {"json": {"lifetime": 3}}, 1),
    ("PUT", "/api/v3/vm/no_name", {"json": {"lifetime": 3}}, 0),
    ("GET", "/api/v3/vm/mine", {}, 1),
    ("POST", "/api/v3/vm/mine/disk/8", {"headers": GOOD}, 1),
    ("POST", "/api/v3/vm/mine/disk/x", {"headers": GOOD}, 1),
    ("POST", "/api/v3/vm/mine/disk/8", {}, 0),
    ("POST", "/api/v3/vm/mine/snapshot", {"headers": GOOD}, 1),
    ("POST", "/api/v3/vm/mine/snapshot/s", {"headers": GOOD}, 1),
    ("POST", "/api/v3/vm/unknown/snapshot/s", {"headers": GOOD}, 1),
    ("GET", "/api/v3/status", {}, 1),
    ("GET", "/api/v3/poolstat?pool=both", {}, 1),
    ("GET", "/api/v3/totalrunning", {}, 1),
    ("GET", "/api/v3/summary", {}, 1),
    ("GET", "/api/v3/summary?from=1970-01-01", {}, 1),
    ("GET", "/api/v3/summary?from=2026-01-01&to=2026-01-14", {}, 1),
    ("GET", "/api/v3/summary/boot", {}, 2),
    ("GET", "/api/v3/summary/tag/project", {}, 2),
    ("GET", "/api/v3/summary/other", {}, 1),
    ("GET", "/api/v3/summary?from=x", {}, 0),
    ("GET", "/dashboard/stats/vmpooler/pool?history=1", {}, 1),
    ("GET", "/dashboard/stats/vmpooler/running?history=1", {}, 1),
    ("GET", "/dashboard/stats/vmpooler/status", {}, 1),
    ("GET", "/dashboard", {}, 0),
    ("GET", "/", {}, 0),
    ("GET", "/ready", {}, 1),
    ("POST", DEMAND, {"json": {"both": 5, "pool3": 2}, "headers": GOOD}, 1),
    ("POST", DEMAND, {"json": {"pool1": 1, "request_id": "known"}, "headers": GOOD}, 1),
    ("POST", DEMAND, {"json": {"pool1": 1}, "headers": {"X-AUTH-TOKEN": "bad"}}, 1),
    ("POST", DEMAND, {"content": "{bad", "headers": GOOD}, 1),
    ("POST", f"{DEMAND}/pool1+pool2", {"headers": GOOD}, 1),
    ("GET", f"{DEMAND}/known", {}, 1),
    ("GET", f"{DEMAND}/unknown?wait=30", {}, 1),
    ("GET", f"{DEMAND}/known/explain", {}, 1),
    ("DELETE", f"{DEMAND}/known", {"headers": GOOD}, 1),
    ("DELETE", f"{DEMAND}/known", {}, 1),
    ("DELETE", f"{DEMAND}/theirs", {"headers": GOOD}, 1),
    ("POST", DEMAND, {"json": {"pool1": 1}}, 0),
    ("GET", f"{DEMAND}/known?wait=x", {}, 0),
    ("POST", "/api/v3/vm/nope", {}, 0),
    ("POST", "/api/v3/vm", {"content": "{bad"}, 0),
    ("GET", "/api/v3/poolstat", {}, 0),
    ("GET", "/api/v3/vm", {}, 0),
    ("GET", "/healthcheck", {}, 0),
    ("POST", "/api/v3/token", {"auth": RIGHT}, 1),
    ("POST", "/api/v3/token", {"auth": WRONG}, 1),
    ("GET", "/api/v3/token", {"auth": RIGHT}, 1),
    ("GET", "/api/v3/token", {"auth": WRONG}, 1),
    ("GET", "/api/v3/token/good", {}, 1),
    ("GET", "/api/v3/token/bad", {}, 1),
    ("GET", "/api/v3/token/0123abcd", {"auth": RIGHT}, 1),
    ("GET", "/api/v3/token/0123abcd", {}, 1),
    ("DELETE", "/api/v3/token/good", {"auth": RIGHT}, 1),
    ("DELETE", "/api/v3/token/0123abcd", {"auth": RIGHT}, 1),
    ("DELETE", "/api/v3/token/bad", {"auth": RIGHT}, 1),
    ("DELETE", "/api/v3/token/good", {"auth": WRONG}, 1),
    ("DELETE", "/api/v3/token/good", {"auth": ("alice", "")}, 0),
    ("POST", "/api/v3/token", {}, 0),
    ("GET", "/api/v3/config", {}, 1),
    ("GET", "/api/v3/full_config", {"headers": ROOT}, 1),
    ("GET", "/api/v3/full_config", {"headers": GOOD}, 1),
    ("GET", "/api/v3/full_config", {}, 0),
    ("POST", "/api/v3/config/poolsize", {"json": {"pool1": 1, "pool2": 2}, "headers": ROOT}, 1),
    ("POST", "/api/v3/config/poolsize", {"json": {}, "headers": ROOT}, 1),
    ("POST", "/api/v3/config/poolsize", {"json": {"pool1": 1}, "headers": GOOD}, 1),
    ("POST", "/api/v3/config/poolsize", {"content": "{bad", "headers": ROOT}, 1),
    ("POST", "/api/v3/config/poolsize", {"content": "{bad"}, 0),
    ("POST", "/api/v3/config/pooltemplate", {"json": {"pool1": "a/b"}, "headers": ROOT}, 1),
    ("POST", "/api/v3/config/clonetarget", {"json": {"pool1": "ab"}, "headers": ROOT}, 1),
    ("DELETE", "/api/v3/config/poolsize/pool1", {"headers": ROOT}, 1),
    ("DELETE", "/api/v3/config/poolsize/nope", {"headers": ROOT}, 1),
    ("DELETE", "/api/v3/config/pooltemplate/pool1", {"headers": ROOT}, 1),
    ("DELETE", "/api/v3/config/clonetarget/pool1", {"headers": ROOT}, 1),
    ("POST", "/api/v3/poolreset", {"json": {"pool1": 1, "pool2": 1}, "headers": ROOT}, 1),
    ("POST", "/api/v3/poolreset", {"json": {"nope": 1}, "headers": ROOT}, 1),
    ("GET", "/api/v3/pool/pool1/explain", {}, 1),
    ("POST", "/api/v3/pool/pool1/pause", {"json": {"reason": "why"}, "headers": ROOT}, 1),
    ("POST", "/api/v3/pool/pool1/pause", {"json": {}, "headers": ROOT}, 1),
    ("POST", "/api/v3/pool/nope/pause", {"json": {"reason": "why"}}, 0),
    ("DELETE", "/api/v3/pool/pool1/pause", {"headers": ROOT}, 1),
    ("DELETE", "/api/v3/pool/pool1/pause", {"headers": GOOD}, 1),
    ("POST", "/api/v3/provider/dummy/resume-deletion", {"headers": ROOT}, 1),
    ("POST", "/api/v3/provider/nope/resume-deletion", {"headers": ROOT}, 1),
    ("GET", "/prometheus", {}, 0),
    ("GET", "/", {}, 0),
    ("GET", "/docs", {}, 0),
    ("GET", "/docs/oauth2-redirect", {}, 0),
    ("GET", "/openapi.json", {}, 0),
]


@pytest.mark.parametrize(("method", "path", "arguments", "trips"), REQUESTS)
async def test_a_request_is_one_round_trip_at_most(
    secured_api: Api, method: str, path: str, arguments: dict[str, Any], trips: int
) -> None:
    await secured_api.fleet.ready("pool1", "a1", "a2", "a3")
    await secured_api.fleet.ready("pool2", "b1", "b2")
    await secured_api.fleet.running("pool3", "mine", token="good")
    await OnDemand(secured_api.fleet).accepted("known", "pool1", "pool2", "pool2")
    await secured_api.fleet.token("roots", "root")
    await of_a_user(OnDemand(secured_api.fleet), "theirs", "bob", "pool1")
    await secured_api.client.post("/api/v3/vm/pool2", headers={"Idempotency-Key": "known-with-16-bytes"})
    before = secured_api.metric("redis_round_trips_total")
    await secured_api.client.request(method, path, **arguments)
    assert secured_api.metric("redis_round_trips_total") - before == trips


async def test_every_route_is_among_these_requests(secured_api: Api) -> None:
    missing = [
        (method, template)
        for method, template in every_route(secured_api.app)
        if not any(method == asked and fits(template, path) for asked, path, _, _ in REQUESTS)
    ]
    assert missing == []


async def test_a_token_with_a_thousand_vms_is_shown_in_one_round_trip(secured_api: Api) -> None:
    vms = [f"vm-{number}" for number in range(1000)]
    await secured_api.fleet.running("pool1", *vms, token="good")
    before = secured_api.metric("redis_round_trips_total")
    shown = (await secured_api.client.get("/api/v3/token/good")).json()["good"]
    assert secured_api.metric("redis_round_trips_total") - before == 1
    assert sorted(shown["vms"]["running"]) == sorted(vms)
