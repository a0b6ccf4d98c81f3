"""Which staff and which bar each thing belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from ..symbols import SPACE, Barline, Beam, Seen, Staff, Stem, Symbol, System
from .chords import attach_beams, attach_flags, chords
from .marks import KINDS as MARKS
from .music import Bar, Event

Carried = Callable[[Symbol, Staff], bool]
"""Whether ledger lines lead from a staff to a head; true for heads that need none."""


UNCARRIED = 6 * SPACE
"""How much farther a staff counts from which no ledger lines lead to a head."""


def bars(seen: Seen, carried: Carried | None = None) -> list[Bar]:
    """The page's bars with their events, accidentals, signs and dots, in reading order.

    Args:
        seen: The page.
        carried: Looks for ledger lines; without it, a head belongs to the nearest staff.
    """
    seen = attrs.evolve(seen, symbols=tuple(_apart(_off_beams(seen))))
    seen = _stems_for_lines(seen)
    if carried:
        seen = attrs.evolve(seen, symbols=tuple(_credible(seen, carried)))
    homes = _homes(seen, carried)
    events = chords(seen, _head_staves(seen, homes))
    attach_beams(seen, events)
    _move_groups(seen, events)
    attach_flags(seen, events)
    for symbol, staff in zip(seen.symbols, homes, strict=True):
        if symbol.kind.startswith("rest"):
            events.append(Event(staff, rest=symbol, x=symbol.left))
    found: list[Bar] = []
    for number, system in enumerate(seen.systems):
        found += _empty_bars(seen, number, system)
    at = {
        staff: [bar for bar in found if staff in bar.staves]
        for s in seen.systems
        for staff in s.staves
    }
    for event in events:
        bar = _bar_at(at.get(event.staff, []), event.middle)
        if bar is not None:
            bar.events.append(event)
    for symbol, staff in zip(seen.symbols, homes, strict=True):
        bar = _bar_at(at.get(staff, []), symbol.x)
        if bar is not None:
            _put(bar, staff, symbol)
    for event in events:
        event.lane = event.staff
    for bar in found:
        bar.events.sort(key=lambda e: (e.x, e.staff))
        for symbols in bar.accidentals.values():
            symbols.sort(key=lambda s: s.x)
    return found


def _credible(seen: Seen, carried: Carried) -> Iterator[Symbol]:
    """All but the heads that no ledger line carries: letters, mostly."""
    order = np.argsort(_distances(seen), axis=0, kind="stable")
    for number, symbol in enumerate(seen.symbols):
        if symbol.kind.startswith("head"):
            if symbol.kind == "head-breve" and symbol.confidence < 0.6:
                continue
            nearest_first = (seen.staves[i] for i in order[:, number].tolist())
            near = (s for s in nearest_first if s.left <= symbol.x <= s.right)
            if not any(carried(symbol, staff) for staff in near):
                continue
        yield symbol


def _put(bar: Bar, staff: int, symbol: Symbol) -> None:
    """Put accidentals, time signatures, dots and tuplet digits into their bar."""
    accidental = symbol.kind in ("sharp", "flat", "natural", "double-sharp", "double-flat")
    if bar.closes and symbol.left > bar.right:
        bar.courtesy = bar.courtesy or accidental
    elif accidental:
        bar.accidentals.setdefault(staff, []).append(symbol)
    elif symbol.kind.startswith("time"):
        bar.times.setdefault(staff, []).append(symbol)
    elif symbol.kind == "dot":
        bar.dots.append(symbol)
    elif symbol.kind.startswith("tuplet"):
        bar.digits.append(symbol)
    elif symbol.kind in MARKS:
        bar.marks.append(symbol)


def _off_beams(seen: Seen) -> list[Symbol]:
    """The symbols without the stemless heads and rests that are stacks of beams."""
    found = []
    for symbol in seen.symbols:
        blocky = symbol.kind in ("head-whole", "head-breve", "rest-whole", "rest-half")
        if not (blocky and any(_on_beam(symbol, beam) for beam in seen.beams)):
            found.append(symbol)
    return found


def _on_beam(symbol: Symbol, beam: Beam) -> bool:
    if not beam.x1 - 2 < symbol.x < beam.x2 + 2 or beam.x2 - beam.x1 < 0.8 * SPACE:
        return False
    run = (symbol.x - beam.x1) / (beam.x2 - beam.x1)
    y = beam.y1 + run * (beam.y2 - beam.y1)
    return symbol.top - 1 < y < symbol.bottom + 1


def _stems_for_lines(seen: Seen) -> Seen:
    """Bar lines that heads hang on, on every staff of the system, are stems."""
    heads = [
        symbol
        for symbol in seen.symbols
        if symbol.kind in ("head-black", "head-half") and symbol.confidence > 0.5
    ]
    edges = np.array([(head.left, head.right) for head in heads]).reshape(-1, 2)
    systems, stems = [], list(seen.stems)
    for system in seen.systems:
        kept = []
        for line in system.barlines:
            touching = (np.abs(edges - line.x) < 0.3 * SPACE).any(axis=1) & (line.style == "single")
            beside = [heads[number] for number in np.flatnonzero(touching).tolist()]
            hung = (_hung(seen, seen.staves[staff], line, beside) for staff in system.staves)
            if beside and all(hung):
                for staff in system.staves:
                    y1, y2 = seen.staves[staff].y(8, line.x), seen.staves[staff].y(0, line.x)
                    stems.append(Stem(line.x, y1 - 1, y2 + 1))
            else:
                kept.append(line)
        systems.append(attrs.evolve(system, barlines=tuple(kept)))
    return attrs.evolve(seen, systems=tuple(systems), stems=tuple(stems))


def _hung(seen: Seen, staff: Staff, line: Barline, beside: Sequence[Symbol]) -> bool:
    """Whether a head of the staff, of those beside the line, has no other stem than the line."""
    for symbol in beside:
        if -2 < staff.step(symbol.x, symbol.y) < 10:
            stemmed = any(
                abs(stem.x - line.x) > 4
                and min(abs(symbol.right - stem.x), abs(symbol.left - stem.x)) < 4
                and stem.top - 6 < symbol.y < stem.bottom + 6
                for stem in seen.stems
            )
            if not stemmed:
                return True
    return False


def _apart(symbols: Sequence[Symbol]) -> list[Symbol]:
    """Heads that lie on each other are one: the one the detector is surest of."""
    heads = [s for s in symbols if s.kind.startswith("head")]
    dropped: set[int] = set()
    heads.sort(key=lambda s: (s.x, s.y))
    x, y = np.array([(head.x, head.y) for head in heads]).reshape(-1, 2).T
    alike = np.triu(np.abs(x[:, None] - x) <= 0.7 * SPACE, 1)
    alike &= np.abs(y[:, None] - y) < 0.42 * SPACE
    for one, other in np.argwhere(alike).tolist():
        dropped.add(id(min(heads[one], heads[other], key=lambda s: s.confidence)))
    return [s for s in symbols if id(s) not in dropped]


def home(
    seen: Seen,
    symbol: Symbol,
    carried: Carried | None = None,
    staves: Iterable[int] | None = None,
) -> int:
    """The staff nearest to a symbol, by the distance from its outer lines.

    A head goes to the nearest staff from which ledger lines lead to it.

    Args:
        seen: The page.
        symbol: What looks for its staff.
        carried: Looks for ledger lines.
        staves: The staves that come into question; None: all.
    """
    best, least = 0, float("inf")
    head = symbol.kind.startswith("head")
    for number in range(len(seen.staves)) if staves is None else staves:
        staff = seen.staves[number]
        outside = max(symbol.x - staff.right, staff.left - symbol.x, 0.0)
        step = staff.step(symbol.x, symbol.y)
        distance = max(-step, step - 8, 0.0) * SPACE / 2 + 2 * outside
        if carried and head and 1.5 * SPACE < distance < 8 * SPACE and distance < least + UNCARRIED:
            distance += 0 if carried(symbol, staff) else UNCARRIED
        if distance < least:
            best, least = number, distance
    return best


def _homes(seen: Seen, carried: Carried | None) -> list[int]:
    """:func:`home` of every symbol; only staves that can be the nearest are asked."""
    far = _distances(seen)
    reach = far.min(axis=0) + UNCARRIED
    near: list[list[int]] = [[] for _ in seen.symbols]
    for symbol, staff in np.argwhere((far <= reach).T).tolist():
        near[symbol].append(staff)
    return [
        staves[0] if len(staves) == 1 else home(seen, symbol, carried, staves)
        for symbol, staves in zip(seen.symbols, near, strict=True)
    ]


def _distances(seen: Seen) -> NDArray[np.float64]:
    """How far each symbol is from each staff, by :func:`home`; shape (staves, symbols)."""
    x = np.array([symbol.x for symbol in seen.symbols])
    y = np.array([symbol.y for symbol in seen.symbols])
    rows = []
    for staff in seen.staves:
        outside = np.maximum(np.maximum(x - staff.right, staff.left - x), 0.0)
        bottom, space = np.interp(x, staff.xs, staff.bottom), np.interp(x, staff.xs, staff.space)
        step = 2 * (bottom - y) / space
        rows.append(np.maximum(np.maximum(-step, step - 8), 0.0) * SPACE / 2 + 2 * outside)
    return np.array(rows).reshape(len(seen.staves), len(seen.symbols))


def _head_staves(seen: Seen, homes: Sequence[int]) -> dict[int, int]:
    return {i: homes[i] for i, s in enumerate(seen.symbols) if s.kind.startswith("head")}


def _move_groups(seen: Seen, events: Sequence[Event]) -> None:
    """A chord far from every staff goes where the rest of its beam group is."""
    groups: dict[int, list[Event]] = {}
    for event in events:
        if event.group is not None:
            groups.setdefault(event.group, []).append(event)
    for members in groups.values():
        staves = {event.staff for event in members}
        if len(staves) < 2:
            continue
        weight = dict.fromkeys(staves, 0.0)
        for event in members:
            inside = _outside(seen, event, event.staff) < 1.0
            weight[event.staff] += 3.0 if inside else 1.0
        best = max(weight, key=lambda staff: weight[staff])
        for event in members:
            if event.staff != best and _outside(seen, event, event.staff) > 2.5 * SPACE:
                _move(seen, event, best)


def _outside(seen: Seen, event: Event, staff: int) -> float:
    steps = [seen.staves[staff].step(h.symbol.x, h.symbol.y) for h in event.heads]
    return max(max(-step, step - 8, 0.0) for step in steps) * SPACE / 2


def _move(seen: Seen, event: Event, staff: int) -> None:
    event.staff = staff
    for head in event.heads:
        head.step = round(seen.staves[staff].step(head.symbol.x, head.symbol.y))


def _empty_bars(seen: Seen, number: int, system: System) -> list[Bar]:
    left = min(seen.staves[staff].left for staff in system.staves)
    right = max(seen.staves[staff].right for staff in system.staves)
    edges: list[Barline] = []
    for line in sorted(system.barlines, key=lambda line: line.x):
        if line.x < left + 1.5 * SPACE:
            continue
        edges.append(line)
    found = []
    lines = tuple(seen.staves[staff] for staff in system.staves)
    opens: Barline | None = None
    at = left
    for line in edges:
        found.append(Bar(number, system.staves, lines, at, line.x, opens, line))
        opens, at = line, line.x
    if right - at > 4 * SPACE:
        found.append(Bar(number, system.staves, lines, at, right, opens, None))
    if found:
        found[0].starts_system = True
    return found


def _bar_at(candidates: Sequence[Bar], x: float) -> Bar | None:
    for bar in candidates:
        if bar.left <= x < bar.right:
            return bar
    if candidates and x >= candidates[-1].right and x < candidates[-1].right + 2 * SPACE:
        return candidates[-1]
    return None
