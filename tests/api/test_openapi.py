"""The OpenAPI document and its pages: offline, and true to what the routes answer."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.store.fleet import ALICE_HERE
from tests.store.ondemand import OnDemand
from tests.store.task_helpers import TaskHelpers, disk, revert, snapshot
from vmpooler_api.web.openapi_names import OPERATION_IDS
from vmpooler_common.store.vms.changes import MOST_TAGS, Access, VmChange

CHECKOUT, NAMED = "/api/v3/vm", "/api/v3/vm/{name}"
TOKENS, TOKEN = "/api/v3/token", "/api/v3/token/{token}"
USED_KEY, OVER_KEY = {"Idempotency-Key": "used-with-16-bytes"}, {"Idempotency-Key": "over-with-16-bytes"}
REFERENCE = Path(__file__).parents[2] / "docs" / "http-api-reference.md"
OTHER_HOST = re.compile(r"""(?:https?:)?//[^\s"'<>]+""")


async def test_the_page_needs_no_other_host(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    assert not OTHER_HOST.findall(page.text)
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(files) == 3
    for file in files:
        answer = await client.get(file)
        assert answer.status_code == 200
        assert len(answer.content) > 500


def is_legacy(path: str) -> bool:
    """Tell whether a path is one of the versions that repeat v3."""
    return path.startswith(("/api/v1/", "/api/v2/"))


async def test_every_route_is_in_the_reference(secured_api: Api) -> None:
    paths = (await secured_api.client.get("/openapi.json")).json()["paths"]
    begins = {path.partition("/{")[0] for path in paths if not is_legacy(path)}
    assert [begin for begin in sorted(begins) if f"`{begin}" not in REFERENCE.read_text()] == []


async def test_every_route_is_described(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {path: sorted(methods) for path, methods in paths.items() if not is_legacy(path)} == {
        "/api/v3/vm": ["get", "post"],
        "/api/v3/vm/{name}": ["delete", "get", "post", "put"],
        "/api/v3/vm/{name}/disk/{size}": ["post"],
        "/api/v3/vm/{name}/snapshot": ["post"],
        "/api/v3/vm/{name}/snapshot/{snapshot}": ["post"],
        "/api/v3/ondemandvm": ["post"],
        "/api/v3/ondemandvm/{request_id}": ["delete", "get", "post"],
        "/api/v3/ondemandvm/{request_id}/explain": ["get"],
        "/api/v3/status": ["get"],
        "/api/v3/poolstat": ["get"],
        "/api/v3/totalrunning": ["get"],
        "/api/v3/summary": ["get"],
        "/api/v3/summary/{statistic}": ["get"],
        "/api/v3/summary/{statistic}/{key}": ["get"],
        "/dashboard/stats/vmpooler/pool": ["get"],
        "/dashboard/stats/vmpooler/running": ["get"],
        "/dashboard/stats/vmpooler/status": ["get"],
        "/api/v3/config": ["get"],
        "/api/v3/full_config": ["get"],
        "/api/v3/config/poolsize": ["post"],
        "/api/v3/config/poolsize/{pool}": ["delete"],
        "/api/v3/config/pooltemplate": ["post"],
        "/api/v3/config/pooltemplate/{pool}": ["delete"],
        "/api/v3/config/clonetarget": ["post"],
        "/api/v3/config/clonetarget/{pool}": ["delete"],
        "/api/v3/poolreset": ["post"],
        "/api/v3/pool/{pool}/explain": ["get"],
        "/api/v3/pool/{pool}/pause": ["delete", "post"],
        "/api/v3/provider/{provider}/resume-deletion": ["post"],
        "/healthcheck": ["get"],
        "/ready": ["get"],
    }


async def test_the_token_routes_are_described_where_they_exist(secured_api: Api) -> None:
    document = (await secured_api.client.get("/openapi.json")).json()
    described = {path: by_method for path, by_method in document["paths"].items() if "/v3/token" in path}
    assert {path: sorted(methods) for path, methods in described.items()} == {
        TOKENS: ["get", "post"],
        TOKEN: ["delete", "get"],
    }
    needing_login = [described[TOKENS]["get"], described[TOKENS]["post"], described[TOKEN]["delete"]]
    assert [operation["security"] for operation in needing_login] == [[{"user": []}]] * 3
    assert described[TOKEN]["get"]["security"] == [{}, {"user": []}]


async def test_a_token_may_but_need_not_be_given(secured_api: Api) -> None:
    document = (await secured_api.client.get("/openapi.json")).json()
    assert document["components"]["securitySchemes"]["token"]["name"] == "X-AUTH-TOKEN"
    for path, method in ((CHECKOUT, "post"), (NAMED, "post"), (NAMED, "put"), (NAMED, "delete")):
        assert document["paths"][path][method]["security"] == [{}, {"token": []}]


ASKING = [("/api/v3/ondemandvm", "post"), ("/api/v3/ondemandvm/{request_id}", "delete")]


async def test_a_token_is_needed_where_tokens_are_checked(api: Api, secured_api: Api) -> None:
    for asked, ways in ((secured_api, 1), (api, 2)):
        paths = (await asked.client.get("/openapi.json")).json()["paths"]
        expected: list[dict[str, list[str]]] = [{}, {"token": []}]
        assert [paths[path][method]["security"] for path, method in ASKING] == [expected[-ways:]] * 2


async def test_a_token_is_described_by_a_scheme_and_not_by_a_parameter(secured_api: Api) -> None:
    paths = (await secured_api.client.get("/openapi.json")).json()["paths"]
    assert '"name": "X-AUTH-TOKEN"' not in json.dumps(paths)


async def test_no_answer_is_described_that_is_never_given(client: httpx.AsyncClient) -> None:
    assert "ValidationError" not in (await client.get("/openapi.json")).text


def schemas_of(value: Any) -> Iterator[dict[str, Any]]:
    """Give everything below that may be a schema; examples are none."""
    if isinstance(value, list):
        for item in value:
            yield from schemas_of(item)
    if isinstance(value, dict):
        yield value
        for name, item in value.items():
            if name not in ("example", "examples"):
                yield from schemas_of(item)


async def test_schemas_have_forms_that_generators_understand(with_api: WithApi) -> None:
    config = {"rate_limiting_enabled": True, "experimental_features": True}
    async with with_api(auth="dummy", config=config) as api:
        document = (await api.client.get("/openapi.json")).json()
    found = [schema for schema in schemas_of(document) if "$ref" not in schema]
    assert not [schema for schema in found if isinstance(schema.get("const"), bool)]
    assert not [schema for schema in found if isinstance(schema.get("default"), dict | list)]
    titles = [schema["title"] for schema in found if isinstance(schema.get("title"), str)]
    assert sorted(titles) == sorted([*document["components"]["schemas"], "vmpooler"])
    bodies = [
        operation["requestBody"] for by_method in document["paths"].values()
        for operation in by_method.values() if "requestBody" in operation
    ]  # fmt: skip
    assert not [schema for body in bodies for schema in schemas_of(body) if "oneOf" in schema]


async def test_every_operation_has_a_name_of_its_own(secured_api: Api) -> None:
    paths = (await secured_api.client.get("/openapi.json")).json()["paths"]
    names = {
        (method, path): operation["operationId"]
        for path, by_method in paths.items()
        for method, operation in by_method.items()
    }
    assert len(set(names.values())) == len(names)
    assert names["post", "/api/v3/vm"] == "checkOutVms"
    assert names["post", "/api/v1/vm"] == "checkOutVmsV1"
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]*)*(V[12])?", name) for name in names.values())
    current = {key: name for key, name in names.items() if not is_legacy(key[1])}
    assert current == OPERATION_IDS


