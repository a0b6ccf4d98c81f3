"""Words that belong together: those that stand close on one line, set alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

import attrs

from ensemble_core.model import Box

from ..symbols import SPACE, Word
from .terms import plain

LEVEL = 0.4 * SPACE
"""How far words of a phrase may be off one baseline."""
GAP = 1.6
"""The widest gap between words of a phrase, in heights of a small letter."""


@attrs.frozen
class Phrase:
    """Words that belong together, on one line."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """Its words."""
        return " ".join(word.text for word in self.words)

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
        return 2 * sum(w.italic for w in self.words) > len(self.words)

    @property
    def bold(self) -> bool:
        """Whether most of it is bold."""
        return 2 * sum(w.bold for w in self.words) > len(self.words)

    def has(self, terms: Set[str]) -> bool:
        """Whether one of its words is one of these terms."""
        return any(plain(word.text) in terms for word in self.words)


def phrases(words: Iterable[Word]) -> Iterator[Phrase]:
    """Words that stand close on one line, set alike."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda w: w.left):
        for row in rows:
            if _goes_on(row[-1], word):
                row.append(word)
                break
        else:
            rows.append([word])
    return (Phrase(tuple(row)) for row in rows)


def _goes_on(last: Word, word: Word) -> bool:
    height = max(last.height, word.height)
    return (
        abs(last.baseline - word.baseline) < LEVEL
        and -0.5 * height < word.left - last.right < GAP * height
        and (last.italic, last.bold) == (word.italic, word.bold)
    )
