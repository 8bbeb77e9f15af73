"""What Prometheus reads: the exposition of a registry as text, and the endpoint that serves it."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_TEXT = frozenset({"*/*", "text/*", "text/plain"})
_OPENMETRICS = "application/openmetrics-text"
_NEITHER = f"Supported media types: text/plain, {_OPENMETRICS}"


def exposition(registry: CollectorRegistry) -> bytes:
    """Write all metrics of the registry in text format 0.0.4, as CONTENT_TYPE says."""
    return generate_latest(registry)


def exposition_endpoint(registry: CollectorRegistry) -> Callable[[Request], Response]:
    """Make the handler of a Starlette route: 200 with the exposition, 406 when none is accepted.

    Whoever takes plain text gets that, for it is what all read; OpenMetrics gets who takes nothing else.
    """

    # Not a coroutine, so that Starlette runs it in a thread: writing thousands of series takes tens
    # of milliseconds, in which requests must go on.
    def serve(request: Request) -> Response:
        accepted = _accepted(request.headers.getlist("accept"))
        if not accepted or not _TEXT.isdisjoint(accepted):
            return Response(exposition(registry), headers={"content-type": CONTENT_TYPE})
        if _OPENMETRICS in accepted:
            text = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]
            return Response(text, headers={"content-type": OPENMETRICS_TYPE})
        return PlainTextResponse(_NEITHER, status_code=406)

    return serve


def _accepted(headers: list[str]) -> frozenset[str]:
    # Weights don't matter where plain text always goes first, and scrapers of all ages must be served: a type
    # that is named counts, whatever version or character set is asked for.
    accepted = [part.partition(";")[0].strip().lower() for part in ",".join(headers).split(",")]
    return frozenset(media_type for media_type in accepted if media_type)
