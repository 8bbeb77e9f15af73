"""Recording never raises, and no label grows beyond its set."""

from collections.abc import Callable

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from tests.support.failing_backend import UnreachableBackend
from vmpooler_common.metrics.backends.prometheus import PrometheusBackend
from vmpooler_common.metrics.catalogues.http import HttpMetrics, HttpMetricsMiddleware
from vmpooler_common.metrics.declaration import Label, counter, gauge, histogram
from vmpooler_common.metrics.exposition import exposition
from vmpooler_common.metrics.instrument import MOST_OPEN_SERIES, Instrument

VISITS = counter("visits_total", "Visits.", labels=(Label("door", ("front", "back")),))
READERS = counter(
    "readers_total", "Readers.", labels=(Label("name", is_open=True), Label("room", ("a", "b")))
)
GUESTS = gauge("guests", "Guests.", labels=(Label("room"),))


def lines(registry: CollectorRegistry) -> list[str]:
    return [line for line in exposition(registry).decode().splitlines() if not line.startswith("#")]


def test_a_value_outside_the_closed_set_becomes_unknown() -> None:
    registry = CollectorRegistry()
    visits = Instrument(PrometheusBackend(registry), VISITS)
    for number in range(50):
        visits.record(1, f"window-{number}")
    assert lines(registry) == [
        'vmpooler_visits_total{door="front",vmpooler_instance="vmpooler"} 0.0',
        'vmpooler_visits_total{door="back",vmpooler_instance="vmpooler"} 0.0',
        'vmpooler_visits_total{door="unknown",vmpooler_instance="vmpooler"} 50.0',
    ]


def test_an_open_label_has_room_for_so_many_series_and_no_more() -> None:
    registry = CollectorRegistry()
    readers = Instrument(PrometheusBackend(registry), READERS)
    with capture_logs() as logged:
        for number in range(2 * MOST_OPEN_SERIES):
            readers.record(1, f"reader-{number}", "a")
        readers.record(1, "one more", "b")
        readers.record(1, "reader-0", "a")
    samples = lines(registry)
    others = {
        'name="other",room="a"': MOST_OPEN_SERIES,
        'name="other",room="b"': 1,
        'name="reader-0",room="a"': 2,
    }
    assert len(samples) == MOST_OPEN_SERIES + 2
    for labels, count in others.items():
        assert f'vmpooler_readers_total{{{labels},vmpooler_instance="vmpooler"}} {count}.0' in samples
    assert [entry["metric"] for entry in logged] == ["readers_total"]


def test_a_long_value_of_an_open_label_is_cut() -> None:
    registry = CollectorRegistry()
    readers = Instrument(PrometheusBackend(registry), READERS)
    for end in "xy":
        readers.record(1, 100 * "n" + end, "a")
    assert lines(registry) == [
        f'vmpooler_readers_total{{name="{100 * "n"}",room="a",vmpooler_instance="vmpooler"}} 2.0'
    ]


def test_a_value_outside_the_closed_set_is_logged_once() -> None:
    visits = Instrument(PrometheusBackend(CollectorRegistry()), VISITS)
    with capture_logs() as logged:
        visits.record(1, "window")
        visits.record(1, "chimney")
    assert logged == [
        {
            "event": "metric.failed",
            "message": "metric label outside its set",
            "log_level": "warning",
            "metric": "visits_total",
            "label": "door",
            "value": "window",
        }
    ]


def test_a_set_that_only_the_configuration_knows_is_closed_too() -> None:
    registry = CollectorRegistry()
    guests = Instrument(PrometheusBackend(registry), GUESTS, known={"room": ("kitchen",)})
    guests.record(2, "kitchen")
    guests.record(3, "attic")
    assert lines(registry) == [
        'vmpooler_guests{room="kitchen",vmpooler_instance="vmpooler"} 2.0',
        'vmpooler_guests{room="unknown",vmpooler_instance="vmpooler"} 3.0',
    ]


