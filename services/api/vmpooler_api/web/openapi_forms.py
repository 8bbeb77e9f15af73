"""Gives schemas the forms that generators of clients understand.

Several of them stumble over constants that are no texts, take equal titles for one name, and can't write
objects as defaults. What is left out says nothing that a description doesn't say as well.
"""

from typing import Any


def simplify(document: dict[str, Any]) -> None:
    """Simplify all schemas of a finished document in place; components are titled by their names."""
    for value in document["paths"].values():
        _simplify(value)
    for name, schema in document["components"]["schemas"].items():
        _simplify(schema)
        schema["title"] = name


def _simplify(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _simplify(item)
    if not isinstance(value, dict):
        return
    if _is_schema(value):
        value.pop("title", None)
        if isinstance(value.get("const"), bool):
            del value["const"]
            value["type"] = "boolean"
        default = value.get("default")
        if isinstance(default, dict | list) or default not in value.get("enum", [default]):
            value.pop("default", None)
    for name, item in value.items():
        if name not in ("example", "examples"):
            _simplify(item)


def _is_schema(value: dict[str, Any]) -> bool:
    """Whether this is a schema, and not a table of members, which may be called `title` themselves."""
    return any(isinstance(value.get(word), str) for word in ("type", "$ref", "title")) or bool(
        {"anyOf", "oneOf", "allOf", "const", "enum"} & value.keys()
    )
