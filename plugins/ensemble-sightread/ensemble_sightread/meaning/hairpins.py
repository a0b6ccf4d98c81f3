"""From which chord and up to the end of which one each hairpin goes."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ensemble_core.model import Box

from ..symbols import SPACE, Hairpin, Seen
from .directions import bar_at, beside, braced, columns
from .music import Bar, Direction, Event, Mark, Span

BEHIND = 1.6 * SPACE
"""How far a hairpin may begin right of the dynamic sign that stands before it."""
EARLY = 0.6 * SPACE
"""How far right of a chord's left edge a hairpin may begin at it."""
ACCENT, ASIDE, AWAY = 2.0 * SPACE, 0.35 * SPACE, 2.5 * SPACE
"""What closes is an accent that was not seen if it is shorter than this, stands so much beside
the middle of a chord and so far above or below it, at most."""
WITHIN = 1.55 * SPACE
"""How far right of a chord's left edge a hairpin ends that ends at the chord's right edge."""
MARGIN = 2.5 * SPACE
"""How near the end of the line a hairpin comes that goes on in the next."""


@attrs.define(eq=False)
class _Wedge:
    """A hairpin, beside which staff it stands and in which bars it begins and ends."""

    hairpin: Hairpin
    staff: int
    above: bool
    bars: tuple[Bar, Bar]


def add_hairpins(seen: Seen, bars: Sequence[Bar]) -> None:
    """Put the hairpins of a page into its bars, which are solved and have their dynamics.

    A hairpin that comes to the end of a line goes on in the one that opens as it does at the
    beginning of the next.
    """
    found = [wedge for h in seen.hairpins if (wedge := _wedge(seen, bars, h))]
    wedges = [wedge for wedge in found if not _accent(wedge)]
    late = _late(seen, wedges)
    open_ends: list[tuple[_Wedge, Span, Bar]] = []
    for wedge in sorted(wedges, key=lambda w: (w.bars[0].system, w.hairpin.x1)):
        before = next((end for end in open_ends if _goes_on(seen, bars, end[0], wedge)), None)
        if before:
            open_ends.remove(before)
            span = before[1]
            _take_stop(before[2], span)
        else:
            span = Span()
            _start(seen, wedge, span)
        _stop(seen, wedge, span, late)
        open_ends.append((wedge, span, wedge.bars[1]))


def _wedge(seen: Seen, bars: Sequence[Bar], hairpin: Hairpin) -> _Wedge | None:
    place = beside(seen, (hairpin.x1 + hairpin.x2) / 2, hairpin.y)
    if place is None:
        return None
    first = bar_at(bars, place[0], hairpin.x1 + 0.3 * SPACE)
    last = bar_at(bars, place[0], hairpin.x2 - 0.5 * SPACE)
    return _Wedge(hairpin, *place, (first, last)) if first and last else None


def _accent(wedge: _Wedge) -> bool:
    """Whether a sign is an accent; then its chord has it."""
    hairpin = wedge.hairpin
    if hairpin.opens or hairpin.x2 - hairpin.x1 > ACCENT:
        return False
    middle = (hairpin.x1 + hairpin.x2) / 2
    for event in wedge.bars[0].events:
        if not event.heads or event.staff != wedge.staff or abs(event.middle - middle) > ASIDE:
            continue
        ys = [y for symbol in event.symbols for y in (symbol.top, symbol.bottom)]
        ys += [event.stem.top, event.stem.bottom] if event.stem else []
        if min(ys) - AWAY < hairpin.y < max(ys) + AWAY:
            if all(mark.name != "accent" for mark in event.marks):
                event.marks.append(Mark("accent", above=hairpin.y < event.y))
            return True
    return False


def _goes_on(seen: Seen, bars: Sequence[Bar], a: _Wedge, b: _Wedge) -> bool:
    """Whether a hairpin of one line goes on in another of the next."""
    if b.bars[0].system != a.bars[1].system + 1 or a.hairpin.opens != b.hairpin.opens:
        return False
    before, after = a.bars[1], b.bars[0]
    if before.staves.index(a.staff) != after.staves.index(b.staff):
        return False
    chords = columns(after, (b.staff,))
    first = chords[0].x if chords else after.right
    last = all(bar.right <= before.right for bar in bars if bar.system == before.system)
    reaches = last and a.hairpin.x2 > before.right - MARGIN
    return reaches and after.starts_system and b.hairpin.x1 < first - 0.2 * SPACE


