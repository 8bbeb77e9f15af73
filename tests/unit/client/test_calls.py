"""What answers mean, in words for people."""

import json

import pytest

from vmpooler_client.calls import Answer, checkout_refusal, is_passing, refusal
from vmpooler_client.errors import (
    BadAnswerError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotReadyError,
    NotSupportedError,
    RateLimitedError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
)
from vmpooler_client.orders import Order, TakenVm, read_taken
from vmpooler_client.retries import Retries


def answer(status: int, content: object = None, **headers: str) -> Answer:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (
            answer(400, {"ok": False, "error": "Disk size must be a valid integer"}),
            BadRequestError,
            "Disk size",
        ),
        (answer(400, {"ok": False, "failure": ["one", "two"]}), BadRequestError, "one; two"),
        (answer(400, {"ok": False, "not_configured": ["a", "a"]}), BadRequestError, "a: not configured"),
        (answer(404, {"ok": False, "bad_templates": ["a", "b"]}), NotFoundError, "a, b: not known"),
        (answer(401, {"ok": False}), UnauthorizedError, "it: a valid token is needed"),
        (answer(403, {"ok": False}), ForbiddenError, "it: it belongs to another user"),
        (answer(404, {"ok": False}), NotFoundError, "it: not known here"),
        (answer(405, {"ok": False}), NotSupportedError, "experimental_features"),
        (answer(409, {"ok": False, "message": "in use"}), ConflictError, "in use"),
        (answer(422, {"ok": False, "message": "another order"}), BadRequestError, "another order"),
        (answer(429, {"error": "Rate limit exceeded"}), RateLimitedError, "Rate limit"),
        (
            answer(503, {"ok": False, "message": "Redis is away"}, retry_after="1"),
            UnavailableError,
            "Redis is away",
        ),
        (answer(504, b"<html>"), UnavailableError, "a proxy answers 504"),
        (answer(500, {"ok": False, "message": "internal error"}), RefusedError, "internal error"),
        (answer(500, b"<h1>Internal Server Error</h1>"), BadAnswerError, "<h1>"),
        (answer(302, b"", location="https://login.example.com"), BadAnswerError, "login.example.com"),
    ],
)
def test_a_refusal_is_an_error_with_the_services_words(
    given: Answer, error: type[Exception], words: str
) -> None:
    problem = refusal(given, about="it")
    assert type(problem) is error
    assert words in str(problem)


def test_a_checkout_without_vms_is_told_from_a_service_that_is_away() -> None:
    assert isinstance(checkout_refusal(answer(503, {"ok": False}), about="debian"), NotReadyError)
    told = checkout_refusal(answer(503, {"ok": False, "message": "debian has 0 of 1"}), about="debian")
    assert (type(told), str(told)) == (NotReadyError, "debian has 0 of 1")
    away = answer(503, {"ok": False, "message": "away"}, retry_after="1")
    assert isinstance(checkout_refusal(away, about="debian"), UnavailableError)
    assert [is_passing(answer(503, {"ok": False})), is_passing(away)] == [False, True]


def test_nothing_in_a_refusal_steers_the_terminal() -> None:
    assert "\x1b" not in str(refusal(answer(400, {"error": "\x1b]0;title\x07 \x1b[2J"})))
    assert "\x1b" not in str(refusal(answer(500, b"\x1b[2J")))


@pytest.mark.parametrize("hostname", ["-oProxyCommand=x", "a b", "", "a\n", "a..b", None, 3, "a" * 300])
def test_a_host_name_that_is_none_is_refused(hostname: object) -> None:
    with pytest.raises(BadAnswerError):
        read_taken(answer(200, {"ok": True, "debian": {"hostname": hostname}}))


def test_vms_are_read_by_the_name_that_was_asked_for() -> None:
    given = {"ok": True, "a": {"hostname": "x.example"}, "b": {"hostname": ["y", "z"]}}
    vms = read_taken(answer(200, given))
    assert vms == [TakenVm("x.example", "a"), TakenVm("y", "b"), TakenVm("z", "b")]
    Order.of(["a", "b", "b"]).check(vms)
    with pytest.raises(BadAnswerError, match=r"x\.example"):
        Order.of(["a"]).check(vms)


def test_names_that_3x_takes_in_paths_only_go_there() -> None:
    call = Order.of({"ubuntu-20.04": 2, "a/b": 1}).checkout()
    assert (call.path, call.json) == ("/api/v3/vm/ubuntu-20.04+ubuntu-20.04+a%2Fb", None)
    assert Order.of(["debian", "debian"]).checkout().json == {"debian": 2}


@pytest.mark.parametrize("wanted", [{}, {"debian": 0}, [], [""]])
def test_an_order_wants_something(wanted: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        Order.of(wanted)


def test_pauses_grow_and_end() -> None:
    retries = Retries(attempts=4, first_pause=1, longest_pause=3)
    assert [retries.pause(n, None, chance=lambda: 1.0) for n in (1, 2, 3, 4)] == [1, 2, 3, None]
    assert retries.pause(1, None, chance=lambda: 0.0) == 0.5
    assert [retries.pause(1, 2.0), retries.pause(1, 60.0)] == [2.0, None]
