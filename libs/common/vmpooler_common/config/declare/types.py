"""The types of values that settings have: how each is read from a document or a variable.

A variable's text and a document's value go through the same reading, so `"15"` is 15 and `off` is
false wherever they come from.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import GetCoreSchemaHandler, SecretStr
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

LONGEST = timedelta(days=36_500)
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0", ""})
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})")


class Wrong(ValueError):  # noqa: N818 - raised to say that the value isn't what the type expects
    """The value isn't of its type; a text, if given, says what is expected in place of the type's words."""


@dataclass(frozen=True, slots=True)
class SettingType:
    """How one type of value is read, shown in the table of settings, and asked for in an error."""

    name: str
    expected: str
    read: Callable[[object], Any]
    """Turns a plain value into the setting's, or raises Wrong."""
    unit: str = ""
    secret: bool = False
    blank_is_unset: bool = True
    """Whether an empty environment variable counts as not set; else the empty text is a value."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def _validate(self, value: object) -> Any:
        try:
            return self.read(value)
        except Wrong as wrong:
            facts = {"expected": str(wrong) or self.expected, "secret": self.secret}
            raise PydanticCustomError("wrong", "expected {expected}", facts) from None


def as_text(value: object) -> str:
    """Read a text; a whole number is one, too. A decimal fraction isn't: 1.10 would become 1.1."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Wrong


def as_whole(value: object) -> int:
    """Read a whole number, also from text; always decimal."""
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value, 10)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Wrong


def as_number(value: object) -> int | float:
    """Read a finite number, also from text; always decimal."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return int(value, 10) if _WHOLE.fullmatch(value.strip()) else float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    raise Wrong


def as_flag(value: object) -> bool:
    """Read a boolean: true/yes/on/1 or false/no/off/0/nothing, in any case."""
    word = str(value).strip().lower() if isinstance(value, str | int) else None
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Wrong


def text(
    expected: str = "a text (in quotes, if it looks like a boolean or a fraction)",
    *,
    pattern: str = "(?s:.*)",
    blank: bool = False,
) -> SettingType:
    """Make a type of text that matches all of `pattern`; empty only where `blank`."""
    compiled = re.compile(pattern)

    def read(value: object) -> str:
        result = as_text(value)
        if (result or blank) and compiled.fullmatch(result):
            return result
        raise Wrong

    asked = expected if blank or pattern != "(?s:.*)" else f"{expected}, not empty"
    return SettingType("text", asked, read, blank_is_unset=not blank)


def secret() -> SettingType:
    """Make a type of text that is never shown; the empty text is none."""

    def read(value: object) -> SecretStr | None:
        result = as_text(value)
        return SecretStr(result) if result else None

    return SettingType("secret text", "a text in quotes", read, secret=True)


def choice(*words: str) -> SettingType:
    """Make a type of which only `words` exist: any case, with or without the colon of a Ruby symbol."""

    def read(value: object) -> str:
        word = as_text(value).removeprefix(":").lower()
        if word not in words:
            raise Wrong
        return word

    return SettingType(" | ".join(words), f"one of {', '.join(words)}", read)


def flag() -> SettingType:
    """Make the type of booleans."""
    return SettingType("boolean", "true or false", as_flag, blank_is_unset=False)


def whole(*, minimum: int = 0, maximum: int | None = None, because: str = "") -> SettingType:
    """Make a type of whole numbers within bounds."""

    def read(value: object) -> int:
        result = as_whole(value)
        if result < minimum or (maximum is not None and result > maximum):
            raise Wrong
        return result

    bounds = f"of {minimum} or more" if maximum is None else f"from {minimum} to {maximum}"
    return SettingType("whole number", _with_reason(f"a whole number {bounds}", because), read)


def number(
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    because: str = "",
) -> SettingType:
    """Make a type of numbers within bounds; `above` is a bound that isn't allowed itself."""

    def read(value: object) -> int | float:
        result = as_number(value)
        if (
            (minimum is not None and result < minimum)
            or (above is not None and result <= above)
            or (maximum is not None and result > maximum)
        ):
            raise Wrong
        return result

    bounds = [f"of {minimum} or more"] if minimum is not None else []
    bounds += [f"above {above}"] if above is not None else []
    bounds += [f"up to {maximum}"] if maximum is not None else []
    return SettingType("number", _with_reason(" ".join(["a number", *bounds]), because), read)


def percent() -> SettingType:
    """Make the type of percentages."""
    inner = number(minimum=0, maximum=100)
    return SettingType("number", "a number from 0 to 100", inner.read, unit="percent")


def seconds_number(*, above: int | None = None) -> SettingType:
    """Make the type of a driver's durations: they reach it as plain numbers of seconds."""
    inner = number(minimum=0, above=above, maximum=LONGEST.total_seconds())
    bound = "0 or more" if above is None else f"above {above}"
    return SettingType("number", f"a number of seconds, {bound}", inner.read, unit="seconds")


def duration(
    unit: str,
    *,
    above: int | None = None,
    minimum: float | None = None,
    maximum: int | None = None,
    because: str = "",
) -> SettingType:
    """Make a type of durations; `unit` (seconds, minutes, hours) is what the number counts."""
    most = LONGEST // timedelta(**{unit: 1}) if maximum is None else maximum
    bound = (
        f" above {above}" if above is not None else f" of {minimum} or more" if minimum is not None else ""
    )

    def read(value: object) -> timedelta:
        if isinstance(value, timedelta):
            return value  # a driver reads its settings again after the document's reading
        amount = as_number(value)
        if amount > most:
            raise Wrong(f"at most {most} {unit}")
        if amount < -most:
            raise Wrong(f"a number of {unit}{bound or f' of {-most} or more'}")
        result = timedelta(**{unit: amount})
        # The result is compared, not the amount: what rounds to nothing isn't above nothing.
        if above is not None and result <= timedelta(**{unit: above}):
            raise Wrong
        if minimum is not None and result < timedelta(**{unit: minimum}):
            raise Wrong
        return result

    return SettingType("number", _with_reason(f"a number of {unit}{bound}", because), read, unit=unit)


def split_list(value: object) -> object:
    """Split a text at its commas, spaces trimmed, empty parts dropped; leave other values alone."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _with_reason(expected: str, because: str) -> str:
    return f"{expected} ({because})" if because else expected
