"""Words that belong together: those that stand close on one line, set alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from itertools import pairwise

import attrs

from ensemble_core.model import Box

from ...symbols import SPACE, Word
from .terms import plain

LEVEL = 0.4 * SPACE
"""How far words of a phrase may be off one baseline."""
GAP = 1.6
"""The widest gap between words of a phrase, in heights of a small letter."""
NEAR = 0.8
"""The widest gap at which a word belongs to those before it though it is set a little otherwise."""
TOLD = 3
"""Letters of a word from which on it can be told how it is set."""


@attrs.frozen
class Phrase:
    """Words that belong together, on one line."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """Its words."""
        text = " ".join(word.text for word in self.words)
        return text.strip("()[] ") if text.count("(") != text.count(")") else text

    @property
    def box(self) -> Box:
        """Where it stands."""
        return Box(
            min(w.left for w in self.words), min(w.top for w in self.words),
            max(w.right for w in self.words), max(w.bottom for w in self.words),
        )  # fmt: skip

    @property
    def italic(self) -> bool:
        """Whether most of it is slanted."""
        return self._mostly([w.italic for w in self.words])

    @property
    def bold(self) -> bool:
        """Whether most of it is bold."""
        return self._mostly([w.bold for w in self.words])

    def _mostly(self, given: list[bool]) -> bool:
        sizes = [max(len(word.text), 1) for word in self.words]
        return 2 * sum(n for n, so in zip(sizes, given, strict=True) if so) > sum(sizes)

    def has(self, terms: Set[str]) -> bool:
        """Whether one of its words is one of these terms."""
        return any(plain(word.text) in terms for word in self.words)


def phrases(words: Iterable[Word]) -> Iterator[Phrase]:
    """Words that stand close on one line, set alike."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda w: w.left):
        for row in rows:
            if _goes_on(row, word):
                row.append(word)
                break
        else:
            rows.append([word])
    for row in rows:
        start = 0
        for place, (word, following) in enumerate(pairwise(row)):
            if place > start and _returns(word, following):
                yield Phrase(tuple(row[start:place]))
                start = place
        yield Phrase(tuple(row[start:]))


def _returns(word: Word, following: Word) -> bool:
    """Whether two words say that the tempo is as before, which is never the end of a phrase."""
    return plain(word.text) == "a" and plain(following.text) == "tempo"


def _goes_on(row: list[Word], word: Word) -> bool:
    last = row[-1]
    height = max(last.height, word.height)
    gap = word.left - last.right
    return (
        abs(last.baseline - word.baseline) < LEVEL
        and -0.5 * height < gap < GAP * height
        and _turns(row, word) <= (1 if gap < NEAR * height else 0)
    )


def _turns(row: list[Word], word: Word) -> int:
    """In how much a word is set differently from those before it: slant and weight.

    Of short words that can hardly be told.
    """
    told = [other for other in row if _letters(other) >= TOLD]
    if not told or _letters(word) < TOLD:
        return 0
    return (told[-1].italic != word.italic) + (told[-1].bold != word.bold)


def _letters(word: Word) -> int:
    return sum(c.isalpha() for c in word.text)
