"""/api/v1 and /api/v2: what old clients ask for, answered by the routes of v3."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.api.conftest import WithApi
from tests.api.every_route import every_route
from tests.api.in_process import Api, make_ready
from tests.api.queueing import Queue
from tests.store.ondemand import OnDemand

LEGACY = ["v1", "v2"]
PATIENCE = "?wait=30"


async def document_of(api: Api) -> dict[str, Any]:
    document: dict[str, Any] = (await api.client.get("/openapi.json")).json()
    return document


def filled(template: str, version: str) -> str:
    """Give a path of another version in which every parameter is a name that nobody knows."""
    return re.sub(r"\{\w+\}", "nope", template).replace("v3", version, 1)


def members(answer: httpx.Response) -> list[tuple[str, Any]]:
    """Give the members in their order."""
    return list(answer.json().items())


async def test_every_route_of_v3_is_in_v1_and_v2(secured_api: Api) -> None:
    paths = (await document_of(secured_api))["paths"]
    current = [(method, path) for method, path in every_route(secured_api.app) if path.startswith("/api/v3/")]
    assert len(current) > 9
    for method, template in current:
        expected = await secured_api.client.request(method, filled(template, "v3"))
        for version in LEGACY:
            answer = await secured_api.client.request(method, filled(template, version))
            assert answer.status_code == expected.status_code, (method, template)
            legacy = template.replace("v3", version, 1)
            labels = {"code": str(answer.status_code), "method": method.lower(), "path": legacy}
            counted = secured_api.registry.get_sample_value("vmpooler_http_requests_total", labels)
            assert counted == 1, labels
            assert method.lower() in paths[legacy]


@pytest.mark.parametrize(
    "path",
    [
        "/poolstat",
        "/vms",
        "/ondemandvm/x",
        "/v1/vm",
        "/v3/vm",
        "/api/vm",
        "/api/v1",
        "/api/v1vm",
        "/api/v12/vm",
        "/api/v4/vm",
    ],
)
async def test_other_versions_and_other_paths_without_one_are_unknown(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()) == (404, {"ok": False})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/vm"),
        ("GET", "/status/"),
        ("GET", "/summary/boot/count"),
        ("GET", "/token/"),
        ("HEAD", "/vm"),
    ],
)
async def test_paths_without_a_version_are_v1(secured_api: Api, method: str, path: str) -> None:
    plain, first = [await secured_api.client.request(method, prefix + path) for prefix in ("", "/api/v1")]
    assert plain.status_code == first.status_code == (401 if "token" in path else 200)
    assert plain.headers["Deprecation"] == first.headers["Deprecation"]
    assert (plain.text == first.text) or "status" in path


async def test_a_vm_may_be_taken_seen_and_returned_without_a_version(api: Api) -> None:
    await api.fleet.ready("pool1", "one")
    taken = await api.client.post("/vm/pool1")
    assert taken.json() == {"ok": True, "pool1": {"hostname": "one"}, "domain": "example.test"}
    assert (await api.client.get("/vm/one")).json()["one"]["domain"] == "example.test"
    assert (await api.client.delete("/vm/one")).json() == {"ok": True}
    labels = {"code": "200", "method": "delete", "path": "/vm/{name}"}
    assert api.registry.get_sample_value("vmpooler_http_requests_total", labels) == 1


async def test_paths_without_a_version_can_be_turned_off(with_api: WithApi) -> None:
    async with with_api(config={"unversioned_paths": False}) as api:
        assert (await api.client.get("/vm")).status_code == 404


async def test_what_isnt_in_v3_isnt_in_the_others_either_and_is_counted_as_nothing(api: Api) -> None:
    for version in LEGACY:
        answer = await api.client.get(f"/api/{version}/nope")
        assert (answer.status_code, answer.json()) == (404, {"ok": False})
    labels = {"code": "404", "method": "get", "path": "unmatched"}
    assert api.registry.get_sample_value("vmpooler_http_requests_total", labels) == 2


@pytest.mark.parametrize("version", LEGACY)
@pytest.mark.parametrize(
    ("path", "documentation"),
    [("vm", "../../docs"), ("vm/", "../../../docs"), ("vm/nope", "../../../docs"), ("none", "../../docs")],
)
async def test_every_answer_says_that_the_version_is_deprecated(
    client: httpx.AsyncClient, version: str, path: str, documentation: str
) -> None:
    answer = await client.get(f"/api/{version}/{path}")
    assert answer.headers["Deprecation"] == "@1679961600"
    assert answer.headers["Link"] == f'<{documentation}>; rel="deprecation"; type="text/html"'
    assert answer.url.join(documentation).path == "/docs"


async def test_v3_isnt_deprecated(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v3/vm")
    assert not {"deprecation", "link"} & set(answer.headers)


async def test_every_legacy_operation_is_described_as_deprecated(secured_api: Api) -> None:
    paths = (await document_of(secured_api))["paths"]
    for path, by_method in paths.items():
        for operation in by_method.values():
            assert operation.get("deprecated", False) == path.startswith(("/api/v1/", "/api/v2/")), path
    operations = [
        operation["operationId"] for by_method in paths.values() for operation in by_method.values()
    ]
    assert len(operations) == len(set(operations))


async def test_v1_gives_short_names_and_their_domain_last(api: Api) -> None:
    await api.fleet.ready("pool1", "one", "two")
    await api.fleet.ready("pool2", "three")
    answer = await api.client.post("/api/v1/vm", json={"pool1": 2, "pool2": 1})
    assert members(answer) == [
        ("ok", True),
        ("pool1", {"hostname": ["one", "two"]}),
        ("pool2", {"hostname": "three"}),
        ("domain", "example.test"),
    ]
    assert int(answer.headers["Content-Length"]) == len(answer.content)


async def test_v1_gives_a_short_name_to_who_asks_in_the_path(api: Api) -> None:
    await api.fleet.ready("pool1", "one")
    answer = await api.client.post("/api/v1/vm/pool1/")
    assert answer.text == (
        '{\n  "ok": true,\n  "pool1": {\n    "hostname": "one"\n  },\n  "domain": "example.test"\n}'
    )


async def test_v1_gives_whole_names_when_their_domains_differ(api: Api) -> None:
    await make_ready(api.fleet, "pool1", "one", domain="a.example")
    await make_ready(api.fleet, "pool2", "two", domain="b.example")
    answer = await api.client.post("/api/v1/vm/pool1+pool2")
    assert answer.json() == {
        "ok": True,
        "pool1": {"hostname": "one.a.example"},
        "pool2": {"hostname": "two.b.example"},
    }


async def test_v1_names_no_domain_where_there_is_none(api: Api) -> None:
    await make_ready(api.fleet, "pool1", "one", domain="")
    answer = await api.client.post("/api/v1/vm/pool1")
    assert answer.json() == {"ok": True, "pool1": {"hostname": "one"}}


@pytest.mark.parametrize("has_body", [False, True])
async def test_v1_gives_short_names_to_who_has_waited(api: Api, has_body: bool) -> None:
    queue = Queue(api)
    path, body = ("vm", {"pool1": 1}) if has_body else ("vm/pool1", None)
    task = asyncio.create_task(api.client.post(f"/api/v1/{path}{PATIENCE}", json=body))
    await queue.until_so_many_places(1)
    await api.fleet.ready("pool1", "one")
    answer = await task
    assert members(answer) == [("ok", True), ("pool1", {"hostname": "one"}), ("domain", "example.test")]
    assert "Deprecation" in answer.headers


async def test_v2_gives_whole_names(api: Api) -> None:
    await api.fleet.ready("pool1", "one")
    answer = await api.client.post("/api/v2/vm/pool1")
    assert answer.json() == {"ok": True, "pool1": {"hostname": "one.example.test"}}


@pytest.mark.parametrize("version", LEGACY)
async def test_refusals_are_the_same(api: Api, version: str) -> None:
    for path in ("vm/nope", "vm/pool1", "ondemandvm/nope"):
        expected = await api.client.post(f"/api/v3/{path}")
        answer = await api.client.post(f"/api/{version}/{path}")
        assert (answer.status_code, answer.text) == (expected.status_code, expected.text)


async def test_v1_tells_a_vms_domain_behind_its_address_and_no_whole_name(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    vm = (await api.client.get("/api/v1/vm/one")).json()["one"]
    assert list(vm)[list(vm).index("ip") + 1] == "domain"
    assert (vm["domain"], "fqdn" in vm) == ("example.test", False)
    newer = (await api.client.get("/api/v2/vm/one")).json()["one"]
    assert (newer["fqdn"], "domain" in newer) == ("one.example.test", False)


async def test_v1_tells_an_empty_domain_of_a_vm_that_has_none(api: Api) -> None:
    await make_ready(api.fleet, "pool1", "one", domain="")
    assert (await api.client.get("/api/v1/vm/one")).json()["one"]["domain"] == ""


async def test_v1_tells_the_domain_of_an_ondemand_request_after_its_id(api: Api) -> None:
    answer = await api.client.post("/api/v1/ondemandvm", json={"pool3": 1, "request_id": "mine"})
    assert answer.status_code == 201
    assert members(answer) == [("ok", True), ("request_id", "mine"), ("domain", "example.test")]
    by_path = await api.client.post("/api/v1/ondemandvm/pool3")
    assert [name for name, _ in members(by_path)] == ["ok", "request_id", "domain"]


async def test_v1_tells_no_domain_of_a_request_where_pools_have_several(with_api: WithApi) -> None:
    domains = {name: {"dns_class": "dynamic-dns", "domain": f"{name}.example"} for name in ("a", "b")}
    pools = {"pool1": {"size": 1, "dns_plugin": "a"}, "pool2": {"size": 1, "dns_plugin": "b"}}
    async with with_api(pools=pools, sections={"dns_configs": domains}) as api:
        answer = await api.client.post("/api/v1/ondemandvm", json={"pool1": 1, "request_id": "mine"})
    assert answer.json() == {"ok": True, "request_id": "mine"}


async def test_v1_gives_short_names_when_a_request_is_ready(api: Api) -> None:
    demand = OnDemand(api.fleet)
    await demand.accepted("mine", "pool3")
    waiting = await api.client.get("/api/v1/ondemandvm/mine")
    assert (waiting.status_code, "domain" in waiting.json()) == (202, False)
    await demand.booted("pool3", "one")
    answer = await api.client.get(f"/api/v1/ondemandvm/mine{PATIENCE}")
    assert members(answer) == [
        ("ok", True),
        ("request_id", "mine"),
        ("ready", True),
        ("pool3", {"hostname": ["one"]}),
        ("domain", "example.test"),
    ]


async def test_v1_tells_of_a_request_that_is_over_as_v3_does(api: Api) -> None:
    demand = OnDemand(api.fleet)
    await demand.accepted("mine", "pool3")
    await api.client.delete("/api/v1/ondemandvm/mine")
    answers = [await api.client.get(f"/api/{version}/ondemandvm/mine") for version in ("v1", "v3")]
    assert answers[0].text == answers[1].text


async def test_head_of_v1_is_get_without_a_body(api: Api) -> None:
    await api.fleet.running("pool1", "one")
    full, head = [await api.client.request(method, "/api/v1/vm/one") for method in ("GET", "HEAD")]
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == full.headers["Content-Length"]


async def test_answers_of_v1_are_compressed_like_others(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/status", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "pools" in answer.json()


@pytest.mark.parametrize(
    ("method", "template", "path", "status"),
    [
        ("post", "/vm/{name}", "/vm/pool1", 200),
        ("post", "/vm/{name}", "/vm/pool1+pool2", 200),
        ("post", "/vm/{name}", "/vm/nope", 404),
        ("get", "/vm/{name}", "/vm/two", 200),
        ("post", "/ondemandvm/{request_id}", "/ondemandvm/pool1", 201),
        ("get", "/ondemandvm/{request_id}", "/ondemandvm/mine", 200),
        ("get", "/status", "/status", 200),
    ],
)
@pytest.mark.parametrize("version", LEGACY)
async def test_legacy_answers_are_as_described(
    api: Api, version: str, method: str, template: str, path: str, status: int
) -> None:
    await api.fleet.ready("pool1", "one")
    await api.fleet.ready("pool2", "two")
    demand = OnDemand(api.fleet)
    await demand.accepted("mine", "pool3")
    await demand.booted("pool3", "three")
    document = await document_of(api)
    answer = await api.client.request(method, f"/api/{version}{path}")
    assert answer.status_code == status
    described = document["paths"][f"/api/{version}{template}"][method]["responses"][str(status)]
    schema = described["content"]["application/json"]["schema"] | {"components": document["components"]}
    Draft202012Validator(schema).validate(answer.json())
    assert {"Deprecation", "Link"} <= set(described["headers"])


async def test_examples_of_v1_are_as_v1_answers(api: Api) -> None:
    document = await document_of(api)
    granted = document["paths"]["/api/v1/vm"]["post"]["responses"]["200"]["content"]["application/json"]
    assert granted["schema"] == {"$ref": "#/components/schemas/CheckedOutV1"}
    example = document["components"]["schemas"]["CheckedOutV1"]["example"]
    *_, (name, taken), (last, domain) = example.items()
    assert (last, domain, "." in taken["hostname"]) == ("domain", "example.com", False), name
    for name in ("OpenedV1", "ReadyV1", "CheckedOutV1"):
        schema = document["components"]["schemas"][name]
        assert schema["example"]["domain"] == "example.com"
        Draft202012Validator(schema | {"components": document["components"]}).validate(schema["example"])


@pytest.mark.parametrize("version", LEGACY)
async def test_the_legacy_versions_are_one_round_trip_too(api: Api, version: str) -> None:
    await api.fleet.ready("pool1", "one")
    for method, path in (("POST", "vm/pool1"), ("GET", "vm/one"), ("DELETE", "vm/one"), ("GET", "status")):
        before = api.metric("redis_round_trips_total")
        assert (await api.client.request(method, f"/api/{version}/{path}")).status_code == 200
        assert api.metric("redis_round_trips_total") - before == 1


async def test_a_refusal_for_asking_too_often_says_that_the_version_is_deprecated(with_api: WithApi) -> None:
    limits = {"rate_limits": {"global_per_ip": {"limit": 1, "period": 60}}}
    async with with_api(config={"rate_limiting_enabled": True}, sections=limits) as api:
        answers = [await api.client.get("/api/v1/vm") for _ in range(2)]
        labels = {"code": "429", "method": "get", "path": "/api/v1/vm"}
        assert api.registry.get_sample_value("vmpooler_http_requests_total", labels) == 1
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["Deprecation"] == answers[0].headers["Deprecation"]


@pytest.mark.parametrize("version", LEGACY)
async def test_slashes_head_and_other_methods_are_as_in_v3(secured_api: Api, version: str) -> None:
    ask = secured_api.client.request
    for method, template in every_route(secured_api.app):
        if not template.startswith("/api/v3/"):
            continue
        path = filled(template, version)
        expected = await ask(method, path)
        assert (await ask(method, f"{path}/")).status_code == expected.status_code, (method, path)
        if method == "GET":
            head = await ask("HEAD", path)
            assert (head.status_code, head.content) == (expected.status_code, b"")
        for other in ("PATCH", "OPTIONS", "PROPFIND"):
            answer = await ask(other, path)
            assert (answer.status_code, answer.json()) == (404, {"ok": False})
            assert "Allow" not in answer.headers
