"""The library's models hold what the OpenAPI document says, member by member and type by type."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from tests.api.conftest import WithApi, with_api
from tests.api.in_process import Reach, directly
from vmpooler_client import models
from vmpooler_client.models.base import Model

__all__ = ["with_api"]

SAME: Mapping[type[Model], str] = {
    models.Vm: "VmReport",
    models.VmTask: "TaskReport",
    models.Explanation: "RequestExplanation",
    models.WantedVm: "WantedVm",
    models.PoolLine: "PoolLine",
    models.Holder: "HolderReport",
    models.Making: "MakingFigures",
    models.Limit: "Limit",
    models.Status: "StatusReport",
    models.Pool: "PoolReport",
    models.PoolExplanation: "PoolExplanation",
    models.Problem: "ProblemReport",
    models.Pause: "PauseReport",
    models.Overridden: "OverrideReport",
    models.Manager: "ManagerReport",
    models.Provider: "ProviderReport",
    models.Durations: "DurationFigures",
    models.Count: "CountFigures",
    models.DurationsAndCount: "DurationReport",
    models.Capacity: "CapacityReport",
    models.Queue: "QueueReport",
    models.RedisState: "RedisReport",
    models.PoolConfiguration: "PoolConfiguration",
    models.Configured: "Configured",
    models.TokenEntry: "TokenFacts",
    models.Token: "TokenReport",
}
"""Our model -> the document's."""
OURS = {models.Vm: {"name"}, models.TokenEntry: {"token"}, models.Token: {"running"}}
"""Members that the library adds from elsewhere in an answer."""
NOT_OURS = {models.Explanation: {"ok"}, models.PoolExplanation: {"ok"}, models.Token: {"vms"}}
"""Members that say nothing, or that ours stand for."""
WITHOUT_A_PLACE = {models.Verdict, models.Request, models.NameCounts}
"""Two have the name of the first; the second is made of several answers; the third's numbers are texts."""


@pytest.fixture
def reach() -> Reach:
    return directly


@pytest.fixture
async def schemas(with_api: WithApi) -> dict[str, Any]:
    async with with_api(auth="dummy") as api:
        found: dict[str, Any] = (await api.client.get("/openapi.json")).json()["components"]["schemas"]
        return found


async def test_each_model_has_the_members_of_the_document(schemas: dict[str, Any]) -> None:
    for model, name in SAME.items():
        ours = {field.alias or member for member, field in model.model_fields.items()}
        theirs = set(schemas[name]["properties"])
        assert ours - OURS.get(model, set()) == theirs - NOT_OURS.get(model, set()), name


async def test_each_member_takes_what_the_document_says(schemas: dict[str, Any]) -> None:
    for model, name in SAME.items():
        for fill in (_example, _second_example):
            told = {
                member: fill(schema, schemas) for member, schema in schemas[name]["properties"].items()
            } | _added(model)
            seen = model.model_validate(told)
            for member, field in model.model_fields.items():
                if (field.alias or member) in told and told[field.alias or member] is not None:
                    assert getattr(seen, member) is not None, f"{name}.{member}"


async def test_members_that_the_document_leaves_out_may_be_absent(schemas: dict[str, Any]) -> None:
    for model, name in SAME.items():
        needed = schemas[name].get("required", [])
        told = {member: _example(schemas[name]["properties"][member], schemas) for member in needed}
        model.model_validate(told | _added(model))


async def test_no_model_is_forgotten() -> None:
    exported = {getattr(models, name) for name in models.__all__}
    assert exported == set(SAME) | WITHOUT_A_PLACE
    assert all(issubclass(model, BaseModel) for model in exported)


def _added(model: type[Model]) -> dict[str, str]:
    """Give what the library adds and needs."""
    return {member: "a" for member in OURS.get(model, ()) if model.model_fields[member].is_required()}


def _choices(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    for choice in schema.get("anyOf", [schema]):
        yield choice if "$ref" not in choice else schemas[choice["$ref"].rpartition("/")[2]]


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    return _value(next(_choices(schema, schemas)), schemas)


def _second_example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Take the last of several forms, such as null."""
    return _value(list(_choices(schema, schemas))[-1], schemas)


def _value(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Make a value of a schema; a text is one that may be a moment, too."""
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "string":
            return "2026-11-22T17:31:24+00:00"
        case "integer":
            return 3
        case "number":
            return 3.5
        case "boolean":
            return True
        case "array":
            return [_example(schema["items"], schemas)]
        case "object" if "properties" in schema:
            return {name: _example(member, schemas) for name, member in schema["properties"].items()}
        case "object":
            return {"a": _example(schema["additionalProperties"], schemas)}
        case _:
            return None
