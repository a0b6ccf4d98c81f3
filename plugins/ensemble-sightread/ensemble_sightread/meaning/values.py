"""How long an event may be: what its symbols say, and what they could have said."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..symbols import SPACE, Symbol
from .music import Bar, Event, Value

RESTS = {
    "rest-whole": 1, "rest-half": 2, "rest-quarter": 3, "rest-8": 4, "rest-16": 5,
    "rest-32": 6, "rest-64": 7,
}  # fmt: skip
BREVE, WHOLE_NOTE, HALF, QUARTER_NOTE = 0, 1, 2, 3


def split_repeat_dots(bar: Bar) -> None:
    """Dots in pairs beside a bar line repeat; they leave ``bar.dots``."""
    used: list[Symbol] = []
    for line_x, opening in ((bar.left, True), (bar.right, False)):
        if opening and bar.opens is None and not bar.starts_system:
            continue
        near = [d for d in bar.dots if _beside(d, line_x, opening, bar)]
        for staff in bar.staves:
            steps = {round(bar.step(staff, d.x, d.y)) for d in near}
            if {3, 5} <= steps:
                used += [d for d in near if round(bar.step(staff, d.x, d.y)) in (3, 5)]
                if opening:
                    bar.forward = True
                else:
                    bar.backward = True
    bar.dots = [dot for dot in bar.dots if dot not in used]


def _beside(dot: Symbol, line_x: float, opening: bool, bar: Bar) -> bool:
    if opening and bar.opens is None:
        first = min((e.x for e in bar.events), default=bar.right)
        return line_x < dot.x < first - SPACE
    distance = dot.x - line_x if opening else line_x - dot.x
    return 0 < distance < 1.7 * SPACE


def attach_dots(bar: Bar) -> None:
    """Count the augmentation dots of each event; they leave ``bar.dots``."""
    rows: dict[int, list[Symbol]] = {}
    for dot in bar.dots:
        if any(_staccato(event, dot) for event in bar.events):
            continue
        best: tuple[float, int] | None = None
        for number, event in enumerate(bar.events):
            cost = _dot_cost(bar, event, dot)
            if cost is not None and (best is None or cost < best[0]):
                best = (cost, number)
        if best:
            rows.setdefault(best[1], []).append(dot)
    used = {id(dot) for dots in rows.values() for dot in dots}
    bar.dots = [dot for dot in bar.dots if id(dot) not in used]
    for number, dots in rows.items():
        by_row: dict[int, list[Symbol]] = {}
        for dot in dots:
            by_row.setdefault(round(dot.y / (0.6 * SPACE)), []).append(dot)
        bar.events[number].dots = min(max(len(row) for row in by_row.values()), 2)


def _staccato(event: Event, dot: Symbol) -> bool:
    """A dot above or below the middle of a head is staccato."""
    for head in event.heads:
        symbol = head.symbol
        reach = 0.34 * (symbol.right - symbol.left)
        above = min(h.symbol.top for h in event.heads) - dot.bottom
        below = dot.top - max(h.symbol.bottom for h in event.heads)
        if abs(dot.x - symbol.x) < reach and -0.1 * SPACE < max(above, below) < 6 * SPACE:
            return True
    return False


def _dot_cost(bar: Bar, event: Event, dot: Symbol) -> float | None:
    if event.grace:
        return None
    beyond = dot.left - event.right
    reach = 3.0 if event.flags and event.up else 2.4
    if not -0.3 * SPACE <= beyond <= reach * SPACE:
        return None
    if event.rest:
        away = abs(dot.y - event.rest.y) / (SPACE / 2)
        return abs(beyond) / SPACE + away / 2 if away < 3.2 else None
    step = bar.step(event.staff, dot.x, dot.y)
    away = min(abs(step - head.step - 0.5 * (head.step % 2 == 0)) for head in event.heads)
    lower = min(abs(step - head.step) for head in event.heads)
    reach = 1.3 if len(event.heads) == 1 else 2.4
    if min(away, lower) > reach:
        return None
    nearest = min((abs(step - h.step), dot.left - h.symbol.right) for h in event.heads)
    return max(beyond, nearest[1] * 0.3) / SPACE + 1.2 * min(away, lower)


def options(event: Event) -> list[Value]:
    """Ways to read an event's length, cheapest first."""
    kinds = _kinds(event)
    values = []
    for kind, cost in kinds:
        values.append(Value(kind, event.dots, cost))
        if event.dots:
            values.append(Value(kind, event.dots - 1, cost + 2.4))
        else:
            values.append(Value(kind, 1, cost + 2.9))
    return sorted(values, key=lambda value: value.cost)


def _kinds(event: Event) -> list[tuple[int, float]]:
    if event.rest:
        kind = RESTS[event.rest.kind]
        if kind in (1, 2):
            return [(kind, 0.0), (3 - kind, 1.8)]
        return [(kind, 0.0), (kind + 1, 3.0), (max(kind - 1, 3), 3.2)]
    votes: dict[str, float] = {}
    for head in event.heads:
        name = head.symbol.kind.split("-")[-1]
        votes[name] = votes.get(name, 0.0) + head.symbol.confidence
    name = max(votes, key=lambda key: votes[key])
    if name == "breve":
        return [(BREVE, 0.0), (WHOLE_NOTE, 2.0)]
    if name == "whole":
        return [(WHOLE_NOTE, 0.0), (HALF, 3.0)]
    tails = max(event.beams_left, event.beams_right, event.flags)
    if name == "half" and not tails:
        if event.stem is None:
            return [(HALF, 0.0), (WHOLE_NOTE, 1.5)]
        return [(HALF, 0.0), (QUARTER_NOTE, 3.5)]
    kind = QUARTER_NOTE + min(tails, 5)
    found = [(kind, 0.0), (kind + 1, 2.6 if tails else 3.0)]
    if tails:
        found.append((kind - 1, 3.2))
    else:
        found.append((HALF, 3.5))
    return found


