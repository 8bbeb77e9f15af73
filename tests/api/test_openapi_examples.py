"""The OpenAPI document shows examples, and they are what the service could take and answer."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.api.conftest import WithApi
from tests.api.limits import ON

Document = Mapping[str, Any]
COMPONENTS = "#/components/schemas/"
SHOWING = {"example", "examples"}


@pytest.fixture
async def document(with_api: WithApi) -> AsyncIterator[Document]:
    """Yield the document of an API with all that there is."""
    async with with_api(auth="dummy", config={**ON, "experimental_features": True}) as api:
        yield (await api.client.get("/openapi.json")).json()


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, by_method in document["paths"].items():
        for method, operation in by_method.items():
            yield f"{method} {path}", operation


def has_example(value: Document, document: Document) -> bool:
    """Tell whether a schema, a parameter or a body has an example, or what it is made of has one."""
    if "$ref" in value:
        return has_example(
            document["components"]["schemas"][value["$ref"].removeprefix(COMPONENTS)], document
        )
    within = [*value.get("anyOf", []), value.get("schema"), value.get("additionalProperties")]
    return not SHOWING.isdisjoint(value) or any(
        has_example(inner, document) for inner in within if isinstance(inner, dict)
    )


def examples(value: Any) -> Iterator[tuple[Document, Any]]:
    """Give every schema that is found anywhere below, with its example."""
    if isinstance(value, dict):
        schema = value.get("schema", value if "type" in value else None)
        shown = [value["example"]] if "example" in value else value.get("examples", [])
        if schema is not None and isinstance(shown, list):
            yield from ((schema, example) for example in shown)
        for name, inner in value.items():
            if name not in SHOWING:
                yield from examples(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from examples(inner)


def test_every_parameter_and_body_has_an_example(document: Document) -> None:
    without = [
        (name, asked.get("name", "body"))
        for name, operation in operations(document)
        for asked in (
            *operation.get("parameters", []),
            *operation.get("requestBody", {}).get("content", {}).values(),
        )
        if not has_example(asked, document)
    ]
    assert without == []


def test_every_answer_has_an_example(document: Document) -> None:
    without = [
        (name, status)
        for name, operation in operations(document)
        for status, answer in operation["responses"].items()
        for content in answer.get("content", {}).values()
        if not has_example(content, document)
    ]
    assert without == []


def test_every_answer_that_is_keyed_by_names_has_an_example_as_a_whole(document: Document) -> None:
    """Without one the pages make names up, and show whatever comes first of what may stand under one."""
    without = [
        (name, status)
        for name, operation in operations(document)
        for status, answer in operation["responses"].items()
        for content in answer.get("content", {}).values()
        if "additionalProperties" in content["schema"]
        and SHOWING.isdisjoint(content)
        and SHOWING.isdisjoint(content["schema"])
    ]
    assert without == []


def test_examples_are_as_they_are_described(document: Document) -> None:
    found = list(examples(document))
    assert len(found) > 100
    for schema, example in found:
        whole = {**schema, "components": document["components"]}
        assert list(Draft202012Validator(whole).iter_errors(example)) == [], example
