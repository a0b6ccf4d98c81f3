"""What parts are called: the words left of the staves."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...symbols import SPACE, Seen, System, Word
from .terms import INSTRUMENTS, spelled

BEYOND = 2 * SPACE
"""How far above or below a part's staves its name may stand."""
LEAST = 0.5
"""How sure a word of a name must be."""


@attrs.frozen
class Name:
    """What a part is called in the first system, and what in the others; empty if nowhere."""

    full: str = ""
    short: str = ""


def part_names(seen: Seen, parts: Sequence[tuple[int, ...]]) -> list[Name]:
    """The name of each part.

    Args:
        seen: Its words are read.
        parts: Places of the staves of each part in a system.
    """
    found = []
    for places in parts:
        names = [_name(seen, system, places) for system in seen.systems]
        later = [name for name in names[1:] if name]
        short = max(later, key=later.count, default="")
        full = names[0] if names else ""
        found.append(Name(full or short, short if full else ""))
    return found


def _name(seen: Seen, system: System, places: Sequence[int]) -> str:
    """The words left of a part's staves, line by line; each word stands nearest to them."""
    indices = [system.staves[place] for place in places if place < len(system.staves)]
    if not indices:
        return ""
    top = seen.staves[indices[0]].y(8, seen.staves[indices[0]].left)
    bottom = seen.staves[indices[-1]].y(0, seen.staves[indices[-1]].left)
    left = min(seen.staves[index].left for index in system.staves)
    words = [
        word for word in seen.words
        if word.right < left and word.confidence >= LEAST
        and top - BEYOND < (word.top + word.bottom) / 2 < bottom + BEYOND
    ]  # fmt: skip
    words = [word for word in words if _owned(seen, system, word, indices)]
    if not any(c.isalpha() for word in words for c in word.text):
        return ""
    return " ".join(spelled(word.text, INSTRUMENTS) for word in _in_rows(words))


def _owned(seen: Seen, system: System, word: Word, indices: Sequence[int]) -> bool:
    """Whether no other staff of the system is nearer to a word."""
    y = (word.top + word.bottom) / 2

    def away(index: int) -> float:
        staff = seen.staves[index]
        top, bottom = staff.y(8, staff.left), staff.y(0, staff.left)
        return max(top - y, y - bottom, 0.0)

    return min(map(away, indices)) <= min(map(away, system.staves))


def _in_rows(words: Sequence[Word]) -> list[Word]:
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda w: w.baseline):
        if rows and word.baseline - rows[-1][0].baseline < 0.5 * SPACE:
            rows[-1].append(word)
        else:
            rows.append([word])
    return [word for row in rows for word in sorted(row, key=lambda w: w.left)]
