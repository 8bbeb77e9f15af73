"""The legacy versions in the OpenAPI document: every operation of v3 once more, as deprecated."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from vmpooler_api.legacy.answers import with_domain, with_domains_of_vms, with_short_names
from vmpooler_api.legacy.versions import CURRENT, V1, V2

_REFERENCE = "#/components/schemas/"
_DOMAIN = {
    "type": "string",
    "description": "Domain of all names; absent when they have several, or none.",
}
_DOMAIN_OF_ONE = {"type": "string", "description": "Domain of the name; empty when there is none."}
_LOOKING = ("get", "/vm/{name}")
_EXAMPLE = "example.com"
_HEADERS = {
    "Deprecation": {
        "description": "Since when this version is deprecated: `@` and seconds since the epoch (RFC 9745).",
        "schema": {"type": "string"},
    },
    "Link": {"description": "Leads to the documentation.", "schema": {"type": "string"}},
}


def describe_legacy_versions(document: dict[str, Any]) -> None:
    """Add v1 and v2 to a document that is complete but for them."""
    schemas = document["components"]["schemas"]
    of_v1 = {
        f"{name}V1": revise(schemas[name]) | {"title": f"{name}V1"}
        for name, revise in _REVISED.items()
        if name in schemas
    }
    schemas.update(of_v1)
    current = {path: by_method for path, by_method in document["paths"].items() if path.startswith(CURRENT)}
    for prefix in (V1, V2):
        for path, by_method in current.items():
            rest = path.removeprefix(CURRENT)
            document["paths"][prefix + rest] = {
                method: _operation(operation, prefix, method, rest) for method, operation in by_method.items()
            }


def _operation(current: Mapping[str, Any], prefix: str, method: str, rest: str) -> dict[str, Any]:
    version = prefix.rpartition("/")[2]
    operation = deepcopy(dict(current))
    operation["deprecated"] = True
    operation["tags"] = [f"{version} (deprecated)"]
    operation["operationId"] += version.upper()
    _leave_lists_out(operation)
    for answer in operation["responses"].values():
        answer["headers"] = {**answer.get("headers", {}), **_HEADERS}
    if prefix != V1:
        return operation
    if (method, rest) == _LOOKING:
        looked_at = operation["responses"]["200"]["content"]["application/json"]
        looked_at["example"] = with_domains_of_vms(looked_at["example"])
    referring: dict[str, Any] = _to_v1(operation)
    return referring


def _leave_lists_out(operation: dict[str, Any]) -> None:
    """Take away the parameter `format`, which is new in v3, and the answers that it gives."""
    others = [one for one in operation.get("parameters", []) if one["name"] != "format"]
    if len(others) == len(operation.get("parameters", [])):
        return
    operation["parameters"] = others
    for answer in operation["responses"].values():
        told = answer["content"]["application/json"]
        forms = told["schema"].get("anyOf", [told["schema"]])
        kept = [form for form in forms if form.get("$ref", "").removeprefix(_REFERENCE) not in _LISTS]
        told["schema"] = {"anyOf": kept} if len(kept) > 1 else kept[0]


def _to_v1(value: Any) -> Any:
    """Let everything below refer to the schemas of v1 where v1 has its own."""
    if isinstance(value, list):
        return [_to_v1(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: f"{item}V1" if key == "$ref" and item.removeprefix(_REFERENCE) in _REVISED else _to_v1(item)
        for key, item in value.items()
    }


def _with_domain(schema: Mapping[str, Any]) -> dict[str, Any]:
    revised = deepcopy(dict(schema))
    revised["properties"]["domain"] = _DOMAIN
    revised["example"] = with_domain(with_short_names(revised["example"]), _EXAMPLE)
    return revised


def _vm(schema: Mapping[str, Any]) -> dict[str, Any]:
    revised = deepcopy(dict(schema))
    revised["properties"] = {
        "domain" if name == "fqdn" else name: _DOMAIN_OF_ONE if name == "fqdn" else member
        for name, member in revised["properties"].items()
    }
    revised["required"] = [*revised["required"], "domain"]
    revised["example"] = {
        "domain" if name == "fqdn" else name: _EXAMPLE if name == "fqdn" else value
        for name, value in revised["example"].items()
    }
    return revised


_REVISED = {
    "VmReport": _vm,
    "Opened": _with_domain,
    "Ready": _with_domain,
    "CheckedOut": _with_domain,
}
_LISTS = ("CheckedOutList", "RequestList")