async def prepare(api: Api) -> None:
    """Have one VM of each kind that the requests below are about."""
    await api.fleet.token("good", "alice")
    await api.fleet.token("bobs", "bob")
    await api.fleet.token("roots", "root")
    for token in ("another", "new-12345678", "alike-12a", "alike-12b"):
        await api.fleet.store.tokens.issue(token, "alice", attempt=ALICE_HERE, ttl=None)
    await api.fleet.failed_login("carol")
    await api.fleet.ready("pool1", "one", "two", "three", "four")
    await api.fleet.running("pool2", "anonymous")
    await api.fleet.running("pool2", "owned", token="good")
    await api.fleet.ready("pool2", "first", "second")
    await api.client.post(NAMED.format(name="pool2"), headers=USED_KEY)
    given = (await api.client.post(NAMED.format(name="pool2"), headers=OVER_KEY)).json()
    await api.client.delete(NAMED.format(name=given["pool2"]["hostname"]))
    await api.fleet.running("pool2", "tagged")
    await api.fleet.store.changes.modify(
        "tagged", VmChange(tags=TAGS), operation="tag", access=Access.ANYBODY
    )
    await api.fleet.running("pool2", "worked-on")
    await TaskHelpers(api.fleet).done("worked-on", snapshot("s"), disk("d"), revert("r", "s"))
    await api.fleet.running("pool2", "busy")
    await TaskHelpers(api.fleet).asked("busy", *(disk(f"d{number}") for number in range(10)))
    demand = OnDemand(api.fleet)
    await demand.accepted("met", "pool3")
    await demand.booted("pool3", "five")
    await demand.accepted("partly", "pool3", "pool3")
    await demand.booted("pool3", "six")
    await demand.failed("pool3", "seven", "no disk", most=3)
    await demand.accepted("over", "pool2")
    await demand.failed("pool2", "eight", "no disk", most=1)
    await demand.accepted("alices", "pool2", token="good")


