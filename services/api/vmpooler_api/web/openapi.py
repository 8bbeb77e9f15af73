"""The OpenAPI document: what the framework knows of its routes, and what plain routes say of themselves."""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any

from fastapi import FastAPI

from vmpooler_api.web.openapi_examples import ANSWERS, PARAMETERS, SCHEMAS
from vmpooler_api.web.openapi_forms import simplify
from vmpooler_api.web.openapi_names import OPERATION_IDS
from vmpooler_api.web.router import DEFINITIONS

Security = Sequence[Mapping[str, Sequence[str]]]
"""Ways to be allowed: scheme -> scopes, none of ours."""

_NEVER_ANSWERED = "422"
_ITS_SCHEMAS = ("HTTPValidationError", "ValidationError")
_TOKEN = "X-AUTH-TOKEN"  # noqa: S105 - the header's name
_NEEDED: Security = [{"token": []}]
_POSSIBLE: Security = [{}, {"token": []}]


def complete_openapi(
    app: FastAPI,
    operations: Mapping[str, Mapping[str, Any]],
    *,
    everywhere: Mapping[str, Any],
    but_at: Collection[str],
    of_changes: Mapping[str, Any],
    needs_token: bool,
    finish: Callable[[dict[str, Any]], None],
) -> None:
    """Have the app's document made when it is first asked for, with `operations` in it.

    Those are plain routes' own (path -> method -> operation).
    `everywhere` are answers (status -> answer) that every operation may give except those of some paths,
    `of_changes` those of operations that change something, unless they give such an answer of their own.
    `finish` adds to the finished document what isn't a route of the app.
    `needs_token` says whether those who ask for something need a token, as they do with authentication.
    It takes a fraction of a second, in which nobody is answered: a process asks before it serves anybody.

    The framework's own answer to wrong parameters is left out: every text is taken, and judged by us.
    """
    of_the_framework = app.openapi

    @cache
    def completed() -> dict[str, Any]:
        document = of_the_framework()
        _complete(document, operations, everywhere, but_at, needs_token)
        for path, by_method in document["paths"].items():
            for method, operation in by_method.items():
                operation["operationId"] = OPERATION_IDS[method, path]
                if method != "get":
                    operation["responses"] = {**of_changes, **operation["responses"]}
        simplify(document)
        finish(document)
        return document

    app.openapi = completed  # type: ignore[method-assign]  # the way that the framework has for this


def _complete(
    document: dict[str, Any],
    operations: Mapping[str, Mapping[str, Any]],
    everywhere: Mapping[str, Any],
    but_at: Collection[str],
    needs_token: bool,
) -> None:
    schemas = document["components"]["schemas"]
    for by_method in document["paths"].values():
        for operation in by_method.values():
            operation["responses"].pop(_NEVER_ANSWERED, None)
    for path, by_method in operations.items():
        document["paths"].setdefault(path, {}).update(deepcopy(dict(by_method)))
    for by_method in document["paths"].values():
        for operation in by_method.values():
            for answer in operation["responses"].values():
                schemas.update(answer.pop(DEFINITIONS, {}))
    for name in _ITS_SCHEMAS:
        schemas.pop(name, None)
    schemes = document["components"].setdefault("securitySchemes", {})
    schemes["token"] = {
        "type": "apiKey",
        "in": "header",
        "name": _TOKEN,
        "description": "A token. A VM that is taken with one has an owner, lives longer, and is only given "
        "back with one of the same user or an admin.",
    }
    for path, by_method in document["paths"].items():
        for method, operation in by_method.items():
            for status, answer in () if path in but_at else everywhere.items():
                own = operation["responses"].get(status)
                operation["responses"][status] = answer if own is None else _either(own, answer)
            _secure(operation, _NEEDED if needs_token else _POSSIBLE)
            _illustrate(operation, ANSWERS.get((method, path)))
    for name, schema in schemas.items():
        if name in SCHEMAS:
            schema.setdefault("example", deepcopy(SCHEMAS[name]))


def _either(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Describe an answer that is one of two."""
    schemas = [answer["content"]["application/json"]["schema"] for answer in (one, other)]
    return {
        "description": f"{one['description']} Or: {other['description']}",
        "headers": {**other.get("headers", {}), **one.get("headers", {})},
        "content": {"application/json": {"schema": {"anyOf": schemas}}},
    }


def _secure(operation: dict[str, Any], security: Security) -> None:
    """Tell of the token by the operation's security, and not once more by a parameter."""
    parameters = operation.get("parameters", [])
    others = [parameter for parameter in parameters if parameter["name"] != _TOKEN]
    if len(others) < len(parameters):
        operation["parameters"] = others
        operation.setdefault("security", deepcopy(security))


def _illustrate(operation: Mapping[str, Any], answer: Mapping[str, Any] | None) -> None:
    """Give the operation's parameters examples, and its successful answer if there is one of it."""
    for parameter in operation.get("parameters", []):
        if not {"example", "examples"} & (parameter.keys() | parameter["schema"].keys()):
            example = PARAMETERS.get(parameter["name"])
            if example is not None:
                parameter["example"] = example
    if answer is not None:
        (success,) = [told for status, told in operation["responses"].items() if status.startswith("2")]
        success["content"]["application/json"]["example"] = deepcopy(dict(answer))
