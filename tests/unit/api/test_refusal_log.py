"""Which refusals the log tells of, when there are many."""

from structlog.testing import capture_logs

from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_api.web.refusal_log import RefusalLog
from vmpooler_api.web.route_names import RouteNames

SCOPE = {
    "method": "DELETE",
    "path": "/api/v3/vm/brave-otter",
    "headers": [(b"x-auth-token", b"0123456789abcdef")],
    "client": ("192.0.2.7", 1),
}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def refusal_log(clock: Clock) -> RefusalLog:
    return RefusalLog(ClientAddresses(()), RouteNames(lambda: ["/api/v3/vm/{name}"]), clock=clock)


def test_ten_lines_are_written_in_a_second_and_the_next_one_says_how_many_are_missing() -> None:
    clock = Clock()
    log = refusal_log(clock)
    with capture_logs() as lines:
        for _ in range(25):
            log.refused(SCOPE, 403, reason="NotOwner")
        clock.now += 1
        log.refused(SCOPE, 403, reason="NotOwner")
        log.refused(SCOPE, 403, reason="NotOwner")
    assert [line.get("omitted") for line in lines] == [None] * 10 + [15, None]


def test_a_token_is_told_by_its_beginning_and_only_if_it_is_one() -> None:
    log = refusal_log(Clock())
    with capture_logs() as lines:
        log.refused(SCOPE, 403, reason="NotOwner", knows_token=True)
        log.refused(SCOPE, 401, reason="UnknownToken")
    assert [line.get("token") for line in lines] == ["01234567", None]


def test_other_answers_are_no_refusals() -> None:
    log = refusal_log(Clock())
    with capture_logs() as lines:
        for status in (400, 404, 409, 503):
            log.refused(SCOPE, status, reason="any")
    assert lines == []