ALICE, BOB, CAROL, WRONG = (("alice", "x"), ("bob", "x"), ("carol", "x"), ("alice", "alice"))
DISK, SNAPSHOTS = "/api/v3/vm/{name}/disk/{size}", "/api/v3/vm/{name}/snapshot"
SNAPSHOT = "/api/v3/vm/{name}/snapshot/{snapshot}"
BOBS_TOKEN = {"X-AUTH-TOKEN": "bobs"}
BAD_TOKEN = {"X-AUTH-TOKEN": "bad"}
GOOD_TOKEN = {"X-AUTH-TOKEN": "good"}
TAGS = {"project": "installer", "url": "https://ci.example.test/A=1,B=2/"}
MANY_TAGS = {f"tag-{number}": "x" for number in range(MOST_TAGS + 1)}
ROOT = {"X-AUTH-TOKEN": "roots"}
SIZE, TEMPLATE = "/api/v3/config/poolsize", "/api/v3/config/pooltemplate"
TARGET, RESET = "/api/v3/config/clonetarget", "/api/v3/poolreset"
ONE_SIZE, ONE_TEMPLATE, ONE_TARGET = (f"{path}/{{pool}}" for path in (SIZE, TEMPLATE, TARGET))
DEMAND, REQUEST = "/api/v3/ondemandvm", "/api/v3/ondemandvm/{request_id}"
EXPLAIN = f"{REQUEST}/explain"
SUMMARY = "/api/v3/summary"
ONE_SUMMARY, PART_OF_SUMMARY = f"{SUMMARY}/{{statistic}}", f"{SUMMARY}/{{statistic}}/{{key}}"
REQUESTS: list[tuple[str, str, str, dict[str, Any], int]] = [
    ("post", CHECKOUT, "/api/v3/vm", {"json": {"pool1": 1}}, 200),
    ("post", CHECKOUT, "/api/v3/vm", {"json": {"pool1": 2, "poolone": 1}}, 200),
    ("post", CHECKOUT, "/api/v3/vm", {"content": "{bad"}, 400),
    ("post", CHECKOUT, "/api/v3/vm", {"json": {"pool1": 1}, "headers": BAD_TOKEN}, 401),
    ("post", CHECKOUT, "/api/v3/vm", {"json": {"nope": 1}}, 404),
    ("post", CHECKOUT, "/api/v3/vm", {"json": {"pool3": 1}}, 503),
    ("post", CHECKOUT, "/api/v3/vm", {"json": {"pool1": 1}, "headers": {"Idempotency-Key": ""}}, 400),
    ("post", CHECKOUT, "/api/v3/vm", {"json": {"pool1": 1}, "headers": USED_KEY}, 422),
    ("post", CHECKOUT, "/api/v3/vm", {"json": {"pool2": 1}, "headers": OVER_KEY}, 409),
    ("post", CHECKOUT, "/api/v3/vm?format=list", {"json": {"pool1": 1}}, 200),
    ("post", NAMED, "/api/v3/vm/pool1+pool1", {}, 200),
    ("post", NAMED, "/api/v3/vm/" + "pool1+" * 201, {}, 400),
    ("post", NAMED, "/api/v3/vm/pool1", {"headers": BAD_TOKEN}, 401),
    ("post", NAMED, "/api/v3/vm/pool1", {"headers": USED_KEY}, 422),
    ("post", NAMED, "/api/v3/vm/pool2", {"headers": OVER_KEY}, 409),
    ("post", NAMED, "/api/v3/vm/nope", {}, 404),
    ("post", NAMED, "/api/v3/vm/pool3", {}, 503),
    ("delete", NAMED, "/api/v3/vm/anonymous", {}, 200),
    ("delete", NAMED, "/api/v3/vm/no_name", {}, 400),
    ("delete", NAMED, "/api/v3/vm/owned", {}, 401),
    ("delete", NAMED, "/api/v3/vm/unknown", {}, 404),
    ("put", NAMED, "/api/v3/vm/anonymous", {}, 200),
    ("put", NAMED, "/api/v3/vm/owned", {"json": {"lifetime": 8, "tags": TAGS}, "headers": GOOD_TOKEN}, 200),
    ("put", NAMED, "/api/v3/vm/owned", {"json": {"disk": 8}, "headers": GOOD_TOKEN}, 200),
    ("put", NAMED, "/api/v3/vm/busy", {"json": {"disk": 8}, "headers": GOOD_TOKEN}, 409),
    ("put", NAMED, "/api/v3/vm/no_name", {}, 400),
    ("put", NAMED, "/api/v3/vm/anonymous", {"content": "{bad"}, 400),
    ("put", NAMED, "/api/v3/vm/anonymous", {"json": {"nope": 1, "tags": 1}}, 400),
    ("put", NAMED, "/api/v3/vm/anonymous", {"json": {"tags": MANY_TAGS}}, 400),
    ("put", NAMED, "/api/v3/vm/owned", {"json": {"tags": TAGS}}, 401),
    ("put", NAMED, "/api/v3/vm/owned", {"json": {"tags": TAGS}, "headers": {"X-AUTH-TOKEN": "bobs"}}, 403),
    ("put", NAMED, "/api/v3/vm/unknown", {}, 404),
    ("get", NAMED, "/api/v3/vm/tagged", {}, 200),
    ("get", NAMED, "/api/v3/vm/one", {}, 200),
    ("get", NAMED, "/api/v3/vm/owned", {}, 200),
    ("get", NAMED, "/api/v3/vm/no_name", {}, 400),
    ("get", NAMED, "/api/v3/vm/unknown", {}, 404),
    ("get", NAMED, "/api/v3/vm/worked-on", {}, 200),
    ("post", DISK, "/api/v3/vm/anonymous/disk/8", {"headers": GOOD_TOKEN}, 202),
    ("post", DISK, "/api/v3/vm/anonymous/disk/x", {"headers": GOOD_TOKEN}, 400),
    ("post", DISK, "/api/v3/vm/anonymous/disk/8", {}, 401),
    ("post", DISK, "/api/v3/vm/owned/disk/8", {"headers": BOBS_TOKEN}, 403),
    ("post", DISK, "/api/v3/vm/one/disk/8", {"headers": GOOD_TOKEN}, 404),
    ("post", DISK, "/api/v3/vm/busy/disk/8", {"headers": GOOD_TOKEN}, 409),
    ("post", SNAPSHOTS, "/api/v3/vm/anonymous/snapshot", {"headers": GOOD_TOKEN}, 202),
    ("post", SNAPSHOTS, "/api/v3/vm/no_name/snapshot", {"headers": GOOD_TOKEN}, 400),
    ("post", SNAPSHOTS, "/api/v3/vm/anonymous/snapshot", {}, 401),
    ("post", SNAPSHOTS, "/api/v3/vm/owned/snapshot", {"headers": BOBS_TOKEN}, 403),
    ("post", SNAPSHOTS, "/api/v3/vm/unknown/snapshot", {"headers": GOOD_TOKEN}, 404),
    ("post", SNAPSHOTS, "/api/v3/vm/busy/snapshot", {"headers": GOOD_TOKEN}, 409),
    ("post", SNAPSHOT, "/api/v3/vm/worked-on/snapshot/s", {"headers": GOOD_TOKEN}, 202),
    ("post", SNAPSHOT, "/api/v3/vm/no_name/snapshot/s", {"headers": GOOD_TOKEN}, 400),
    ("post", SNAPSHOT, "/api/v3/vm/worked-on/snapshot/s", {}, 401),
    ("post", SNAPSHOT, "/api/v3/vm/owned/snapshot/s", {"headers": BOBS_TOKEN}, 403),
    ("post", SNAPSHOT, "/api/v3/vm/worked-on/snapshot/x", {"headers": GOOD_TOKEN}, 404),
    ("get", CHECKOUT, "/api/v3/vm", {}, 200),
    ("post", DEMAND, DEMAND, {"json": {"pool1": 1}, "headers": GOOD_TOKEN}, 201),
    ("post", DEMAND, DEMAND, {"content": "{bad", "headers": GOOD_TOKEN}, 400),
    ("post", DEMAND, DEMAND, {"json": {"pool1": 1}}, 401),
    ("post", DEMAND, DEMAND, {"json": {"pool1": 11}, "headers": GOOD_TOKEN}, 403),
    ("post", DEMAND, DEMAND, {"json": {"nope": 1}, "headers": GOOD_TOKEN}, 404),
    ("post", DEMAND, DEMAND, {"content": "null", "headers": GOOD_TOKEN}, 404),
    ("post", DEMAND, DEMAND, {"json": {"pool1": 1, "request_id": "met"}, "headers": GOOD_TOKEN}, 409),
    ("post", REQUEST, f"{DEMAND}/pool1+both", {"headers": GOOD_TOKEN}, 201),
    ("post", REQUEST, f"{DEMAND}/pool1", {"headers": BAD_TOKEN}, 401),
    ("post", REQUEST, f"{DEMAND}/" + "pool1+" * 11, {"headers": GOOD_TOKEN}, 403),
    ("post", REQUEST, f"{DEMAND}/nope", {"headers": GOOD_TOKEN}, 404),
    ("get", REQUEST, f"{DEMAND}/met", {}, 200),
    ("get", REQUEST, f"{DEMAND}/over", {}, 200),
    ("get", REQUEST, f"{DEMAND}/partly", {}, 202),
    ("get", REQUEST, f"{DEMAND}/met?format=list", {}, 200),
    ("get", REQUEST, f"{DEMAND}/partly?format=list", {}, 202),
    ("get", REQUEST, f"{DEMAND}/met?wait=x", {}, 400),
    ("get", REQUEST, f"{DEMAND}/unknown", {}, 404),
    ("get", EXPLAIN, f"{DEMAND}/met/explain", {}, 200),
    ("get", EXPLAIN, f"{DEMAND}/partly/explain", {}, 200),
    ("get", EXPLAIN, f"{DEMAND}/over/explain", {}, 200),
    ("get", EXPLAIN, f"{DEMAND}/unknown/explain", {}, 404),
    ("delete", REQUEST, f"{DEMAND}/partly", {"headers": GOOD_TOKEN}, 200),
    ("delete", REQUEST, f"{DEMAND}/partly", {}, 401),
    ("delete", REQUEST, f"{DEMAND}/alices", {"headers": {"X-AUTH-TOKEN": "bobs"}}, 403),
    ("delete", REQUEST, f"{DEMAND}/unknown", {"headers": GOOD_TOKEN}, 404),
    ("get", "/api/v3/status", "/api/v3/status", {}, 200),
    ("get", "/api/v3/status", "/api/v3/status?view=", {}, 200),
    ("get", "/api/v3/poolstat", "/api/v3/poolstat?pool=both", {}, 200),
    ("get", "/api/v3/totalrunning", "/api/v3/totalrunning", {}, 200),
    ("get", SUMMARY, "/api/v3/summary?to=9999-01-01", {}, 400),
    ("get", SUMMARY, "/api/v3/summary", {}, 200),
    ("get", SUMMARY, "/api/v3/summary?from=x", {}, 400),
    ("get", ONE_SUMMARY, "/api/v3/summary/boot", {}, 200),
    ("get", ONE_SUMMARY, "/api/v3/summary/tag", {}, 200),
    ("get", ONE_SUMMARY, "/api/v3/summary/other", {}, 404),
    ("get", ONE_SUMMARY, "/api/v3/summary/other?from=x", {}, 400),
    ("get", PART_OF_SUMMARY, "/api/v3/summary/clone/count", {}, 200),
    ("get", PART_OF_SUMMARY, "/api/v3/summary/clone/nothing", {}, 200),
    ("get", PART_OF_SUMMARY, "/api/v3/summary/other/count", {}, 404),
    ("get", "/dashboard/stats/vmpooler/pool", "/dashboard/stats/vmpooler/pool?history=1", {}, 200),
    ("get", "/dashboard/stats/vmpooler/running", "/dashboard/stats/vmpooler/running", {}, 200),
    ("get", "/dashboard/stats/vmpooler/status", "/dashboard/stats/vmpooler/status", {}, 200),
    ("get", "/healthcheck", "/healthcheck", {}, 200),
    ("get", "/ready", "/ready", {}, 200),
    ("delete", NAMED, "/api/v3/vm/owned", {"headers": {"X-AUTH-TOKEN": "bobs"}}, 403),
    ("get", "/api/v3/config", "/api/v3/config", {}, 200),
    ("get", "/api/v3/full_config", "/api/v3/full_config", {"headers": ROOT}, 200),
    ("get", "/api/v3/full_config", "/api/v3/full_config", {}, 401),
    ("get", "/api/v3/full_config", "/api/v3/full_config", {"headers": GOOD_TOKEN}, 403),
    ("post", SIZE, SIZE, {"json": {}, "headers": ROOT}, 200),
    ("post", SIZE, SIZE, {"json": {"pool1": 1}, "headers": ROOT}, 201),
    ("post", SIZE, SIZE, {"json": {"pool1": -1}, "headers": ROOT}, 400),
    ("post", SIZE, SIZE, {"content": "{bad", "headers": ROOT}, 400),
    ("post", SIZE, SIZE, {"json": {}, "headers": BAD_TOKEN}, 401),
    ("post", SIZE, SIZE, {"json": {}, "headers": GOOD_TOKEN}, 403),
    ("post", SIZE, SIZE, {"content": "null", "headers": ROOT}, 404),
    ("delete", ONE_SIZE, f"{SIZE}/pool1", {"headers": ROOT}, 200),
    ("delete", ONE_SIZE, f"{SIZE}/pool1", {}, 401),
    ("delete", ONE_SIZE, f"{SIZE}/pool1", {"headers": GOOD_TOKEN}, 403),
    ("delete", ONE_SIZE, f"{SIZE}/nope", {"headers": ROOT}, 404),
    ("post", TEMPLATE, TEMPLATE, {"json": {}, "headers": ROOT}, 200),
    ("post", TEMPLATE, TEMPLATE, {"json": {"pool1": "a/b"}, "headers": ROOT}, 201),
    ("post", TEMPLATE, TEMPLATE, {"json": {"pool1": "a"}, "headers": ROOT}, 400),
    ("post", TEMPLATE, TEMPLATE, {"content": "{bad", "headers": ROOT}, 400),
    ("post", TEMPLATE, TEMPLATE, {"json": {}, "headers": BAD_TOKEN}, 401),
    ("post", TEMPLATE, TEMPLATE, {"json": {}, "headers": GOOD_TOKEN}, 403),
    ("post", TEMPLATE, TEMPLATE, {"content": "null", "headers": ROOT}, 404),
    ("delete", ONE_TEMPLATE, f"{TEMPLATE}/pool1", {"headers": ROOT}, 200),
    ("delete", ONE_TEMPLATE, f"{TEMPLATE}/pool1", {}, 401),
    ("delete", ONE_TEMPLATE, f"{TEMPLATE}/pool1", {"headers": GOOD_TOKEN}, 403),
    ("delete", ONE_TEMPLATE, f"{TEMPLATE}/nope", {"headers": ROOT}, 404),
    ("post", TARGET, TARGET, {"json": {}, "headers": ROOT}, 200),
    ("post", TARGET, TARGET, {"json": {"pool1": "a"}, "headers": ROOT}, 201),
    ("post", TARGET, TARGET, {"json": {"pool1": None}, "headers": ROOT}, 400),
    ("post", TARGET, TARGET, {"content": "{bad", "headers": ROOT}, 400),
    ("post", TARGET, TARGET, {"json": {}, "headers": BAD_TOKEN}, 401),
    ("post", TARGET, TARGET, {"json": {}, "headers": GOOD_TOKEN}, 403),
    ("post", TARGET, TARGET, {"content": "null", "headers": ROOT}, 404),
    ("delete", ONE_TARGET, f"{TARGET}/pool1", {"headers": ROOT}, 200),
    ("delete", ONE_TARGET, f"{TARGET}/pool1", {}, 401),
    ("delete", ONE_TARGET, f"{TARGET}/pool1", {"headers": GOOD_TOKEN}, 403),
    ("delete", ONE_TARGET, f"{TARGET}/nope", {"headers": ROOT}, 404),
    ("post", RESET, RESET, {"json": {"pool1": 1}, "headers": ROOT}, 201),
    ("post", RESET, RESET, {"json": {"nope": 1}, "headers": ROOT}, 400),
    ("post", RESET, RESET, {"content": "", "headers": ROOT}, 400),
    ("post", RESET, RESET, {"json": {"pool1": 1}}, 401),
    ("post", RESET, RESET, {"json": {"pool1": 1}, "headers": GOOD_TOKEN}, 403),
    ("post", RESET, RESET, {"content": "false", "headers": ROOT}, 404),
    ("get", TOKENS, "/api/v3/token", {"auth": ALICE}, 200),
    ("get", TOKENS, "/api/v3/token", {}, 401),
    ("get", TOKENS, "/api/v3/token", {"auth": BOB}, 404),
    ("get", TOKENS, "/api/v3/token", {"auth": CAROL}, 429),
    ("get", TOKENS, "/api/v3/token?user=alice", {"auth": BOB}, 403),
    ("post", TOKENS, "/api/v3/token", {"auth": ALICE}, 200),
    ("post", TOKENS, "/api/v3/token", {"auth": WRONG}, 401),
    ("post", TOKENS, "/api/v3/token", {"auth": CAROL}, 429),
    ("get", TOKEN, "/api/v3/token/good", {}, 200),
    ("get", TOKEN, "/api/v3/token/unknown", {}, 404),
    ("get", TOKEN, "/api/v3/token/new-1234", {"auth": ALICE}, 200),
    ("get", TOKEN, "/api/v3/token/new-1234", {}, 401),
    ("get", TOKEN, "/api/v3/token/new-1234?user=alice", {"auth": BOB}, 403),
    ("get", TOKEN, "/api/v3/token/alike-12", {"auth": ALICE}, 409),
    ("get", TOKEN, "/api/v3/token/new-1234", {"auth": CAROL}, 429),
    ("delete", TOKEN, "/api/v3/token/good", {"auth": ALICE}, 200),
    ("delete", TOKEN, "/api/v3/token/alike-12", {"auth": ALICE}, 409),
    ("delete", TOKEN, "/api/v3/token/good", {"auth": WRONG}, 401),
    ("delete", TOKEN, "/api/v3/token/good", {"auth": BOB}, 403),
    ("delete", TOKEN, "/api/v3/token/unknown", {"auth": BOB}, 404),
    ("delete", TOKEN, "/api/v3/token/good", {"auth": CAROL}, 429),
]


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    """Hold the document of `secured_api` once a test asked for it: writing it takes longer than a test."""
    return {}


@pytest.mark.parametrize(("method", "template", "path", "arguments", "status"), REQUESTS)
async def test_answers_are_as_described(
    secured_api: Api,
    written: dict[str, Any],
    method: str,
    template: str,
    path: str,
    arguments: dict[str, Any],
    status: int,
) -> None:
    await prepare(secured_api)
    if not written:
        written |= (await secured_api.client.get("/openapi.json")).json()
    document = written
    answer = await secured_api.client.request(method, path, **arguments)
    assert answer.status_code == status
    described = document["paths"][template][method]["responses"][str(status)]
    schema = described["content"]["application/json"]["schema"] | {"components": document["components"]}
    Draft202012Validator(schema).validate(answer.json())
    required = {"401": ["WWW-Authenticate"], "429": ["Retry-After"]}.get(str(status), [])
    assert all(name in answer.headers and name in described["headers"] for name in required)


async def test_the_document_is_the_same_compressed_and_plain_and_no_work(client: httpx.AsyncClient) -> None:
    packed, again = [await client.get("/openapi.json", headers={"Accept-Encoding": "gzip"}) for _ in range(2)]
    plain = await client.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert "Content-Encoding" not in plain.headers
    assert packed.content == plain.content == again.content
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 10
