"""What Prometheus reads: the text exposition of a registry, and the endpoint that serves it."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ACCEPTABLE = frozenset({"*/*", "text/*", "text/plain"})


def exposition(registry: CollectorRegistry) -> bytes:
    """Write all metrics of the registry in text format 0.0.4, as CONTENT_TYPE says."""
    return generate_latest(registry)


def exposition_endpoint(registry: CollectorRegistry) -> Callable[[Request], Response]:
    """Make the handler of a Starlette route: 200 with the exposition, 406 when text isn't accepted."""

    # Not a coroutine, so that Starlette runs it in a thread: writing thousands of series takes tens
    # of milliseconds, in which requests must go on.
    def serve(request: Request) -> Response:
        if not _accepts_text(request.headers.getlist("accept")):
            return PlainTextResponse("Supported media types: text/plain", status_code=406)
        return Response(exposition(registry), headers={"content-type": CONTENT_TYPE})

    return serve


def _accepts_text(headers: list[str]) -> bool:
    # Weights don't matter with one type on offer, and scrapers of all ages must be served: a type
    # that is named counts, whatever version or character set is asked for.
    accepted = [part.partition(";")[0].strip().lower() for part in ",".join(headers).split(",")]
    named = [media_type for media_type in accepted if media_type]
    return not named or not ACCEPTABLE.isdisjoint(named)