def _start(seen: Seen, wedge: _Wedge, span: Span) -> None:
    bar, x = wedge.bars[0], wedge.hairpin.x1
    onset = _after_dynamic(bar, wedge)
    if onset is None:
        staves = _staves(seen, bar, wedge.staff)
        onset = _starts_at(bar, staves, x)
    kind = "crescendo" if wedge.hairpin.opens else "diminuendo"
    bar.directions.append(
        Direction("wedge", wedge.staff, onset, _box(wedge.hairpin), wedge.above, kind, span=span)
    )


def _after_dynamic(bar: Bar, wedge: _Wedge) -> int | None:
    """The moment of the dynamic sign right before a hairpin."""
    for sign in bar.directions:
        level = sign.box.top - 3 < wedge.hairpin.y < sign.box.bottom + 3
        before = -0.5 * SPACE < wedge.hairpin.x1 - sign.box.right < BEHIND
        if sign.kind == "dynamics" and sign.staff == wedge.staff and level and before:
            return sign.onset
    return None


def _starts_at(bar: Bar, staves: Sequence[int], x: float) -> int:
    """The onset of the chord a hairpin begins at: the last that is not right of its beginning."""
    for own in (staves[:1], staves):
        chords = columns(bar, own)
        near = [event for event in chords if abs(event.x - x) < EARLY]
        if near:
            return min(near, key=lambda event: abs(event.x - x)).onset
    chords = columns(bar, staves[:1])
    if not chords:
        return 0
    return min(chords, key=lambda event: (abs(event.middle - x), event.onset)).onset


def _late(seen: Seen, wedges: Sequence[_Wedge]) -> float:
    """How far hairpins go beyond the left edge of the last chord that sounds in them.

    Some engravers end a hairpin right before the chord at which it is over, some at the right
    edge of that chord, save where a dynamic sign stands there. The latter do so if more than a
    few hairpins of the page end within a chord.
    """
    before = within = 0
    for wedge in wedges:
        bar, x = wedge.bars[1], wedge.hairpin.x2
        xs = [e.x for e in columns(bar, _staves(seen, bar, wedge.staff)[:1])]
        gap = min((next_x - x for next_x in [*xs, bar.right] if next_x > x - 3), default=99)
        if -0.3 * SPACE < gap < 0.25 * SPACE or 0.65 * SPACE < gap < 1.25 * SPACE:
            before += 1
        elif any(0.3 * SPACE < x - left < WITHIN for left in xs):
            within += 1
    return WITHIN if within > 1 and 3 * within > before else 0.3 * SPACE


def _stop(seen: Seen, wedge: _Wedge, span: Span, late: float) -> None:
    bar, x = wedge.bars[1], wedge.hairpin.x2
    staves = _staves(seen, bar, wedge.staff)
    late = 0.3 * SPACE if 0.4 * SPACE < bar.right - x < 1.25 * SPACE else late
    chords = [e for e in columns(bar, staves[:1]) if e.x < x - late]
    last: Event | None = max(chords, key=lambda e: (e.onset, -e.voice), default=None)
    end = last.end if last else bar.length if not columns(bar, staves[:1]) else 0
    begun = next((d.onset for d in bar.directions if d.span is span), -1)
    if end <= begun:
        end = min((e.end for e in columns(bar, staves) if e.end > begun), default=bar.length)
    bar.directions.append(
        Direction(
            "wedge", wedge.staff, end, _box(wedge.hairpin), wedge.above, "stop", span=span,
            stop=True,
        )
    )  # fmt: skip


def _take_stop(bar: Bar, span: Span) -> None:
    bar.directions = [d for d in bar.directions if not (d.span is span and d.stop)]


def _staves(seen: Seen, bar: Bar, staff: int) -> tuple[int, ...]:
    """The staves of a part, the given one first."""
    return (staff, *(other for other in braced(seen, bar, staff) if other != staff))


def _box(hairpin: Hairpin) -> Box:
    half = max(hairpin.left, hairpin.right) / 2
    return Box(hairpin.x1, hairpin.y - half, hairpin.x2, hairpin.y + half)
