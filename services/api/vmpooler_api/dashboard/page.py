"""The page: one file without others, so that it works wherever the service can be reached."""

import html
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from hashlib import sha256
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from vmpooler_api.web.path_prefix import prefix_of

PATH = "/dashboard"
DEFAULT_TITLE = "vmpooler"
_TITLE = "{{title}}"


def dashboard_page(title: str) -> Callable[[Request], Awaitable[Response]]:
    """Make the endpoint that shows the page; `title` is plain text, an empty one is replaced."""
    template = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    page = template.replace(_TITLE, html.escape(title or DEFAULT_TITLE)).encode()
    headers = {"Content-Security-Policy": _policy(template), "X-Frame-Options": "SAMEORIGIN"}

    async def show(_request: Request) -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    return show


async def redirect_to_dashboard(request: Request) -> RedirectResponse:
    """Lead to the page on whatever host was asked."""
    return RedirectResponse(f"{prefix_of(request.scope)}{PATH}/", 302)


def _policy(template: str) -> str:
    """Allow what the page has, and requests to where it came from."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash_of('script', template)}",
            f"style-src {_hash_of('style', template)}",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    )


def _hash_of(tag: str, template: str) -> str:
    (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", template, re.DOTALL)
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
