"""Host names for new VMs: an adjective and a noun, such as `quiet-harbor`."""

import secrets
from collections import defaultdict
from itertools import accumulate
from random import SystemRandom

from wonderwords import RandomWord, is_profanity

LONGEST = 15
"""Characters of a name without its prefix: what NetBIOS, and so Windows, allows."""
_LONGEST_NOUN = 10


class NameGenerator:
    """Draws names evenly from all adjective-noun pairs that fit; millions of them.

    Uniqueness isn't its business: reserving a name in the store is.
    """

    def __init__(self, prefix: str) -> None:
        words = RandomWord()
        nouns = words.filter(include_categories=["noun"], regex=f"[a-z]{{2,{_LONGEST_NOUN}}}")
        adjectives = words.filter(include_categories=["adjective"], regex=f"[a-z]{{3,{LONGEST - 3}}}")
        self._prefix = prefix
        self._random = SystemRandom()
        self._adjectives: dict[int, list[str]] = defaultdict(list)
        for adjective in adjectives:
            if not is_profanity(adjective):
                self._adjectives[len(adjective)].append(adjective)
        self._nouns = [noun for noun in nouns if not is_profanity(noun)]
        self._weights = list(accumulate(self._fitting(noun) for noun in self._nouns))

    def draw(self, count: int) -> list[tuple[str, str]]:
        """Give so many (name, attempt) pairs; an attempt tells two VMs of one name apart."""
        nouns = self._random.choices(self._nouns, cum_weights=self._weights, k=count)
        return [(f"{self._prefix}{self._adjective_for(noun)}-{noun}", secrets.token_hex(6)) for noun in nouns]

    def _room(self, noun: str) -> int:
        return LONGEST - 1 - len(noun)

    def _fitting(self, noun: str) -> int:
        return sum(len(words) for size, words in self._adjectives.items() if size <= self._room(noun))

    def _adjective_for(self, noun: str) -> str:
        choice = self._random.randrange(self._fitting(noun))
        for size in sorted(self._adjectives):
            if choice < len(self._adjectives[size]):
                return self._adjectives[size][choice]
            choice -= len(self._adjectives[size])
        raise AssertionError("the choice is below the number of fitting adjectives")
