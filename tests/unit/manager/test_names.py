"""The names that VMs get."""

import re
from collections import Counter

import pytest

from vmpooler_manager.lifecycle.names import LONGEST, NameGenerator

MANY = 2_000
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@pytest.fixture(scope="module")
def names() -> list[str]:
    return [name for name, _ in NameGenerator("").generate(MANY)]


def test_as_many_names_are_generated_as_were_asked_for() -> None:
    assert [len(NameGenerator("").generate(count)) for count in (0, 1, 7)] == [0, 1, 7]


def test_a_name_is_two_words_of_letters_with_a_hyphen_between(names: list[str]) -> None:
    assert all(re.fullmatch(r"[a-z]+-[a-z]+", name) for name in names)


def test_no_name_is_longer_than_netbios_allows(names: list[str]) -> None:
    assert max(map(len, names)) <= LONGEST == 15


def test_a_name_is_a_dns_label_with_the_longest_prefix_in_front() -> None:
    prefix = "x" * 48
    names = [name for name, _ in NameGenerator(prefix).generate(MANY)]
    assert all(LABEL.fullmatch(name) for name in names)
    assert all(name.startswith(prefix) for name in names)


def test_the_prefix_does_not_count() -> None:
    names = [name.removeprefix("pool-") for name, _ in NameGenerator("pool-").generate(MANY)]
    assert max(map(len, names)) > LONGEST - len("pool-")


def test_names_seldom_meet(names: list[str]) -> None:
    """Of the names in use by 2,000 VMs few are generated again; reserving passes over those."""
    assert len(set(names)) > MANY * 0.97


def test_no_word_is_generated_far_more_often_than_the_others(names: list[str]) -> None:
    words = Counter(word for name in names for word in name.split("-"))
    assert words.most_common(1)[0][1] < MANY * 0.03


def test_every_attempt_is_another() -> None:
    attempts = {attempt for _, attempt in NameGenerator("").generate(MANY)}
    assert len(attempts) == MANY


def test_no_name_makes_anybody_blush(names: list[str]) -> None:
    unfit = {"arse", "bitch", "boob", "cock", "crap", "cunt", "damn", "dick", "fuck", "naked", "sex", "shit",
             "slut", "tit", "tits", "whore"}  # fmt: skip
    assert not {word for name in names for word in name.split("-")} & unfit
