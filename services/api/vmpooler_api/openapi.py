"""The OpenAPI document: what the framework knows of its routes, and what plain routes say of themselves."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI


def complete_openapi(app: FastAPI, operations: Mapping[str, Mapping[str, Any]]) -> None:
    """Make the app's document once, with `operations` (path -> method -> operation) added."""
    document = app.openapi()
    for path, by_method in operations.items():
        document["paths"].setdefault(path, {}).update(by_method)
