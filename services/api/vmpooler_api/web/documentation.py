"""The API's documentation: a page that works without the internet, and the document that it shows."""

import gzip
import re
from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from vmpooler_api.web.compression import accepts_gzip
from vmpooler_api.web.path_prefix import prefix_of
from vmpooler_common.web.json import json_text

DOCUMENT = "/openapi.json"
PAGE = "/docs"
_FILES = "/docs/files"
_PREFIXES = 8
"""Prefixes of paths whose document and page are kept ready; there is one, or none."""
_SCRIPT = re.compile("<script>(.*?)</script>", re.DOTALL)


def documentation_routes(title: str, document: Callable[[], dict[str, Any]]) -> list[BaseRoute]:
    """Make the routes; `document` gives the OpenAPI document, always the same.

    Page and document are written once for each prefix of paths, and the document is compressed once.
    """

    @lru_cache(_PREFIXES)
    def written(prefix: str) -> tuple[bytes, bytes]:
        content = document()
        plain = json_text({**content, "servers": [{"url": prefix}]} if prefix else content)
        return plain, gzip.compress(plain, mtime=0)

    @lru_cache(_PREFIXES)
    def page(prefix: str) -> tuple[bytes, str]:
        shown = get_swagger_ui_html(
            title=f"{title} - Swagger UI",
            openapi_url=f"{prefix}{DOCUMENT}",
            swagger_js_url=f"{prefix}{_FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{prefix}{_FILES}/swagger-ui.css",
            swagger_favicon_url=f"{prefix}{_FILES}/favicon.png",
        )
        text = bytes(shown.body)
        return text, _policy(text.decode())

    async def show_document(request: Request) -> Response:
        plain, compressed = written(prefix_of(request.scope))
        if accepts_gzip(request.scope):
            headers = {"Content-Encoding": "gzip"}
            return Response(compressed, headers=headers, media_type="application/json")
        return Response(plain, media_type="application/json")

    async def show_page(request: Request) -> Response:
        text, policy = page(prefix_of(request.scope))
        headers = {"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN"}
        return HTMLResponse(text, headers=headers)

    return [
        Route(DOCUMENT, show_document),
        Route(PAGE, show_page),
        Mount(_FILES, StaticFiles(directory=str(files("fastapi_offline").joinpath("static")))),
    ]


def _policy(page: str) -> str:
    """Allow what the page has: one script of its own, its files, and styles that the script sets."""
    (script,) = _SCRIPT.findall(page)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'sha256-{digest}'",
            "style-src 'self' 'unsafe-inline'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    )
