"""What is wrong, in words: of pools, providers and managers, for the status and for a pool's explanation."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel, Field

from vmpooler_common.config import PoolSettings
from vmpooler_common.model.pool import DeletionPause
from vmpooler_common.model.problem import Pause, Problem, ProblemKind
from vmpooler_common.store.pools.counts import Managers, PoolCounts, StatusCounts


class ProblemReport(BaseModel):
    """The worst thing that is wrong with a pool."""

    kind: str = Field(description="One of " + ", ".join(ProblemKind) + ".")
    text: str = Field(description="The provider's last error.")
    since: str = Field(description="RFC 3339. When it failed first.")
    next_try: str | None = Field(None, description="RFC 3339. When it is tried again, where that is known.")
    tries: int = Field(description="How often it has failed in a row.")


class PauseReport(BaseModel):
    """Why an operator has paused a pool."""

    reason: str
    since: str = Field(description="RFC 3339.")


class OverrideReport(BaseModel):
    """What was set through the API in place of what is configured; members that were not set are absent."""

    size: int | None = None
    template: str | None = None
    clone_target: str | None = None


class ManagerReport(BaseModel):
    """A manager that lives."""

    name: str
    heartbeat: str | None = Field(None, description="RFC 3339. When it registered last.")
    pools: int = Field(description="How many it holds.")


class ProviderReport(BaseModel):
    """A configured provider."""

    state: str = Field(description="`ok`, `failing`, `throttled`, or `deletion paused`.")
    reason: str | None = None
    release_command: str | None = Field(
        None, description="What an operator runs to resume deletion once the reason is found to be in order."
    )


def report_problem(problem: Problem | None) -> ProblemReport | None:
    """Put a problem in the form of answers."""
    if problem is None:
        return None
    return ProblemReport(
        kind=problem.kind,
        text=problem.text,
        since=problem.since.isoformat(timespec="seconds"),
        next_try=problem.next_try.isoformat(timespec="seconds") if problem.next_try else None,
        tries=problem.tries,
    )


def report_pause(pause: Pause | None) -> PauseReport | None:
    """Put a pause in the form of answers; who paused the pool is in the log."""
    if pause is None:
        return None
    return PauseReport(reason=pause.reason, since=pause.since.isoformat(timespec="seconds"))


def report_overrides(numbers: PoolCounts) -> OverrideReport | None:
    """Tell what was set through the API."""
    found = numbers.overrides
    if (found.size, found.template, found.clone_target) == (None, None, None):
        return None
    return OverrideReport(size=found.size, template=found.template, clone_target=found.clone_target)


def report_managers(managers: Managers) -> list[ManagerReport]:
    """Name the managers that live."""
    return [
        ManagerReport(
            name=one.name,
            heartbeat=one.heartbeat.isoformat(timespec="seconds") if one.heartbeat else None,
            pools=one.pools,
        )
        for one in managers.live
    ]


def report_providers(
    pools: Sequence[PoolSettings], numbers: StatusCounts, managers: Managers
) -> dict[str, ProviderReport]:
    """Say of each provider that pools use whether it works, by what was found with its pools."""
    usable = frozenset(name for one in managers.live for name in one.providers)
    problems: dict[str, list[Problem]] = {pool.provider: [] for pool in pools}
    for pool in pools:
        problem = numbers.pools[pool.name].problem
        if problem and problem.kind in _OF_PROVIDERS:
            problems[pool.provider].append(problem)
    return {
        name: _provider(name, found, managers.deletion_paused.get(name), is_usable=name in usable)
        for name, found in sorted(problems.items())
    }


_OF_PROVIDERS = (ProblemKind.PROVIDER, ProblemKind.LISTING, ProblemKind.THROTTLED)
"""Problems of a pool that are its provider's."""


def _provider(
    name: str, problems: Sequence[Problem], pause: DeletionPause | None, *, is_usable: bool
) -> ProviderReport:
    if pause:
        return ProviderReport(
            state="deletion paused", reason=pause.reason, release_command=release_command(name)
        )
    failing = [one.text for one in problems if one.kind is not ProblemKind.THROTTLED]
    if failing or not is_usable:
        return ProviderReport(state="failing", reason=failing[0] if failing else "no live manager can use it")
    if problems:
        return ProviderReport(state="throttled", reason=problems[0].text)
    return ProviderReport(state="ok")


def release_command(provider: str) -> str:
    """Give what an operator runs to resume deletion at a provider."""
    return f"vmpooler-manager --resume-deletion {provider}"


def judge(
    pools: Sequence[PoolSettings],
    numbers: StatusCounts,
    managers: Managers,
    providers: Mapping[str, ProviderReport],
) -> list[str]:
    """Say in sentences what an operator should look at; empty when all is well."""
    return [*_of_pools(pools, numbers), *_of_managers(managers), *_of_providers(providers)]


def needs_attention(pool: PoolSettings, numbers: PoolCounts) -> str:
    """Say in a word or two what is wrong with a pool, or was done to it; empty when nothing is."""
    if numbers.broken:
        return "broken"
    if numbers.pause or pool.paused:
        return "paused"
    if numbers.problem:
        return _WORDS[numbers.problem.kind]
    if not numbers.ready and numbers.size_or(pool.size):
        return "empty"
    return ""


_WORDS = {
    ProblemKind.PROVIDER: "without their provider",
    ProblemKind.BROKEN: "broken",
    ProblemKind.PREPARATION: "not prepared",
    ProblemKind.CLONES: "whose clones fail",
    ProblemKind.DNS: "that DNS holds up",
    ProblemKind.BOOTS: "whose VMs don't become ready",
    ProblemKind.LISTING: "that can't be listed",
    ProblemKind.DESTROYING: "whose VMs can't be destroyed",
    ProblemKind.THROTTLED: "throttled by their provider",
}


def _of_pools(pools: Sequence[PoolSettings], numbers: StatusCounts) -> Iterator[str]:
    words = [word for pool in pools if (word := needs_attention(pool, numbers.pools[pool.name]))]
    if words:
        kinds = ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words), key=_worst))
        yield f"{len(words)} of {len(pools)} pools need attention: {kinds}."


def _worst(word: str) -> int:
    order = ["broken", *_WORDS.values(), "empty", "paused"]
    return order.index(word)


def _of_managers(managers: Managers) -> Iterator[str]:
    if not managers.live:
        yield "No manager is running: no VM is made or destroyed."


def _of_providers(providers: Mapping[str, ProviderReport]) -> Iterator[str]:
    for name, provider in providers.items():
        if provider.release_command:
            yield f"Destroying at {name} is paused: {provider.reason}"
        elif provider.state != "ok":
            yield f"The provider {name} is {provider.state}: {provider.reason}"
