"""Words beside the staves that say how to play: what belongs together, where it holds."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs

from ...symbols import SPACE, Seen, Symbol, Word
from ..music import Bar, Direction, Value
from .metronomes import metronomes
from .phrases import LEVEL, Phrase, phrases
from .terms import ABOVE, BELOW, TEMPO, is_term, spelled
from .verses import Line, is_dash

LEAST, LEAST_SHORT = 0.4, 0.6
"""How sure a word must be, and one of up to three letters."""
SURE = 0.95
"""How sure a word is that is not taken for another of as many letters."""
FAR, SLANTED, FARTHEST = 5 * SPACE, 7 * SPACE, 10 * SPACE
"""How far from the nearest staff words may stand: plain ones, slanted or bold ones, terms."""
LARGE = 1.35 * SPACE
"""Height of a small letter from which on words above the first staff are a title."""
LEANING, SURELY = 2 * SPACE, 4 * SPACE
"""How much nearer words count to the side of the staff where such words mostly stand, terms
to theirs."""
TOLD_TWICE = 4 * SPACE
"""The widest gap between bold phrases that say the same in two languages."""
EARLY = 1.2 * SPACE
"""How far a phrase may begin left of the chord it holds from."""
_MOVEMENT = re.compile(r"[IVX]{1,4}\.")
_CONTINUED = re.compile(r"\((cresc|decresc|dim)\w*\.?\)_*", re.IGNORECASE)
"""What is put at the beginning of a line where such a word goes on from the line before."""
_PLACEHOLDER = re.compile(r"Instrument e?ch?a", re.IGNORECASE)
"""What MuseScore prints where the instrument changes and nothing is said about it."""
_ADDRESS = re.compile(r":/|/\w+/|www\.|@|©", re.IGNORECASE)
"""What stands in imprints, not in music."""
_REHEARSAL = re.compile(r"[A-Z]{1,2}")
SIGNS = frozenset("pmfszr")
"""Letters of dynamic signs, which are read as signs."""


def attach_words(seen: Seen, bars: Sequence[Bar], lines: Sequence[Line]) -> None:
    """Give bars the words beside their staves as directions.

    Left out are those that are sung, names of parts, titles, numbers, and letters of dynamics.

    Args:
        seen: Its words are read.
        bars: Solved bars.
        lines: The lines that are sung.
    """
    beside = Beside(seen, bars, lines)
    sung = {word for line in lines for word in line.words}
    signs = [symbol for symbol in seen.symbols if symbol.kind.startswith("dynamic-")]
    words = [
        attrs.evolve(word, text=_corrected(word))
        for word in seen.words
        if word not in sung and _counts(signs, word)
    ]
    marks = list(metronomes(seen, words))
    taken = {word for mark in marks for word in mark.words}
    for phrase in phrases(word for word in words if word not in taken):
        if _says_something(phrase):
            beside.attach(phrase, "words", phrase.text)
        elif phrase.bold and _REHEARSAL.fullmatch(phrase.text):
            beside.attach(phrase, "rehearsal", phrase.text)
    for mark in marks:
        beside.attach(Phrase(mark.words), "metronome", str(mark.count), mark.beat)


def _corrected(word: Word) -> str:
    """A word spelled as the term it is like; in one that is sure, only lost letters come back."""
    text = spelled(word.text)
    return text if word.confidence < SURE or len(text) > len(word.text) else word.text


def _counts(signs: Sequence[Symbol], word: Word) -> bool:
    """Whether a word was read surely enough, and is no dynamic sign."""
    if is_dash(word) or word.confidence < (LEAST if len(word.text) > 3 else LEAST_SHORT):
        return False
    covered = sum(
        max(0.0, min(word.right, symbol.right) - max(word.left, symbol.left))
        for symbol in signs
        if word.top - 2 < symbol.y < word.bottom + 2
    )
    return covered < 0.6 * (word.right - word.left)


def _says_something(phrase: Phrase) -> bool:
    letters = [c for c in phrase.text if c.isalpha()]
    if _CONTINUED.fullmatch(phrase.text) or _PLACEHOLDER.match(phrase.text):
        return False
    if _ADDRESS.search(phrase.text):
        return False
    if len(letters) < 3 and "." not in phrase.text:
        return False
    if phrase.has(TEMPO | ABOVE | BELOW) or _MOVEMENT.fullmatch(phrase.text):
        return True
    return len(letters) > 1 and not set(letters) <= SIGNS


class Beside:
    """Finds the staff and the moment words belong to."""

    def __init__(self, seen: Seen, bars: Sequence[Bar], lines: Sequence[Line]) -> None:
        self.seen, self.bars = seen, bars
        self.tops = {system.staves[0] for system in seen.systems}
        self.tempi: list[tuple[float, Phrase]] = []
        self.verses = {
            line.staff: max(other.drop for other in lines if other.staff == line.staff)
            for line in lines
        }

    def attach(self, phrase: Phrase, kind: str, text: str, beat: Value | None = None) -> None:
        """Give a phrase to its bar, if it stands beside one."""
        found = self._staff(phrase, tempo=beat is not None)
        if found is None:
            return
        staff, above = found
        if kind == "rehearsal" and (staff not in self.tops or not above):
            return
        left = self._begin(phrase, tempo=beat is not None)
        bar = self._bar(staff, left)
        if bar is None:
            return
        sure = min(word.confidence for word in phrase.words)
        onset = moment(bar, staff, left)
        bar.directions.append(
            Direction(
                kind, staff, onset, phrase.box, above, text, sure,
                phrase.italic, phrase.bold, beat,
            )
        )  # fmt: skip

    def _begin(self, phrase: Phrase, *, tempo: bool) -> float:
        """The place a phrase holds from; a tempo may be told twice, the second time as beats."""
        box = phrase.box
        if not (phrase.bold or tempo):
            return box.left
        left = box.left
        for first, last in self.tempi:
            apart = abs(last.words[0].baseline - phrase.words[0].baseline)
            if apart < LEVEL and 0 < box.left - last.box.right < TOLD_TWICE * (1 + tempo):
                left = first
        self.tempi.append((left, phrase))
        return left

    def _staff(self, phrase: Phrase, *, tempo: bool) -> tuple[int, bool] | None:
        """The staff a phrase belongs to, and whether it stands above it; None: to none."""
        box, up = phrase.box, tempo or _leans_up(phrase)
        leaning = SURELY if tempo or phrase.has(TEMPO | ABOVE | BELOW) else LEANING
        x = max(box.left, 0.0)
        best: tuple[float, int, bool] | None = None
        for number, staff in enumerate(self.seen.staves):
            if not staff.left - SPACE < x < staff.right:
                continue
            for above in (True, False):
                gap = staff.y(8, x) - box.bottom if above else box.top - staff.y(0, x)
                if not -1.5 * SPACE < gap < self._reach(phrase, number, tempo=tempo):
                    continue
                if not above and gap > self.verses.get(number, gap):
                    gap += FARTHEST  # what is sung lies between
                cost = gap + (0 if above == up else leaning)
                if best is None or cost < best[0]:
                    best = cost, number, above
        return best[1:] if best else None

    def _reach(self, phrase: Phrase, staff: int, *, tempo: bool) -> float:
        """How far from a staff a phrase may be; above the first one titles stand."""
        if not staff and not phrase.bold and max(w.height for w in phrase.words) > LARGE:
            return 0.0
        if tempo or any(is_term(word.text) for word in phrase.words):
            return FARTHEST
        slack = 0.0 if staff else 1.5 * SPACE
        return (SLANTED if phrase.italic or phrase.bold else FAR) - slack

    def _bar(self, staff: int, x: float) -> Bar | None:
        own = [bar for bar in self.bars if staff in bar.staves and x < bar.right - EARLY / 2]
        return min(own, key=lambda bar: bar.left, default=None)


def _leans_up(phrase: Phrase) -> bool:
    """Whether such words mostly stand above their staff."""
    if phrase.has(BELOW):
        return False
    if phrase.has(TEMPO) or phrase.has(ABOVE):
        return True
    return not phrase.italic


def moment(bar: Bar, staff: int, x: float) -> int:
    """Tick of the bar from which words hold that begin at x: that of the chord there."""
    own = [event for event in bar.events if event.staff == staff and not event.grace]
    others = [event for event in bar.events if not event.grace]
    for events in (own, others):
        here = [event for event in events if abs(event.x - x) < EARLY and not event.whole_bar]
        if here:
            return min(here, key=lambda event: abs(event.x - x)).onset
    before = [event.onset for event in others if event.x < x and not event.whole_bar]
    return max(before, default=0)
