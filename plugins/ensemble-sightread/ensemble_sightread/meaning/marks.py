"""Articulations, fermatas and ornaments: small signs right above or below a chord."""

from __future__ import annotations

import attrs

from ..symbols import SPACE, Symbol
from .music import Bar, Event, Mark


@attrs.frozen
class _Kind:
    """How a sign stands at its chord: staff spaces beside its middle and away from it."""

    name: str
    aside: float = 0.5
    away: float = 3.0
    sure: float = 0.5
    rests: bool = False


KINDS = {
    "dot": _Kind("staccato", aside=0.42, sure=0.0),
    "accent": _Kind("accent", aside=0.7),
    "tenuto": _Kind("tenuto"),
    "marcato": _Kind("strong-accent"),
    "staccatissimo": _Kind("staccatissimo"),
    "fermata": _Kind("fermata", aside=1.0, away=7.0, rests=True),
    "trill": _Kind("trill-mark", aside=1.5, away=7.0),
    "turn": _Kind("turn", aside=1.0, away=7.0),
    "inverted-turn": _Kind("inverted-turn", aside=1.0, away=7.0),
    "mordent": _Kind("mordent", aside=1.0, away=7.0),
    "inverted-mordent": _Kind("inverted-mordent", aside=1.0, away=7.0),
    "up-bow": _Kind("up-bow", aside=0.8, away=7.0),
    "down-bow": _Kind("down-bow", aside=0.8, away=7.0),
}
"""What each kind of symbol is called in MusicXML, and where it is looked for."""


def attach_marks(bar: Bar) -> None:
    """Give each sign of a bar to the chord it stands at; one that stands at none is left out.

    Dots must be attached: those that are left are staccato where they stand above or below a
    head or over the tip of a stem.
    """
    for symbol in [*bar.marks, *bar.dots]:
        kind = KINDS[symbol.kind]
        if symbol.confidence < kind.sure:
            continue
        best: tuple[float, Event] | None = None
        for event in bar.events:
            cost = _away(event, symbol, kind) if event.heads or kind.rests else None
            if cost is not None and (best is None or cost < best[0]):
                best = (cost, event)
        if best and all(mark.name != kind.name for mark in best[1].marks):
            best[1].marks.append(Mark(kind.name, above=symbol.y < best[1].y))


def _away(event: Event, symbol: Symbol, kind: _Kind) -> float | None:
    """How far a sign is from a chord, in pixels; None: it does not stand at it."""
    top, bottom = min(s.top for s in event.symbols), max(s.bottom for s in event.symbols)
    columns = [s.x for s in event.symbols]
    if event.stem and event.up:
        top = min(top, event.stem.top)
    elif event.stem:
        bottom = max(bottom, event.stem.bottom)
    above, below = top - symbol.bottom, symbol.top - bottom
    if event.stem and (above if event.up else below) > 0:
        columns.append(event.stem.x)
    aside = min(abs(symbol.x - x) for x in columns)
    gap = max(above, below)
    if aside > kind.aside * SPACE or not -0.25 * SPACE < gap < kind.away * SPACE:
        return None
    return gap + 2 * aside
