"""Which of the words on a page are sung, and to which staff: the lines of verses below it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import attrs

from ...symbols import SPACE, Seen, Staff, Word
from ..music import Bar
from .terms import fills, is_term

LEVEL = 0.4 * SPACE
"""How far the words of a line may be off its baseline."""
DEEPEST = 16 * SPACE
"""How far below the lowest staff of a page words may be sung."""
DENSE = 0.3
"""Words to a chord, between a line's first word and its last, where they are sung."""
NEXT = 4.0 * SPACE
"""How far below each other the lines of two verses are, at most."""
FEWEST, SCARCE = 3, 0.08
"""How many words are sung from the staves in one place, and how many to a chord, at least."""
STRAY = 3.0 * SPACE
"""How far a word that stands alone may be off the lines of the same staff in other systems."""
DASHES = "-‐‑–—−"


@attrs.define(eq=False)
class Line:
    """Words on one baseline below a staff.

    Attributes:
        system: Index into ``Seen.systems``.
        place: The staff's place in it.
        staff: Index into ``Seen.staves``.
        drop: How far the baseline is below the staff's bottom line.
        words: From left to right, dashes among them.
    """

    system: int
    place: int
    staff: int
    drop: float
    words: list[Word]

    @property
    def texts(self) -> list[Word]:
        """The words that have letters."""
        return [word for word in self.words if any(c.isalpha() for c in word.text)]

    @property
    def slanted(self) -> bool:
        """Whether most of it is in italics."""
        return 2 * sum(word.italic for word in self.texts) > len(self.texts)


def is_dash(word: Word) -> bool:
    """Whether it is a hyphen that stands by itself."""
    return bool(word.text) and all(c in DASHES for c in word.text)


def verse_lines(seen: Seen, bars: Sequence[Bar]) -> list[Line]:
    """The lines that are sung, system by system, those of a staff from the top down.

    A line is sung if most of its words are neither terms nor slanted, and if there are about
    as many as chords above them; lines of few words are if the staff in their place is sung
    from in other systems.
    """
    lines = [line for line in _lines(seen) if line.texts]
    sure = [line for line in lines if _evidence(line) >= 1.5 and _dense(line, bars)]
    for place in {line.place for line in sure}:
        words = sum(len(line.texts) for line in sure if line.place == place)
        chords = sum(len(_moments(bar, bar.staves[place])) for bar in bars
                     if place < len(bar.staves))  # fmt: skip
        if words < max(FEWEST, SCARCE * chords):
            sure = [line for line in sure if line.place != place]
    sung: list[Line] = []
    for line in lines:
        alike = [other for other in sure if other.place == line.place]
        if line in sure or (alike and _evidence(line) >= 0 and _resembles(line, alike)):
            above = sung[-1].drop if sung and sung[-1].staff == line.staff else None
            if above is None or line.drop - above < NEXT:
                sung.append(line)
    return sung


def _resembles(line: Line, others: Sequence[Line]) -> bool:
    drops = [other.drop for other in others]
    if not min(drops) - STRAY < line.drop < max(drops) + STRAY:
        return False
    usual = median(word.height for other in others for word in other.texts)
    return (line.slanted <= max(other.slanted for other in others)) and all(
        0.7 * usual < word.height < 1.4 * usual for word in line.texts
    )


def _moments(bar: Bar, staff: int) -> dict[int, float]:
    """Where the chords of a bar's staff stand, by onset."""
    return {
        event.onset: event.middle
        for event in bar.events
        if event.staff == staff and event.heads and not event.grace
    }


def _evidence(line: Line) -> float:
    """How much speaks for its being sung, about 1 a word."""
    found = 0.0
    for word in line.words:
        if is_dash(word):
            found += 0.5
        elif not any(c.isalpha() for c in word.text):
            continue
        elif is_term(word.text):
            found -= 1.5
        elif not fills(word.text):
            found += 0.2 if word.italic else 0.4 if word.bold else 1.0
    return found


def _dense(line: Line, bars: Sequence[Bar]) -> bool:
    texts = line.texts
    left, right = texts[0].left - SPACE, texts[-1].right + SPACE
    chords = sum(
        left < x < right
        for bar in bars if bar.system == line.system
        for x in _moments(bar, line.staff).values()
    )  # fmt: skip
    return bool(chords) and len(texts) >= DENSE * chords


def _lines(seen: Seen) -> list[Line]:
    """All words below each staff and above the next one, in lines."""
    found = []
    for number, system in enumerate(seen.systems):
        for place, index in enumerate(system.staves):
            staff, below = seen.staves[index], _below(seen, index)
            own = [word for word in seen.words if _between(word, staff, below)]
            for drop, words in _levels(own, staff):
                found.append(Line(number, place, index, drop, words))
    return found


def _below(seen: Seen, index: int) -> Staff | None:
    """The next staff down the page that overlaps a staff."""
    staff = seen.staves[index]
    lower = [
        other for other in seen.staves
        if other.left < staff.right and staff.left < other.right
        and other.y(4, other.left) > staff.y(0, staff.left)
    ]  # fmt: skip
    return min(lower, key=lambda other: other.y(4, other.left), default=None)


def _between(word: Word, staff: Staff, below: Staff | None) -> bool:
    x = (word.left + word.right) / 2
    if not staff.left - 2 * SPACE < x < staff.right + 2 * SPACE:
        return False
    y = (word.top + word.bottom) / 2
    drop = y - staff.y(0, x)
    return 0 < drop < DEEPEST and (below is None or y < below.y(8, x))


def _levels(words: Iterable[Word], staff: Staff) -> list[tuple[float, list[Word]]]:
    """Words in lines, from the top down, each with its drop."""

    def drop(word: Word) -> float:
        x = (word.left + word.right) / 2
        return word.baseline - staff.y(0, x)

    words = list(words)
    lines: list[list[Word]] = []
    for word in sorted((w for w in words if not is_dash(w)), key=drop):
        if lines and drop(word) - median(map(drop, lines[-1])) < LEVEL:
            lines[-1].append(word)
        else:
            lines.append([word])
    found = [(median(map(drop, line)), line) for line in lines]
    for dash in (w for w in words if is_dash(w)):
        x, y = (dash.left + dash.right) / 2, (dash.top + dash.bottom) / 2
        own = y - staff.y(0, x)
        for level, line in found:
            if abs(own - level + 0.5 * median(w.height for w in line)) < LEVEL:
                line.append(dash)
                break
    return [(level, sorted(line, key=lambda w: w.left)) for level, line in found]
