"""Which chords a line of syllables is sung to: the cheapest way in order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import attrs

from ensemble_core.model import Box

from ...symbols import SPACE
from ..music import Event
from .cuts import cut, places, share
from .syllables import Syllable

UNSUNG, HELD = 1.2, 0.1
"""What it costs, in staff spaces, that a chord has no syllable; that one does not which is
tied or slurred to the one before it."""
RESTRUCK, SLURRED = 4.0, 0.6
"""What it costs that a chord has one though it is tied to the one before it, or slurred."""
SHARED = 1.5
"""What it costs that two words share a chord, as vowels that meet in Italian do."""
UNMARKED = 0.7
"""What it costs to cut a word where there is no hyphen."""
GUESSED = 0.7
"""How much it counts how far a piece is from its chord: where it is cut can only be guessed."""
MOST = 4
"""Into how many pieces a word is cut, at most."""
LOST = 6.0
"""What it costs that a syllable has no chord."""
FRINGE = 0.2
"""How much a chord without syllable counts before the first syllable and behind the last."""
CLOSE = 1.2 * SPACE
"""The widest gap between words that share a chord."""


@attrs.frozen(eq=False)
class Chord:
    """A moment that can be sung to.

    Attributes:
        event: The chord.
        middle, left: Where its heads stand.
        tied: It is tied to the one before it.
        slurred: It is slurred to the one before it, on one syllable.
    """

    event: Event
    middle: float
    left: float
    tied: bool
    slurred: bool

    @property
    def sung(self) -> float:
        """What it costs that it has a syllable."""
        return RESTRUCK if self.tied else SLURRED if self.slurred else 0.0

    @property
    def unsung(self) -> float:
        """What it costs that it has none."""
        return HELD if self.tied or self.slurred else UNSUNG

    def away(self, syllable: Syllable) -> float:
        """How far a syllable is from being centred on it, or from beginning with it, in spaces."""
        middle = (syllable.box.left + syllable.box.right) / 2
        centred = abs(middle - self.middle)
        begun = abs(syllable.box.left - self.left) + 0.3 * SPACE
        return min(centred, begun) / SPACE


@attrs.frozen
class _Way:
    """How a syllable came to be sung: the chord before it, and how many it takes itself."""

    cost: float
    before: int = 0
    takes: int = 0


def matched(
    found: Sequence[Syllable], chords: Sequence[Chord], *, joins: bool = True
) -> list[tuple[Syllable, Chord | None]]:
    """The syllables with their chords; a word that several chords share comes in pieces.

    Dynamic programming over the syllables; the state is the last chord that was sung to,
    counted from 1, 0 before the first.

    Args:
        found: The syllables of the line.
        chords: The chords above it.
        joins: Whether pieces of a word belong together though there is paper between them.
    """
    silence = [0.0]
    for chord in chords:
        silence.append(silence[-1] + chord.unsung)
    best = [0.0] + [math.inf] * len(chords)
    ways: list[list[_Way]] = []
    for number in range(len(found)):
        ways.append(_step(found[max(number - 1, 0) : number + 1], chords, best, silence))
        best = [way.cost for way in ways[-1]]
    ends = [cost + FRINGE * (silence[-1] - silence[k]) for k, cost in enumerate(best)]
    last = ends.index(min(ends))
    out: list[tuple[Syllable, Chord | None]] = []
    for syllable, row in zip(reversed(found), reversed(ways), strict=True):
        way = row[last]
        if way.takes < 2:
            out.append((syllable, chords[last - 1] if way.takes else None))
        else:
            own = chords[last - way.takes : last]
            out += reversed(list(zip(_pieces(syllable, own, joins=joins), own, strict=True)))
        last = way.before
    return out[::-1]


def _step(
    found: Sequence[Syllable],
    chords: Sequence[Chord],
    best: Sequence[float],
    silence: Sequence[float],
) -> list[_Way]:
    """The cheapest way with one more syllable, by the chord sung to last.

    Args:
        found: That syllable, and first the one before it if there is one.
        chords: All of the line.
        best: Costs without it.
        silence: What it costs to leave out all chords up to each.
    """
    syllable = found[-1]
    shares = len(found) == 2 and _may_share(*found)
    most = min(MOST, len({*places(syllable.text), *syllable.wide}) + 1)
    entries = _entries(best, silence)
    ways = [_Way(best[0] + LOST)]
    for k, chord in enumerate(chords, 1):
        before = entries[k - 1]
        fit = chord.away(syllable) + chord.sung
        here = [_Way(best[k] + LOST, k), attrs.evolve(before, cost=before.cost + fit, takes=1)]
        if shares:
            here.append(_Way(best[k] + SHARED, k, 1))
        for takes in range(2, min(most, k) + 1):
            own = chords[k - takes : k]
            if not _spans(syllable, own):
                break
            cost = entries[k - takes].cost + _cut_cost(syllable, own)
            here.append(_Way(cost, entries[k - takes].before, takes))
        ways.append(min(here, key=lambda way: way.cost))
    return ways


def _entries(best: Sequence[float], silence: Sequence[float]) -> list[_Way]:
    """The cheapest way to come to each chord from any before it; few unsung ones count at first."""
    found = []
    least, source = math.inf, 0
    for k in range(len(best)):
        if k and best[k] - silence[k] < least:
            least, source = best[k] - silence[k], k
        direct = best[0] + FRINGE * silence[k]
        over = least + silence[k]
        found.append(_Way(over, source) if over < direct else _Way(direct))
    return found


def _may_share(first: Syllable, second: Syllable) -> bool:
    """Whether two syllables are words that stand as close as words that share a chord."""
    joined = first.after or second.before
    return not joined and second.box.left - first.box.right < CLOSE


def _spans(syllable: Syllable, chords: Sequence[Chord]) -> bool:
    inside = syllable.box.left - SPACE < chords[0].middle
    return inside and chords[-1].middle < syllable.box.right + SPACE


def _cut_cost(syllable: Syllable, chords: Sequence[Chord]) -> float:
    pieces = _pieces(syllable, chords)
    if len(pieces) < len(chords):
        return math.inf
    away = sum(
        GUESSED * chord.away(piece) + chord.sung
        for piece, chord in zip(pieces, chords, strict=True)
    )
    return away + UNMARKED * (len(chords) - 1)


def _pieces(syllable: Syllable, chords: Sequence[Chord], *, joins: bool = True) -> list[Syllable]:
    """A word cut so that its pieces are nearest to its chords.

    Where there is more paper at a cut than between letters, two words may stand close; where
    words do so (``joins`` is false), they are not said to belong together.
    """
    box, text, edges = syllable.box, syllable.text, syllable.edges
    if len(edges) != len(text) + 1:
        edges = tuple(box.left + (box.right - box.left) * part for part in share(text))
    chosen = cut(text, edges, syllable.wide, [chord.middle for chord in chords]) or ()
    found = [
        attrs.evolve(
            syllable, text=text[a:b], box=Box(edges[a], box.top, edges[b], box.bottom),
            before=joins or a not in syllable.wide, after=joins or b not in syllable.wide,
        )
        for a, b in pairwise([0, *chosen, len(text)])
    ]  # fmt: skip
    found[0].before, found[-1].after = syllable.before, syllable.after
    return found
