"""Pedal signs: from "Ped." to the star."""

from __future__ import annotations

from collections.abc import Sequence

from ensemble_core.model import Box

from ..symbols import SPACE, Seen, Symbol
from .directions import bar_at, beside, braced, columns, onset
from .music import Bar, Direction

SURE = 0.4


def add_pedals(seen: Seen, bars: Sequence[Bar]) -> None:
    """Put the pedal signs of a page into its bars.

    They are the lowest staff's of a part. The pedal goes down with the chord that the sign
    stands at, and up before the next chord behind the star, which may stand behind the bar
    line that ends its bar.
    """
    for symbol in seen.symbols:
        if symbol.kind not in ("pedal", "pedal-star") or symbol.confidence < SURE:
            continue
        place = beside(seen, symbol.x, symbol.y)
        bar = bar_at(bars, place[0], symbol.x) if place else None
        if place is None or bar is None:
            continue
        staff = braced(seen, bar, place[0])[-1]
        others = (other for other in braced(seen, bar, staff) if other != staff)
        staves = (staff, *others)
        if symbol.kind == "pedal":
            _add(bar, staff, onset(bar, staves, symbol.left + 0.6 * SPACE), symbol, "start")
        else:
            _up(bars, bar, staves, symbol)


def _up(bars: Sequence[Bar], bar: Bar, staves: tuple[int, ...], symbol: Symbol) -> None:
    later = [e.onset for e in columns(bar, staves) if e.middle > symbol.x - 0.3 * SPACE]
    now = min(later, default=bar.length)
    before = bars.index(bar) - 1
    if now == 0 and before >= 0 and bars[before].system == bar.system:
        bar = bars[before]
        now = bar.length
    _add(bar, staves[0], now, symbol, "stop")


def _add(bar: Bar, staff: int, now: int, symbol: Symbol, kind: str) -> None:
    box = Box(symbol.left, symbol.top, symbol.right, symbol.bottom)
    bar.directions.append(
        Direction("pedal", staff, now, box, above=False, text=kind, confidence=symbol.confidence)
    )
