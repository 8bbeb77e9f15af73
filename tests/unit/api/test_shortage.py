"""Why a checkout got nothing: a sentence for each cause, the cure in it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from vmpooler_api.checkout.shortage import explain_shortage
from vmpooler_common.model.problem import Pause, Problem, ProblemKind
from vmpooler_common.store.core.errors import NoneReady, PoolShortage

NOW = datetime(2026, 11, 27, tzinfo=UTC)
SIZES = {"deb": 5, "alma": 3, "none": 0}


def pool(name: str = "deb", **facts: Any) -> PoolShortage:
    known: dict[str, Any] = {
        "size": None, "ready": 0, "free": 0, "pending": 0, "broken": "", "problem": None, "pause": None
    }  # fmt: skip
    return PoolShortage(pool=name, **known | facts)


def told(*pools: PoolShortage, count: int = 1, name: str = "deb") -> str:
    return explain_shortage(NoneReady(name, pools), count, SIZES)


def problem(kind: ProblemKind, text: str = "no disk") -> Problem:
    return Problem(kind, text, since=NOW)


@pytest.mark.parametrize(
    ("shortage", "count", "part"),
    [
        (pool(), 1, "deb has 0 of 1 VM ready now; try again"),
        (pool(ready=1, free=1, pending=2), 3, "deb has 1 of 3 VMs ready now, 2 are being made"),
        (pool(ready=2), 1, "0 of 1 VM ready now, 2 more are kept for checkouts that wait in line"),
        (pool("none"), 1, "keeps no VMs ready (its size is 0); request them on demand"),
        (pool(size=0), 1, "keeps no VMs ready (its size is 0); request them on demand"),
        (pool(size=2), 3, "deb keeps 2 VMs ready at most, not 3; ask for fewer, or request them on demand"),
        (pool(broken="no template"), 1, "deb hands nothing out; deb: it is broken: no template"),
        (pool(pause=Pause("upgrade", NOW)), 1, "deb: an operator has paused it: upgrade"),
        (pool(problem=problem(ProblemKind.CLONES)), 1, "deb: its clones fail: no disk"),
    ],
)
def test_each_cause_is_told_with_its_cure(shortage: PoolShortage, count: int, part: str) -> None:
    assert part in told(shortage, count=count)


def test_a_problem_that_keeps_no_vm_from_being_made_is_not_told() -> None:
    assert "no disk" not in told(pool(problem=problem(ProblemKind.DESTROYING)))


def test_pools_that_are_paused_in_the_configuration_say_so() -> None:
    assert told() == "deb hands nothing out: it is paused"


def test_of_an_alias_the_sum_is_told_and_what_keeps_single_pools() -> None:
    text = told(pool(ready=1, free=1), pool("alma", broken="no template"), count=2, name="linux")
    assert text.startswith("linux has 1 of 2 VMs ready now")
    assert text.endswith("; alma: it is broken: no template")


def test_of_many_pools_three_are_spoken_of() -> None:
    text = told(*(pool(f"p{number}", broken="no disk") for number in range(10)), name="linux")
    assert text.count("no disk") == 3
    assert text.endswith("and 7 more pools have such troubles")
