"""Which accidental is whose, what is tied to what, and so how each note sounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..symbols import SPACE, Curve, Seen, Symbol
from .music import Bar, Event, Head
from .signatures import SHARPS, Clefs, anchor

ALTER = {"sharp": 1, "flat": -1, "natural": 0, "double-sharp": 2, "double-flat": -2}


def attach_accidentals(bar: Bar) -> None:
    """Give each accidental of a bar to the next head on its line or space."""
    heads = [head for event in bar.events for head in event.heads]
    for symbols in bar.accidentals.values():
        for symbol in symbols:
            y = anchor(symbol)
            best: tuple[float, Head] | None = None
            for head in heads:
                away = abs(head.symbol.y - y)
                gap = head.symbol.left - symbol.right
                if away > 0.42 * SPACE or not -0.4 * SPACE < gap < 4.5 * SPACE:
                    continue
                cost = gap + 2 * away + (30 if head.accidental else 0)
                if best is None or cost < best[0]:
                    best = (cost, head)
            if best and best[1].accidental is None:
                best[1].accidental = symbol


def name_heads(bars: Sequence[Bar], clefs: Clefs) -> None:
    """Work out letter and octave of every head from the clef that holds there."""
    for bar in bars:
        for event in bar.events:
            clef = clefs.at(event.staff, event.x + 0.5 * SPACE)
            for head in event.heads:
                head.diatonic = clef.bottom + head.step


Arc = Callable[["Symbol | float", "Symbol | float"], bool]
"""Whether an arc runs between two heads, or between a head and the end of a line."""


def tie(seen: Seen, bars: Sequence[Bar], arc: Arc | None = None) -> list[tuple[Head, Head]]:
    """Read as ties the curves that join one pitch to itself; the rest are slurs.

    Args:
        seen: Its curves are looked at first.
        bars: Solved bars that :func:`sound` has seen once: a head with an accidental that
            makes it another pitch is tied to none.
        arc: Looks at the picture for ties that no curve was seen for.
    """
    pairs: list[tuple[Head, Head]] = []
    for number, bar in enumerate(bars):
        later = bars[number + 1] if number + 1 < len(bars) else None
        for event in bar.events:
            for head in event.heads:
                other = _continues(event, head, bar, later)
                if other is None:
                    continue
                breaks = later if later and _breaks(bar, later, other) else None
                joined = _joined(seen, head, other, bar.right if breaks else None)
                if arc and not joined:
                    joined = _arched(arc, head, other, bar, breaks)
                if joined:
                    pairs.append((head, other))
                    head.tie_start = other.tie_stop = True
    return pairs


def _breaks(bar: Bar, later: Bar | None, other: Head) -> bool:
    if later is None or later.system == bar.system:
        return False
    return any(head is other for event in later.events for head in event.heads)


def _continues(event: Event, head: Head, bar: Bar, later: Bar | None) -> Head | None:
    """The head of the same pitch that begins when this one ends."""
    for follower, staff in _followers(event, bar, later):
        if follower.grace or follower.staff != staff:
            continue
        for other in follower.heads:
            if other.diatonic == head.diatonic and not _altered(head, other):
                return other
    return None


def _altered(head: Head, other: Head) -> bool:
    return other.accidental is not None and ALTER[other.accidental.kind] != head.alter


def _followers(event: Event, bar: Bar, later: Bar | None) -> Iterator[tuple[Event, int]]:
    if event.grace:
        own = [e for e in bar.events if e.x > event.x and e.staff == event.staff and not e.grace]
        yield from ((e, event.staff) for e in own[:1])
    elif event.end < bar.length:
        yield from ((e, event.staff) for e in bar.events if e.onset == event.end)
    elif later is not None and len(later.staves) == len(bar.staves):
        staff = later.staves[bar.staves.index(event.staff)]
        yield from ((e, staff) for e in later.events if e.onset == 0 and not e.whole_bar)


def _arched(arc: Arc, a: Head, b: Head, bar: Bar, later: Bar | None) -> bool:
    """Whether the picture shows a tie; ``later``: the bar on the next line it leads to."""
    if later is None:
        return arc(a.symbol, b.symbol)
    first = b.symbol.left - 2.2 * SPACE
    return arc(a.symbol, bar.right - 0.2 * SPACE) and arc(first, b.symbol)


def _joined(seen: Seen, a: Head, b: Head, line_end: float | None) -> bool:
    """Whether a curve runs from one head to the other; ``line_end``: over the line's end."""
    if line_end is None:
        return any(ties_heads(curve, a, b) for curve in seen.curves)
    leaves = any(_starts(c, a) and c.x2 > line_end - 1.5 * SPACE for c in seen.curves)
    lead = 0.3 * SPACE
    return leaves and any(
        _ends(c, b) and lead < b.symbol.left - c.x1 < 8 * SPACE for c in seen.curves
    )


def ties_heads(curve: Curve, a: Head, b: Head) -> bool:
    """Whether a curve begins close to one head and ends close to another."""
    return _starts(curve, a) and _ends(curve, b)


def _starts(curve: Curve, head: Head) -> bool:
    ahead = curve.x1 - head.symbol.x
    return -0.9 * SPACE < ahead < 2.2 * SPACE and abs(curve.y1 - head.symbol.y) < 1.45 * SPACE


def _ends(curve: Curve, head: Head) -> bool:
    ahead = head.symbol.x - curve.x2
    return -0.9 * SPACE < ahead < 2.6 * SPACE and abs(curve.y2 - head.symbol.y) < 1.45 * SPACE


def sound(bars: Sequence[Bar], ties: Sequence[tuple[Head, Head]]) -> None:
    """Work out how each head is altered: key, accidentals of the bar, ties."""
    origin = {id(b): a for a, b in ties}
    keys: dict[int, int] = {}
    for bar in bars:
        held: dict[tuple[int, int], int] = {}
        for place, staff in enumerate(bar.staves):
            if staff in bar.keys:
                keys[place] = bar.keys[staff]
        for event in sorted(bar.events, key=lambda e: (e.x, e.onset)):
            place = bar.staves.index(event.staff)
            for head in event.heads:
                name = (place, head.diatonic)
                source = origin.get(id(head))
                if head.accidental is not None:
                    head.alter = held[name] = ALTER[head.accidental.kind]
                elif source is not None:
                    head.alter = source.alter
                else:
                    head.alter = held.get(name, signed(keys.get(place, 0), head.diatonic))


def signed(fifths: int, diatonic: int) -> int:
    """What a key signature does to a letter."""
    letter = diatonic % 7
    if fifths > 0 and letter in SHARPS[:fifths]:
        return 1
    if fifths < 0 and letter in SHARPS[fifths:]:
        return -1
    return 0
