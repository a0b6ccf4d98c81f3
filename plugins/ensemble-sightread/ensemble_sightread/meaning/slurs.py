"""Slurs: the bows that tie no pitch to itself, and the chords they go from and to."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from ..symbols import SPACE, Curve, Hairpin, Seen
from .music import Bar, Event, Head, Slur
from .pitches import ties_heads

Floats = NDArray[np.float64]

BEFORE, ASIDE = 0.5 * SPACE, 1.5 * SPACE
"""How far a slur may begin left of its chord, and how far right of it (mirrored at its end)."""
APART = 3.0 * SPACE
"""How far above or below its chord a slur may end."""
MARGIN = 3.0 * SPACE
"""How near the end of the line a slur comes that goes on in the next."""


@attrs.frozen(eq=False)
class _Line:
    """A system: its chords, and where they stand.

    Attributes:
        bars: Its bars.
        chords: Its chords.
        left, right: Their edges, shape (n,).
        high, low: y of their highest and lowest head.
        top, foot: The same with the stem.
        reach: Least and greatest y at which a curve may end at one of them.
    """

    bars: Sequence[Bar]
    chords: Sequence[Event]
    left: Floats
    right: Floats
    high: Floats
    low: Floats
    top: Floats
    foot: Floats
    reach: tuple[float, float]

    @classmethod
    def of(cls, bars: Sequence[Bar]) -> _Line:
        chords = [event for bar in bars for event in bar.events if event.heads]
        rows = [_edges(event) for event in chords]
        left, right, high, low, top, foot = np.array(rows, dtype=np.float64).reshape(-1, 6).T
        reach = float(top.min(initial=np.inf)) - APART, float(foot.max(initial=-np.inf)) + APART
        return cls(bars, chords, left, right, high, low, top, foot, reach)

    def place(self, event: Event) -> int:
        return self.bars[0].staves.index(event.staff)

    def first(self, staff: int) -> float:
        """The left edge of a staff's first chord or rest."""
        xs = [e.x for bar in self.bars for e in bar.events if e.staff == staff]
        return min(xs, default=self.bars[0].right)

    def nearest(self, curve: Curve, *, at_start: bool) -> Event | None:
        """The chord a curve begins or ends at: on the side it bows to, and not too far."""
        x, y = (curve.x1, curve.y1) if at_start else (curve.x2, curve.y2)
        if not self.reach[0] <= y <= self.reach[1]:
            return None
        inward = x - self.right if at_start else self.left - x
        outward = self.left - x if at_start else x - self.right
        if curve.up:
            over, under = self.top - y, y - self.high
        else:
            over, under = y - self.foot, self.low - y
        near = (outward <= BEFORE) & (inward <= ASIDE) & (over <= APART) & (under <= 0)
        numbers = np.flatnonzero(near)
        if not numbers.size:
            return None
        aside = np.maximum(np.maximum(outward, inward), 0.0)
        away = np.maximum(over, 0.0) + 1.5 * aside
        return self.chords[int(numbers[away[numbers].argmin()])]


def _edges(event: Event) -> tuple[float, ...]:
    """Left and right edge of a chord, highest and lowest head, top and foot."""
    symbols = event.symbols
    high, low = min(s.y for s in symbols), max(s.y for s in symbols)
    stem = event.stem
    top, foot = (min(high, stem.top), max(low, stem.bottom)) if stem else (high, low)
    return min(s.left for s in symbols), max(s.right for s in symbols), high, low, top, foot


def slurs(seen: Seen, bars: Sequence[Bar], ties: Sequence[tuple[Head, Head]]) -> None:
    """Give each chord the slurs that begin or end at it.

    A bow that runs over the end of a line goes on in the bow that begins before the first
    chord of the next one. A bow with an end that no chord is near is left out.

    Args:
        seen: Its curves are read.
        bars: Solved bars.
        ties: The heads that are tied.
    """
    bows = _bows(seen, ties)
    taken = set(bows.values())
    curves = [c for c in seen.curves if c not in taken and not _of_hairpins(c, seen.hairpins)]
    left: list[tuple[int, Event, bool]] = []
    used: set[tuple[int, int, bool]] = set()
    for number in range(len(seen.systems)):
        own = [bar for bar in bars if bar.system == number]
        if not own:
            continue
        line = _Line.of(own)
        leaving: list[tuple[int, Event, bool]] = []
        for curve in curves:
            start = line.nearest(curve, at_start=True)
            stop = line.nearest(curve, at_start=False)
            if start and stop and start is not stop:
                if start.staff == stop.staff and start.middle + 0.5 * SPACE < stop.middle:
                    _join(start, stop, curve.up, used, bows)
            elif start and _runs_out(line, curve):
                leaving.append((line.place(start), start, curve.up))
            elif stop and curve.x1 < line.first(stop.staff) - BEFORE:
                here = [f for f in left if f[0] == line.place(stop) and f[2] == curve.up]
                if len(here) == 1:
                    left.remove(here[0])
                    _join(here[0][1], stop, curve.up, used, bows)
        left = leaving


def _bows(seen: Seen, ties: Sequence[tuple[Head, Head]]) -> dict[int, Curve]:
    """The curve of each tie that one was seen for, by ``id()`` of its first head."""
    found = {}
    for a, b in ties:
        fitting = [curve for curve in seen.curves if ties_heads(curve, a, b)]
        if fitting:
            y = a.symbol.y + b.symbol.y
            found[id(a)] = min(fitting, key=lambda curve: abs(curve.y1 + curve.y2 - y))
    return found


def _of_hairpins(curve: Curve, hairpins: Sequence[Hairpin]) -> bool:
    """Whether a bow is made of lines of hairpins that follow one another."""
    inside = 0
    for part in (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95):
        x, y = curve.x1 + part * (curve.x2 - curve.x1), curve.y1 + part * (curve.y2 - curve.y1)
        inside += any(
            h.x1 - 4 < x < h.x2 + 4 and abs(y - h.y) < max(h.left, h.right) / 2 + 3
            for h in hairpins
        )
    return inside > 5


def _runs_out(line: _Line, curve: Curve) -> bool:
    return curve.x2 > line.bars[-1].right - MARGIN


def _join(
    start: Event, stop: Event, above: bool, used: set[tuple[int, int, bool]], bows: dict[int, Curve]
) -> None:
    """Write down a slur, unless it was seen before or the bow is a tie's."""
    tied = [head for head in start.heads if head.tie_start]
    after = {head.diatonic for head in stop.heads if head.tie_stop}
    if any(head.diatonic in after and id(head) not in bows for head in tied):
        return
    if (id(start), id(stop), above) not in used:
        used.add((id(start), id(stop), above))
        slur = Slur(above)
        start.slur_starts.append(slur)
        stop.slur_stops.append(slur)
