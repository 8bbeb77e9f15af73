"""What is wrong or doubtful in a configuration, and the error that reports all of it at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from vmpooler_common.config.document.node import Origin


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake or warning. Never holds the value of a secret."""

    place: str
    """The setting, such as `pools[2].ready_ttl` (counted from 0); empty for a whole document."""
    source: str
    """The file, the environment variable or the command line."""
    line: int | None
    found: str
    expected: str = ""
    """What would be right; empty for a warning, which says it all in `found`."""

    def __str__(self) -> str:
        where = self.source if self.line is None else f"{self.source}:{self.line}"
        text = ": ".join(part for part in (where, self.place, self.found) if part)
        return f"{text}; expected {self.expected}" if self.expected else text


@dataclass(frozen=True, slots=True)
class NotInEffect:
    """A setting that is understood and set, whose feature doesn't exist yet."""

    setting: str
    """Its name in the table of settings, such as `pools[].timeout_notification`."""
    places: tuple[str, ...]
    """Where it is set, such as `pools[0].timeout_notification`."""

    def __str__(self) -> str:
        return self.setting if len(self.places) == 1 else f"{self.setting} ({len(self.places)} times)"


class ConfigurationError(Exception):
    """The configuration can't be used. `problems` holds every mistake, `warnings` the rest."""

    def __init__(self, problems: Sequence[Problem], warnings: Sequence[Problem] = ()) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)


@dataclass(slots=True)
class Findings:
    """Collects what is found while a configuration is read."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    _not_in_effect: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def error(self, origin: Origin, found: str, expected: str) -> None:
        """Note a mistake."""
        self.problems.append(Problem(origin.place, origin.source, origin.line, found, expected))

    def warn(self, origin: Origin, found: str) -> None:
        """Note something that works, though perhaps not as it was meant."""
        self.warnings.append(Problem(origin.place, origin.source, origin.line, found))

    def set_in_vain(self, setting: str, place: str) -> None:
        """Note that `setting` is set at `place` and has no effect yet."""
        self._not_in_effect[setting].append(place)

    @property
    def not_in_effect(self) -> tuple[NotInEffect, ...]:
        """The settings that are set and not in effect yet, sorted by name."""
        return tuple(
            NotInEffect(setting, tuple(places)) for setting, places in sorted(self._not_in_effect.items())
        )
