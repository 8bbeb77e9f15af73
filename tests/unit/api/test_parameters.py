"""Parameters of routes: how many VMs, how long to wait, a host's name, a day."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

from vmpooler_api.summary.writer import read_date
from vmpooler_api.web.errors import BadRequest, Unacceptable
from vmpooler_api.web.parameters import BEYOND_EVERY_LIMIT, WAIT_PATTERN, read_count, read_wait, short_name
from vmpooler_api.web.request import Numeral


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("1", 1),
        ("01", 1),
        (Numeral("7"), 7),
        ("999999999", 999_999_999),
        ("0000000000000100", 100),
        ("9" * 5000, BEYOND_EVERY_LIMIT),
    ],
)
def test_a_count_is_a_whole_number_or_its_digits(value: str, count: int) -> None:
    assert read_count(value) == count


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (None, "VM count is required"),
        ("0", "VM count must be at least 1"),
        (Numeral("0"), "VM count must be at least 1"),
        ("000", "VM count must be at least 1"),
        *(
            (value, "VM count must be a valid integer")
            for value in (
                *("", " ", " 1", "1 ", "1\n", "+1", "-1", "1.0", "1e0", "abc", "1_000", "\u0661", "\ud800"),
                *(Numeral(text) for text in ("-1", "1.5", "1e400", "NaN", "Infinity")),
                *(1, True, False, [], ["1"], {}, {"1": "1"}),
            )
        ),
    ],
)
def test_anything_else_is_no_count(value: Any, error: str) -> None:
    with pytest.raises(ValueError, match=rf"^{error}$"):
        read_count(value)


LONGEST = timedelta(seconds=45)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0.0", 0),
        ("00", 0),
        ("7", 7),
        ("0.05", 0.05),
        ("45", 45),
        ("45.01", 45),
        ("60", 45),
        ("999999999", 45),
    ],
)
def test_a_wait_is_a_number_of_seconds(text: str, seconds: float) -> None:
    assert read_wait(text, longest=LONGEST) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "x",
            "-1",
            "+1",
            "1e1",
            "1e400",
            "nan",
            "inf",
            "1.",
            ".5",
            "1,5",
            "1 ",
            "1\n",
        ),
        *("\u0663", "00000000000", "0.1234567890"),
    ],
)
def test_anything_else_is_no_wait(text: str) -> None:
    with pytest.raises(ValueError, match="wait must be a number of seconds, 0 or more"):
        read_wait(text, longest=LONGEST)


@pytest.mark.parametrize("text", ["0", "7", "05", "44.999999999", "45"])
def test_what_is_documented_as_a_wait_is_one(text: str) -> None:
    assert re.search(WAIT_PATTERN, text)
    assert read_wait(text, longest=LONGEST) == float(text)


@pytest.mark.parametrize(
    ("hostname", "name"),
    [
        ("one", "one"),
        ("ONE", "ONE"),
        ("one.example.test", "one"),
        ("one.any.thing", "one"),
        ("a-1.b--c", "a-1"),
        ("1", "1"),
        ("a" * 63, "a" * 63),
        (".".join(["a" * 63] * 3 + ["b" * 61]), "a" * 63),
    ],
)
def test_a_vm_is_known_by_what_stands_before_the_first_dot(hostname: str, name: str) -> None:
    assert short_name(hostname) == name


@pytest.mark.parametrize(
    "hostname",
    [
        *("", ".", "one.", ".one", "one..two", "-one", "one-", "one.-two", "no_name", "invalid_host!"),
        *("one two", "one\n", "é", "a" * 64, "one/two", "one:8080", "\x00", "\ud800"),
    ],
)
def test_a_hostname_consists_of_labels(hostname: str) -> None:
    with pytest.raises(BadRequest, match=r"^Invalid hostname format$"):
        short_name(hostname)


def test_a_hostname_has_at_most_253_characters() -> None:
    with pytest.raises(BadRequest, match=r"^Hostname too long$"):
        short_name("a." * 126 + "ab")


def test_a_day_is_written_as_in_iso_8601_and_stays_out_for_today() -> None:
    assert read_date("2024-02-29") == date(2024, 2, 29)
    assert read_date(None) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "01-01-2015", "20150101", "2015-1-1", "2015-01-01T00:00", "2015-W01-1", " 2015-01-01"),
        *("2015-01-01\n", "2020-13-45", "2023-02-29", "0000-01-01", "\u0662015-01-01"),
    ],
)
def test_anything_else_is_no_day(text: str) -> None:
    with pytest.raises(Unacceptable, match=rf"^Invalid date format '{text}', must match YYYY-MM-DD\.$"):
        read_date(text)
