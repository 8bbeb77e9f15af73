"""How patiently Redis is tried again at start and in the background: `redis.reconnect_attempts`."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain, repeat

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
SHORTEST_LAST_PAUSE = 0.5


def pauses(attempts: int | Sequence[timedelta]) -> Iterator[float]:
    """Give the seconds to wait before each new attempt, without end.

    A list gives the pauses themselves, a number so many growing ones. The service never gives up: the
    last pause goes on, at least half a second.
    """
    if isinstance(attempts, int):
        given = [min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE) for attempt in range(min(attempts, 20))]
    else:
        given = [pause.total_seconds() for pause in attempts]
    last = given[-1] if given else LONGEST_PAUSE
    return chain(given, repeat(max(last, SHORTEST_LAST_PAUSE)))
