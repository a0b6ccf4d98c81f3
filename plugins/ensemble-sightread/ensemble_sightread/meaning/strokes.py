"""Signs that are drawn through a chord or right before it: tremolos, slashes, arpeggios."""

from __future__ import annotations

from collections.abc import Sequence

from ..symbols import SPACE, Seen, Symbol
from .music import Bar, Event, Mark

SURE = 0.4
"""Least confidence of a sign."""
BEFORE = 5.5 * SPACE
"""How far left of its chord an arpeggio stands, at most; accidentals may be between."""


def attach_strokes(seen: Seen, bars: Sequence[Bar]) -> None:
    """Give chords their tremolos and arpeggios, and grace notes the strokes through them."""
    events = [event for bar in bars for event in bar.events if event.heads]
    for symbol in seen.symbols:
        if symbol.confidence < SURE:
            continue
        if symbol.kind.startswith("tremolo-"):
            _tremolo(symbol, events)
        elif symbol.kind == "arpeggio":
            _arpeggio(symbol, events)
        elif symbol.kind == "grace-slash":
            _slash(symbol, events)
        elif symbol.kind in ("breath", "caesura"):
            _breath(seen, symbol, bars)


def _tremolo(symbol: Symbol, events: Sequence[Event]) -> None:
    """A tremolo crosses the stem, or stands above or below a head that has none."""
    best: tuple[float, Event] | None = None
    for event in events:
        if event.grace:
            continue
        top, bottom = _reach(event)
        x = event.stem.x if event.stem else event.middle
        away = 0.0 if event.stem else 2.5 * SPACE
        if abs(symbol.x - x) < 0.5 * SPACE and top - away < symbol.y < bottom + away:
            far = min(abs(symbol.y - s.y) for s in event.symbols)
            best = min(best or (far, event), (far, event), key=lambda found: found[0])
    if best:
        best[1].tremolo = int(symbol.kind[-1])


def _arpeggio(symbol: Symbol, events: Sequence[Event]) -> None:
    """An arpeggio stands left of the chords, of one staff or two, along which it runs."""
    near = []
    for event in events:
        gap = min(s.left for s in event.symbols) - symbol.right
        inside = [s for s in event.symbols if symbol.top - SPACE < s.y < symbol.bottom + SPACE]
        most = 2 * len(inside) > len(event.symbols)
        if not event.grace and -0.3 * SPACE < gap < BEFORE and most:
            near.append((gap, event))
    for gap, event in near:
        if gap < min(gap for gap, _ in near) + 1.2 * SPACE:
            event.arpeggio = True


def _slash(symbol: Symbol, events: Sequence[Event]) -> None:
    for event in events:
        stem = event.stem if event.grace else None
        if stem and abs(stem.x - symbol.x) < 0.9 * SPACE:
            event.slash = event.slash or stem.top - SPACE < symbol.y < stem.bottom + SPACE


def _breath(seen: Seen, symbol: Symbol, bars: Sequence[Bar]) -> None:
    """A breath mark stands above the staff, behind the chord after which one breathes."""
    best: tuple[float, Event] | None = None
    for bar in bars:
        for event in bar.events:
            if event.grace or event.middle > symbol.x or not event.heads:
                continue
            step = seen.staves[event.staff].step(symbol.x, symbol.y)
            if bar.left < symbol.x < bar.right + 2 * SPACE and 5 < step < 16:
                best = max(best or (event.x, event), (event.x, event), key=lambda one: one[0])
    if best:
        name = "breath-mark" if symbol.kind == "breath" else "caesura"
        best[1].marks.append(Mark(name, above=True))


def _reach(event: Event) -> tuple[float, float]:
    """The top and the bottom of a chord with its stem."""
    ys = [s.y for s in event.symbols]
    if event.stem:
        ys += [event.stem.top, event.stem.bottom]
    return min(ys), max(ys)