NORMAL = {2: 3, 3: 2, 4: 3, 5: 4, 6: 4, 7: 4, 8: 6}


@attrs.frozen(eq=False)
class Tuplet:
    """Events that share a time: ``ratio[0]`` in the time of ``ratio[1]``."""

    events: tuple[Event, ...]
    ratio: tuple[int, int]
    digit: Symbol | None = None


def marked_tuplets(bar: Bar) -> list[Tuplet]:
    """Tuplets whose digit is printed."""
    found: list[Tuplet] = []
    taken: set[int] = set()
    for digit in sorted(bar.digits, key=lambda d: -d.confidence):
        count = int(digit.kind.split("-")[1])
        best: tuple[float, tuple[Event, ...]] | None = None
        for run in _runs(bar, count) if count in NORMAL else ():
            if any(id(event) in taken for event in run):
                continue
            cost = _fit(run, digit)
            if cost is not None and (best is None or cost < best[0]):
                best = (cost, run)
        if best:
            taken.update(id(event) for event in best[1])
            found.append(Tuplet(best[1], (count, NORMAL[count]), digit))
    return found


def _fit(run: tuple[Event, ...], digit: Symbol) -> float | None:
    """How well a digit stands at the middle of a run; None: not at all."""
    first, last = run[0], run[-1]
    aside = abs((first.x + last.x + 10) / 2 - digit.x)
    stems = [event.stem for event in run if event.stem]
    if stems and len(stems) == len(run):
        aside = min(aside, abs((stems[0].x + stems[-1].x) / 2 - digit.x))
    if aside > 1.4 * SPACE + 0.1 * (last.x - first.x):
        return None
    away = min(_away(event, digit) for event in run)
    if away > 6 * SPACE:
        return None
    groups = {event.group for event in run}
    one_beam = len(groups) == 1 and None not in groups
    uneven = len({event.values[0].ticks for event in run}) > 1
    cost = aside / SPACE + 0.25 * away / SPACE + (0.8 if uneven else 0.0)
    return cost - (1.5 if one_beam else 0.0)


def _away(event: Event, digit: Symbol) -> float:
    top = min([s.top for s in event.symbols] + ([event.stem.top] if event.stem else []))
    bottom = max([s.bottom for s in event.symbols] + ([event.stem.bottom] if event.stem else []))
    return max(top - digit.bottom, digit.top - bottom, 0.0)


def _runs(bar: Bar, count: int) -> list[tuple[Event, ...]]:
    """Runs of neighbours on a staff whose plain lengths make ``count`` equal units."""
    runs: list[tuple[Event, ...]] = []
    for staff in bar.staves:
        own = [e for e in bar.events if e.staff == staff and not e.grace]
        ups = [e for e in own if e.up is not False]
        downs = [e for e in own if e.up is not True]
        streams = [own] if len(ups) == len(own) or len(downs) == len(own) else [own, ups, downs]
        for stream in streams:
            for start in range(len(stream)):
                runs += _from(stream[start:], count)
    return runs


def _from(stream: Sequence[Event], count: int) -> list[tuple[Event, ...]]:
    total = 0
    runs = []
    for number, event in enumerate(stream[: count + 3]):
        total += event.values[0].ticks
        if number and total % count == 0 and _power(total // count):
            longest = max(e.values[0].ticks for e in stream[: number + 1])
            if longest <= total // count * (count - 1):
                runs.append(tuple(stream[: number + 1]))
    return runs


def _power(unit: int) -> bool:
    return unit in {4 * 3360 >> n for n in range(7)}


def likely_tuplets(bar: Bar, marked: Sequence[Tuplet]) -> list[Tuplet]:
    """Beam groups of three (six, five) equal notes that bear no digit."""
    taken = {id(event) for tuplet in marked for event in tuplet.events}
    groups: dict[int, list[Event]] = {}
    for event in bar.events:
        if event.group is not None and not event.grace:
            groups.setdefault(event.group, []).append(event)
    found = []
    for members in groups.values():
        if any(id(event) in taken for event in members):
            continue
        units = {event.values[0].ticks for event in members}
        if len(units) == 1 and len(members) in (3, 5, 6, 7):
            count = len(members)
            found.append(Tuplet(tuple(members), (count, NORMAL[count])))
    return found


def paired_tuplets(bar: Bar, others: Sequence[Tuplet]) -> list[Tuplet]:
    """Neighbours, a quarter and an eighth without beams, that may share a beat in three."""
    taken = {id(event) for tuplet in others for event in tuplet.events}
    found = []
    for staff in bar.staves:
        for up in (True, False):
            own = [e for e in bar.events if e.staff == staff and e.up in (up, None) and not e.grace]
            number = 0
            while number + 1 < len(own):
                pair = (own[number], own[number + 1])
                plain = all(e.group is None and not e.dots and id(e) not in taken for e in pair)
                if plain and sorted(e.values[0].kind for e in pair) == [3, 4]:
                    found.append(Tuplet(pair, (3, 2)))
                    taken.update(id(e) for e in pair)
                    number += 1
                number += 1
    return found
