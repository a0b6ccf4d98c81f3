"""Slurs: the bows that tie no pitch to itself, and the chords they go from and to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from ..symbols import SPACE, Curve, Seen
from .music import Bar, Event, Head, Slur
from .pitches import ties_heads

BEFORE, ASIDE = 0.5 * SPACE, 1.5 * SPACE
"""How far a slur may begin left of its chord, and how far right of it (mirrored at its end)."""
APART = 3.0 * SPACE
"""How far above or below its chord a slur may end."""
MARGIN = 3.0 * SPACE
"""How near the end of the line a slur comes that goes on in the next."""


@attrs.frozen(eq=False)
class _Line:
    """The chords of a system: which place their staff has, where they begin and end."""

    bars: Sequence[Bar]
    chords: Sequence[Event]

    def place(self, event: Event) -> int:
        return self.bars[0].staves.index(event.staff)

    def first(self, staff: int) -> float:
        """The left edge of a staff's first chord or rest."""
        xs = [e.x for bar in self.bars for e in bar.events if e.staff == staff]
        return min(xs, default=self.bars[0].right)


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
    left: list[tuple[int, Event, bool]] = []
    used: set[tuple[int, int]] = set()
    for number in range(len(seen.systems)):
        own = [bar for bar in bars if bar.system == number]
        if not own:
            continue
        line = _Line(own, [e for bar in own for e in bar.events if e.heads])
        leaving: list[tuple[int, Event, bool]] = []
        for curve in seen.curves:
            if curve in bows.values():
                continue
            start = _nearest(line.chords, curve, at_start=True)
            stop = _nearest(line.chords, curve, at_start=False)
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


def _runs_out(line: _Line, curve: Curve) -> bool:
    return curve.x2 > line.bars[-1].right - MARGIN


def _nearest(chords: Iterable[Event], curve: Curve, *, at_start: bool) -> Event | None:
    """The chord a curve begins or ends at."""
    best: tuple[float, Event] | None = None
    for event in chords:
        away = _away(event, curve, at_start=at_start)
        if away is not None and (best is None or away < best[0]):
            best = (away, event)
    return best[1] if best else None


def _away(event: Event, curve: Curve, *, at_start: bool) -> float | None:
    """How far a curve's end is from the side of a chord it bows on; None: too far."""
    x, y = (curve.x1, curve.y1) if at_start else (curve.x2, curve.y2)
    left, right = min(s.left for s in event.symbols), event.right
    inward = x - right if at_start else left - x
    outward = left - x if at_start else x - right
    if outward > BEFORE or inward > ASIDE:
        return None
    heads = [s.y for s in event.symbols]
    tops = [*heads, event.stem.top] if event.stem else heads
    feet = [*heads, event.stem.bottom] if event.stem else heads
    if curve.up:
        over, under = min(tops) - y, y - min(heads)
    else:
        over, under = y - max(feet), max(heads) - y
    if over > APART or under > 0:
        return None
    return max(over, 0.0) + 1.5 * max(outward, inward, 0.0)


def _join(
    start: Event, stop: Event, above: bool, used: set[tuple[int, int]], bows: dict[int, Curve]
) -> None:
    """Write down a slur, unless it was seen before or the bow is a tie's."""
    tied = [head for head in start.heads if head.tie_start]
    after = {head.diatonic for head in stop.heads if head.tie_stop}
    if any(head.diatonic in after and id(head) not in bows for head in tied):
        return
    if (id(start), id(stop)) not in used:
        used.add((id(start), id(stop)))
        slur = Slur(above)
        start.slur_starts.append(slur)
        stop.slur_stops.append(slur)