def test_a_counter_of_closed_labels_starts_at_zero() -> None:
    registry = CollectorRegistry()
    Instrument(PrometheusBackend(registry), VISITS)
    assert 'vmpooler_visits_total{door="back",vmpooler_instance="vmpooler"} 0.0' in lines(registry)


def test_a_level_isnt_reported_before_it_is_known() -> None:
    registry = CollectorRegistry()
    Instrument(PrometheusBackend(registry), gauge("lights_on", "Lights."))
    assert lines(registry) == []


@pytest.mark.parametrize("values", [(), ("front", "back")])
def test_a_wrong_number_of_labels_is_logged_and_not_raised(values: tuple[str, ...]) -> None:
    visits = Instrument(PrometheusBackend(CollectorRegistry()), VISITS)
    with capture_logs() as logged:
        visits.record(1, *values)
    assert [entry["message"] for entry in logged] == ["metric not recorded"]


def test_an_amount_that_the_backend_refuses_is_not_raised() -> None:
    registry = CollectorRegistry()
    visits = Instrument(PrometheusBackend(registry), VISITS)
    visits.record(-1, "front")
    assert 'vmpooler_visits_total{door="front",vmpooler_instance="vmpooler"} 0.0' in lines(registry)


def test_a_failing_backend_is_logged_once_and_asked_again() -> None:
    backend = UnreachableBackend()
    guests = Instrument(backend, GUESTS)
    with capture_logs() as logged:
        guests.record(1, "kitchen")
        guests.record(2, "kitchen")
    assert [entry["error"] for entry in logged] == ["ConnectionRefusedError()"]
    assert backend.asked == 2


def test_a_backend_that_cant_drop_doesnt_raise() -> None:
    guests = Instrument(UnreachableBackend(), GUESTS)
    with capture_logs() as logged:
        guests.drop("kitchen")
    assert [entry["message"] for entry in logged] == ["metric not dropped"]


async def test_a_failing_backend_doesnt_break_a_request() -> None:
    async def hello(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    app = Starlette(routes=[Route("/hello", hello)])
    app.add_middleware(HttpMetricsMiddleware, metrics=HttpMetrics(UnreachableBackend()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
        answer = await client.get("/hello")
    assert (answer.status_code, answer.text) == (200, "hello")


def test_a_metric_may_be_used_in_several_places() -> None:
    registry = CollectorRegistry()
    backend = PrometheusBackend(registry)
    for room in ("kitchen", "attic"):
        Instrument(backend, GUESTS).record(1, room)
    assert len(lines(registry)) == 2


def test_two_metrics_of_one_name_are_refused_at_construction() -> None:
    backend = PrometheusBackend(CollectorRegistry())
    Instrument(backend, GUESTS)
    with pytest.raises(ValueError, match="two different metrics are called guests"):
        Instrument(backend, gauge("guests", "Something else."))


def test_a_prefix_that_starts_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'vm-pooler' can't start the name of a metric"):
        PrometheusBackend(CollectorRegistry(), prefix="vm-pooler")


def test_no_series_tells_when_it_was_created() -> None:
    registry = CollectorRegistry()
    Instrument(PrometheusBackend(registry), VISITS).record(1, "front")
    assert "_created" not in exposition(registry).decode()


@pytest.mark.parametrize(
    ("declare", "complaint"),
    [
        (lambda: counter("visits", "Visits."), "counters, and only they, end in _total"),
        (lambda: gauge("guests_total", "Guests."), "counters, and only they, end in _total"),
        (lambda: gauge("Guests", "Guests."), "can't be the name of a metric"),
        (lambda: gauge("guests", " "), "what does it mean"),
        (lambda: gauge("guests", "Guests.", labels=(Label("a"), Label("a"))), "a label appears twice"),
        (lambda: histogram("stay_seconds", "Stays.", buckets=()), "have buckets"),
        (lambda: histogram("stay_seconds", "Stays.", buckets=(1, 1)), "buckets must grow"),
        (lambda: Label("le"), "can't be the name of a label"),
        (lambda: Label("room-number"), "can't be the name of a label"),
    ],
)
def test_a_declaration_against_the_rules_is_refused(declare: Callable[[], object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        declare()
