"""What is wrong with a pool, as far as this manager knows: the worst of it, in words for operators."""

from datetime import datetime, timedelta

from vmpooler_common.model.problem import Problem, ProblemKind
from vmpooler_manager.runtime.backoff import Backoff
from vmpooler_manager.runtime.pool import Pool


def problem_of(pool: Pool, *, broken: str, now: datetime, monotonic: float) -> Problem | None:
    """Name the worst of what fails; None when all works. `now` and `monotonic` are the same moment.

    `broken` is why the pool can't work as it is configured, as the store has it.
    """

    def at(moment: float) -> datetime:
        return now + timedelta(seconds=moment - monotonic)

    def failing(kind: ProblemKind, what: Backoff) -> Problem:
        tried_again = at(what.until) if what.until > monotonic else None
        return Problem(kind, what.reason, at(what.since), tried_again, what.failures)

    if pool.cloud.fault:
        return Problem(ProblemKind.PROVIDER, pool.cloud.fault, now, tries=1)
    if pool.dns and pool.dns.fault:
        return Problem(ProblemKind.DNS, pool.dns.fault, now, tries=1)
    troubles = (
        (ProblemKind.PREPARATION, pool.preparations),
        (ProblemKind.CLONES, pool.clones),
        *((ProblemKind.DNS, what) for what in ((pool.dns.changes, pool.naming) if pool.dns else ())),
        (ProblemKind.BOOTS, pool.boots),
        (ProblemKind.LISTING, pool.listings),
        (ProblemKind.DESTROYING, pool.destructions),
    )
    found = next((failing(kind, what) for kind, what in troubles if what.is_failing), None)
    if broken:
        return Problem(
            ProblemKind.BROKEN,
            broken,
            found.since if found else now,
            found.next_try if found else None,
            found.tries if found else 1,
        )
    if found is None and monotonic < pool.cloud.throttled_until:
        reason, until = "the provider asked to be left alone for a while", at(pool.cloud.throttled_until)
        return Problem(ProblemKind.THROTTLED, reason, now, until, tries=1)
    return found
