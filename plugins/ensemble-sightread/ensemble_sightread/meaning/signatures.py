"""Clefs, key signatures and time signatures, and where each begins to hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..symbols import SPACE, Seen, Symbol
from .layout import home
from .music import Bar, Clef, Meter

SHARPS = (3, 0, 4, 1, 5, 2, 6)
"""Letters (C = 0) of the sharps of a key signature, in order; flats go backwards."""


def read_clefs(seen: Seen, bars: Sequence[Bar]) -> None:
    """Find the clefs and give each to its bar."""
    eights = [s for s in seen.symbols if s.kind == "clef-8"]
    for symbol in seen.symbols:
        if not symbol.kind.startswith("clef-") or symbol.kind == "clef-8":
            continue
        staff = home(seen, symbol)
        step = seen.staves[staff].step(symbol.x, symbol.y)
        if not -2 < step < 10:
            continue
        if symbol.kind == "clef-percussion" and not _opens(seen, staff, symbol.x):
            continue  # two thick strokes in mid-staff are a rest or a bar line
        for bar in bars:
            if staff in bar.staves and bar.left - SPACE <= symbol.x < bar.right:
                clef = _clef(symbol, step, eights)
                bar.clefs.append((staff, symbol.x, clef, symbol))
                break
    for bar in bars:
        bar.clefs.sort(key=lambda found: found[1])


def _clef(symbol: Symbol, step: float, eights: Sequence[Symbol]) -> Clef:
    octave = 0
    for eight in eights:
        if symbol.left - SPACE < eight.x < symbol.right + SPACE:
            if symbol.bottom - SPACE < eight.y < symbol.bottom + 1.5 * SPACE:
                octave = -1
            elif symbol.top - 1.5 * SPACE < eight.y < symbol.top + SPACE:
                octave = 1
    if symbol.kind == "clef-g":
        return Clef("G", 2, octave)
    if symbol.kind == "clef-f":
        return Clef("F", 4, octave)
    if symbol.kind == "clef-c":
        return Clef("C", min(max(round(step / 2) + 1, 1), 5), octave)
    return Clef("percussion", 2, 0)


class Clefs:
    """Which clef holds at a place, carried from system to system."""

    def __init__(self, seen: Seen, bars: Sequence[Bar]) -> None:
        self._changes: dict[int, list[tuple[float, Clef]]] = {}
        held: dict[int, Clef] = {}
        by_system: dict[int, list[Bar]] = {}
        for bar in bars:
            by_system.setdefault(bar.system, []).append(bar)
        for system in by_system.values():
            for place, staff in enumerate(system[0].staves):
                found = [(x, clef) for bar in system for s, x, clef, _ in bar.clefs if s == staff]
                if not found or not _opens(seen, staff, found[0][0]):
                    default = Clef("F", 4) if _lower(seen, staff) else Clef()
                    found.insert(0, (-1.0, held.get(place, default)))
                self._changes[staff] = found
                held[place] = found[-1][1]

    def at(self, staff: int, x: float) -> Clef:
        """The clef that holds on a staff at x."""
        changes = self._changes.get(staff) or [(-1.0, Clef())]
        clef = changes[0][1]
        for start, later in changes:
            if start <= x:
                clef = later
        return clef


def _opens(seen: Seen, staff: int, x: float) -> bool:
    """Whether a clef at x is the one that opens a staff."""
    return x < seen.staves[staff].left + 6 * SPACE


def _lower(seen: Seen, staff: int) -> bool:
    return any(staff == last for system in seen.systems for _, last in system.braces)


def read_keys(bars: Sequence[Bar], clefs: Clefs) -> None:
    """Find key signatures; the accidentals they are made of leave ``bar.accidentals``."""
    for bar in bars:
        used: dict[int, list[Symbol]] = {}
        for staff in bar.staves:
            fifths, symbols = _key(bar, staff, clefs)
            if fifths is not None:
                bar.keys[staff] = fifths
                used[staff] = symbols
        if not bar.starts_system and len(bar.keys) * 2 < len(bar.staves) + 1 and bar.keys:
            bar.keys, used = {}, {}
        for staff, symbols in used.items():
            bar.accidentals[staff] = [s for s in bar.accidentals.get(staff, ()) if s not in symbols]
    _vote(bars)


def _key(bar: Bar, staff: int, clefs: Clefs) -> tuple[int | None, list[Symbol]]:
    start = bar.left
    for owner, x, _, symbol in bar.clefs:
        if owner == staff and x < bar.left + 7 * SPACE:
            start = max(start, symbol.right)
    events = [event for event in bar.events if event.staff == staff]
    stop = min((symbol.left for event in events for symbol in event.symbols), default=bar.right)
    stop = min([stop, *(s.left for s in bar.times.get(staff, ()) if s.left > start)])
    row = [s for s in bar.accidentals.get(staff, ()) if s.right <= stop + 2 and s.x > start]
    clef = clefs.at(staff, start + 1)
    taken: list[Symbol] = []
    naturals = 0
    fifths = 0
    reach = start + (3.5 if bar.starts_system else 3.0) * SPACE
    for symbol in row:
        if symbol.left > reach or _is_for_a_head(symbol, bar, staff):
            break
        if symbol.kind == "natural" and fifths == 0:
            naturals += 1
        elif symbol.kind in ("sharp", "flat"):
            sign = 1 if symbol.kind == "sharp" else -1
            if fifths * sign < 0 or abs(fifths) == 7:
                break
            expected = SHARPS[fifths] if sign > 0 else SHARPS[6 + fifths]
            off = (_step(symbol, bar, staff) + clef.bottom - expected + 3.5) % 7 - 3.5
            if abs(off) > 0.85:
                break
            fifths += sign
        else:
            break
        taken.append(symbol)
        reach = symbol.right + 1.6 * SPACE
    if fifths or naturals:
        return fifths, taken
    return (0 if bar.starts_system else None), []


def _is_for_a_head(symbol: Symbol, bar: Bar, staff: int) -> bool:
    step = _step(symbol, bar, staff)
    for event in bar.events:
        if event.staff != staff:
            continue
        for head in event.heads:
            near = -2 <= head.symbol.left - symbol.right <= 0.9 * SPACE
            if near and abs(head.step - step) < 0.8:
                return True
    return False


def anchor(symbol: Symbol) -> float:
    """The y an accidental marks: a flat marks with its belly, the others with their middle."""
    if symbol.kind in ("flat", "double-flat"):
        return symbol.bottom - 0.285 * (symbol.bottom - symbol.top)
    return symbol.y


def _step(symbol: Symbol, bar: Bar, staff: int) -> float:
    return bar.step(staff, symbol.x, anchor(symbol))


def _vote(bars: Sequence[Bar]) -> None:
    """Systems repeat their key: one that differs from both neighbours was misread."""
    starts = [bar for bar in bars if bar.starts_system]
    ends = [bars[n - 1] for n, bar in enumerate(bars) if bar.starts_system and n]
    announced = {bar.system + 1 for bar in ends if bar.courtesy}
    changing = {bar.system for bar in bars if bar.keys and not bar.starts_system}
    for place in range(max((len(bar.staves) for bar in starts), default=0)):
        row = [bar for bar in starts if len(bar.staves) > place]
        keys = [bar.keys.get(bar.staves[place], 0) for bar in row]
        for n, bar in enumerate(row):
            if len(row) < 3 or bar.system in announced or changing & {bar.system - 1, bar.system}:
                continue
            others = keys[n - 1 : n] + keys[n + 1 : n + 2]
            if n == 0:
                others = keys[1:3]
            elif n == len(row) - 1:
                others = keys[n - 2 : n]
            if others[0] == others[1] != keys[n] and bar.system + 1 not in announced:
                bar.keys[bar.staves[place]] = others[0]


def read_meters(bars: Sequence[Bar]) -> None:
    """Find the time signatures; the staves of a bar vote.

    A signature stands before the notes, and on every staff of its system.
    """
    for bar in bars:
        votes: Counter[Meter] = Counter()
        sure: dict[Meter, float] = {}
        first = min((event.x for event in bar.events if not event.grace), default=bar.right)
        for staff, symbols in bar.times.items():
            before = [s for s in symbols if s.x < first]
            meter = _meter(bar, staff, before)
            if meter:
                votes[meter] += 1
                least = min(s.confidence for s in before)
                sure[meter] = max(sure.get(meter, 0.0), least)
        if votes:
            meter = max(votes, key=lambda m: (votes[m], sure[m]))
            if votes[meter] * 2 > len(bar.staves) or sure[meter] > 0.5:
                bar.meter = meter
                bar.meter_printed = True


def _meter(bar: Bar, staff: int, symbols: Sequence[Symbol]) -> Meter | None:
    whole = [s for s in symbols if s.kind in ("time-common", "time-cut")]
    digits = [s for s in symbols if s not in whole]
    upper, lower = _row(bar, staff, digits, 6.0), _row(bar, staff, digits, 2.0)
    beats, beat_type = _number(upper), _number(lower)
    if 1 < beats <= 32 and beat_type in (1, 2, 4, 8, 16, 32):
        sure = min(s.confidence for s in (*upper, *lower))
        if all(s.confidence < sure for s in whole):
            return Meter(beats, beat_type)
    if whole:
        best = max(whole, key=lambda s: s.confidence)
        return Meter(4, 4, "common") if best.kind == "time-common" else Meter(2, 2, "cut")
    return None


def _row(bar: Bar, staff: int, digits: Sequence[Symbol], step: float) -> list[Symbol]:
    """The digits of one row, each place taken once."""
    found: list[Symbol] = []
    for digit in sorted(digits, key=lambda s: -s.confidence):
        if abs(bar.step(staff, digit.x, digit.y) - step) > 1.3:
            continue
        if all(digit.left > s.x or digit.right < s.x for s in found):
            found.append(digit)
    found.sort(key=lambda s: s.x)
    return found[:2]


def _number(digits: Sequence[Symbol]) -> int:
    text = "".join(s.kind.split("-")[1] for s in digits)
    return int(text) if text.isdigit() and len(text) < 3 else 0
