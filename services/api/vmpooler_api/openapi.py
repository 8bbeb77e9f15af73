"""The OpenAPI document: what the framework knows of its routes, and what plain routes say of themselves."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

from fastapi import FastAPI

from vmpooler_api.legacy.document import describe_legacy_versions

_NEVER_ANSWERED = "422"
_ITS_SCHEMAS = ("HTTPValidationError", "ValidationError")


def complete_openapi(
    app: FastAPI,
    operations: Mapping[str, Mapping[str, Any]],
    *,
    everywhere: Mapping[str, Any],
    but_at: Collection[str],
) -> None:
    """Make the app's document once, with `operations` (path -> method -> operation) added.

    `everywhere` are answers (status -> answer) that every operation may give except those of some paths.

    The framework's own answer to wrong parameters is left out: every text is taken, and judged by us.
    """
    document = app.openapi()
    for by_method in document["paths"].values():
        for operation in by_method.values():
            operation["responses"].pop(_NEVER_ANSWERED, None)
    for name in _ITS_SCHEMAS:
        document["components"]["schemas"].pop(name, None)
    schemes = document["components"].setdefault("securitySchemes", {})
    schemes["token"] = {
        "type": "apiKey",
        "in": "header",
        "name": "X-AUTH-TOKEN",
        "description": "A token. A VM that is taken with one has an owner, lives longer, and is only given "
        "back with one of the same user or an admin.",
    }
    for path, by_method in operations.items():
        document["paths"].setdefault(path, {}).update(deepcopy(dict(by_method)))
    for path, by_method in document["paths"].items():
        if path not in but_at:
            for operation in by_method.values():
                operation["responses"].update(everywhere)
    describe_legacy_versions(document)
