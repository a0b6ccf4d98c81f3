"""When each event of a bar begins and how long it lasts.

A beam search over the columns of a bar (events of all staves that stand at one x). The
next column begins when some voice that sounds ends; every event of it continues a voice
of its staff or opens one. Readings are weighed by what they assume: hidden rests, voices
that do not fill the bar, dots or beams that were not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from ..symbols import SPACE
from .music import QUARTER, Bar, Event, Value
from .values import Tuplet, likely_tuplets, marked_tuplets, options, paired_tuplets

COLUMN = 0.45 * SPACE
MERGE = 1.9 * SPACE
GAP, LATE, SHORT, OPEN_END, FULL_OVER = 1.6, 1.5, 4.0, 1.2, 5.0
HOLE = 1.4
CRAMPED = 0.35
GOOD = 0.75
COLUMN_LIMIT = 8.0
Voice = tuple[int, int]
"""Where a voice ends and which way its stems point (1 up, -1 down, 0 unknown)."""


@attrs.frozen(eq=False)
class _State:
    cost: float
    time: int
    voices: tuple[tuple[Voice, ...], ...]
    before: _State | None = None
    placed: tuple[tuple[Event, Value, int], ...] = ()
    x: float = 0.0


@attrs.define
class _Budget:
    """How many more states the search of one bar may make before it takes what it has."""

    left: int = 5_000


@attrs.frozen(eq=False)
class Solution:
    """One reading of a bar."""

    cost: float
    length: int
    fits: bool
    placed: tuple[tuple[Event, Value, int, int], ...]
    tuplets: tuple[Tuplet, ...]


def solve(bar: Bar, length: int | None, short_ok: bool = False) -> Solution:
    """Find the cheapest reading of a bar; beams from staff to staff are tried in both.

    Args and result are those of :func:`_solve`; events get the ``lane`` that was cheapest.
    """
    groups: dict[int, list[Event]] = {}
    for event in bar.events:
        if event.group is not None and not event.grace:
            groups.setdefault(event.group, []).append(event)
    crossing = [g for g in groups.values() if len({event.staff for event in g}) > 1]
    best: tuple[Solution, list[int]] | None = None
    for choose in (_first, max, min) if crossing else (_first,):
        for group in crossing:
            lane = choose([event.staff for event in group])
            for event in group:
                event.lane = lane
        found = _solve(bar, length, short_ok)
        if best is None or found.cost < best[0].cost:
            best = found, [event.lane for event in bar.events]
        if best[0].cost < GOOD:
            break
    assert best is not None  # noqa: S101 - there is always one choice
    for event, lane in zip(bar.events, best[1], strict=True):
        event.lane = lane
    return best[0]


def _first(staves: Sequence[int]) -> int:
    return staves[0]


def _solve(bar: Bar, length: int | None, short_ok: bool) -> Solution:
    """Find the cheapest reading of a bar.

    Args:
        bar: The bar, its events with dots, beams and flags.
        length: Ticks the meter asks for; None: unknown.
        short_ok: The bar may be short (a pick-up, beside a repeat, the end).
    """
    events = [e for e in bar.events if not e.grace and not e.whole_bar]
    columns = _columns(events)
    marked = marked_tuplets(bar)
    best: Solution | None = None
    budget = _Budget()
    for wide in (False, True):
        for tuplets, cost in _hypotheses(bar, marked, wide):
            if best is not None and (cost >= best.cost or budget.left <= 0):
                continue
            bound = best.cost if best else float("inf")
            found = _search(bar, columns, length, short_ok, tuplets, cost, wide, bound, budget)
            if found is None:
                continue
            if best is None or found.cost < best.cost:
                best = found
            if best.cost < GOOD:
                return best
    assert best is not None  # noqa: S101 - there is always one hypothesis
    return best


def _hypotheses(
    bar: Bar, marked: list[Tuplet], wide: bool
) -> Iterator[tuple[tuple[Tuplet, ...], float]]:
    likely = likely_tuplets(bar, marked)
    yield tuple(marked), 0.0
    if likely:
        yield (*marked, *likely), 1.0 + 0.1 * len(likely)
    paired = paired_tuplets(bar, (*marked, *likely))
    if paired and (marked or likely):
        yield (*marked, *likely, *paired), 1.6 + 0.1 * (len(likely) + len(paired))
        own = [t for t in marked if t.events[0].group is None]
        again = likely_tuplets(bar, own)
        yield (*own, *again, *paired_tuplets(bar, (*own, *again))), 2.4
    if marked:
        yield (), 1.2 * len(marked)
        if len(marked) > 1 and wide:
            for skip in range(len(marked)):
                yield tuple(t for i, t in enumerate(marked) if i != skip), 1.2
    if len(likely) > 1 and wide:
        for one in likely[:6]:
            yield (*marked, one), 1.3


def _columns(events: Sequence[Event]) -> list[list[Event]]:
    columns: list[list[Event]] = []
    for event in sorted(events, key=lambda e: e.x):
        if columns and event.x - columns[-1][0].x < COLUMN:
            if not any(_clash(event, other) for other in columns[-1]):
                columns[-1].append(event)
                continue
        columns.append([event])
    return columns


def _merging(gap: float) -> float:
    """What it costs to read two columns so far apart as one onset."""
    return 0.02 if gap < 0.85 * SPACE else 0.2


def _clash(a: Event, b: Event) -> bool:
    if a.lane != b.lane:
        return False
    return a.up is not None and a.up == b.up


def _search(
    bar: Bar, columns: Sequence[Sequence[Event]], length: int | None, short_ok: bool,
    tuplets: tuple[Tuplet, ...], cost: float, wide: bool, bound: float,
    budget: _Budget,
) -> Solution | None:  # fmt: skip
    ratios = {id(event): tuplet.ratio for tuplet in tuplets for event in tuplet.events}
    width = 30 if wide else 14
    states = [_State(cost, -1, tuple(() for _ in bar.staves))]
    last_x = 0.0
    for column in columns:
        gap = column[0].x - last_x
        close = _merging(gap) if states[0].time >= 0 and gap < MERGE else None
        choices = [(event, _choices(event, ratios.get(id(event)), wide)) for event in column]
        following: dict[tuple[object, ...], _State] = {}
        for most in (COLUMN_LIMIT, float("inf")):
            for state in states:
                for new in _step(
                    bar, state, choices, close, length, min(bound, state.cost + most), wide
                ):
                    budget.left -= 1
                    key = (new.time, new.voices)
                    if key not in following or new.cost < following[key].cost:
                        following[key] = new
            if following or bound < float("inf"):
                break
        if budget.left <= 0:
            if bound < float("inf"):
                return None
            width = 2
        states = sorted(following.values(), key=lambda s: s.cost)[:width]
        if not states:
            return None
        last_x = column[0].x
    ends = [_finish(bar, state, length, short_ok) for state in states]
    cost, total, fits, state = min(ends, key=lambda end: end[0])
    placed: list[tuple[Event, Value, int, int]] = []
    at: _State | None = state
    while at is not None:
        placed += [(event, value, voice, at.time) for event, value, voice in at.placed]
        at = at.before
    return Solution(cost, total, fits, tuple(placed), tuplets)


def _choices(event: Event, ratio: tuple[int, int] | None, wide: bool) -> list[Value]:
    values = event.values or options(event)
    values = values[:5] if wide else [v for v in values if v.cost < 0.5]
    return [attrs.evolve(v, ratio=ratio) for v in values] if ratio else values


def _step(
    bar: Bar, state: _State, choices: Sequence[tuple[Event, list[Value]]], close: float | None,
    length: int | None, limit: float, wide: bool,
) -> Iterator[_State]:  # fmt: skip
    if state.time < 0:
        times = [0]
    else:
        ends = {end for staff in state.voices for end, _ in staff}
        times = sorted(end for end in ends if end > state.time)[:4]
        if close is not None:
            times.insert(0, state.time)
        if not times:
            times = [state.time]
    loss = sum(doubt(event) for event, _ in choices)
    if wide and state.time >= 0 and state.cost + loss < limit:
        yield _State(state.cost + loss, state.time, state.voices, state, (), state.x)
    holes = _holes(times, state, length) if wide else ()
    for time in (*times, *holes):
        if length is not None and time >= length and state.time >= 0 and time != times[0]:
            continue
        cost = state.cost + (close or 0.0 if time == state.time else 0.0)
        if length is not None and time >= length:
            cost += FULL_OVER
        if time in holes:
            cost += HOLE
        yield from _place(bar, state, choices, 0, time, cost, state.voices, (), limit, wide)


def doubt(event: Event) -> float:
    """What it costs to take an event for something that is no note or rest."""
    sure = max(symbol.confidence for symbol in event.symbols)
    carried = (1.0 if event.stem else 0.0) + len(event.heads[1:])
    return 0.3 + 5.5 * sure * sure + carried


def _holes(times: Sequence[int], state: _State, length: int | None) -> list[int]:
    """Later times at which a column may begin if a symbol before it was not seen."""
    first = next((time for time in times if time > state.time), None)
    if first is None or state.time < 0:
        return []
    found = [first + QUARTER // part for part in (4, 2, 1)]
    return [t for t in found if t not in times and (length is None or t < length)]


def _place(
    bar: Bar, state: _State, choices: Sequence[tuple[Event, list[Value]]], index: int, time: int,
    cost: float, voices: tuple[tuple[Voice, ...], ...],
    placed: tuple[tuple[Event, Value, int], ...], limit: float, wide: bool,
) -> Iterator[_State]:  # fmt: skip
    if index == len(choices):
        if placed:
            yield _State(cost, time, voices, state, placed, choices[0][0].x)
        elif state.time < 0:
            yield _State(cost, -1, voices, state, (), 0.0)
        return
    event, values = choices[index]
    if wide and cost + doubt(event) < limit:
        yield from _place(
            bar, state, choices, index + 1, time, cost + doubt(event), voices, placed, limit, wide
        )
    staff = bar.staves.index(event.lane)
    own = voices[staff]
    way = 0 if event.up is None else 1 if event.up else -1
    for number, extra in _voices(own, time, way):
        for value in values:
            if cost + extra + value.cost >= limit:
                break
            end = time + value.ticks
            if number == len(own):
                mine = (*own, (end, way))
            else:
                kept = own[number][1] or way
                mine = (*own[:number], (end, kept), *own[number + 1 :])
            yield from _place(
                bar, state, choices, index + 1, time, cost + extra + value.cost,
                (*voices[:staff], mine, *voices[staff + 1 :]),
                (*placed, (event, value, number)), limit, wide,
            )  # fmt: skip


def _voices(own: tuple[Voice, ...], time: int, way: int) -> Iterator[tuple[int, float]]:
    """Voices an event may continue or open, with what that costs."""
    ready = False
    for number, (end, direction) in enumerate(own):
        if end > time:
            continue
        against = 0.35 if len(own) > 1 and way and direction and way != direction else 0.0
        ready = ready or end == time
        yield number, against + (GAP if end < time else 0.0)
    if len(own) >= 4:
        if all(end > time for end, _ in own):
            yield min(range(4), key=lambda number: own[number][0]), 2 * FULL_OVER
        return
    if not own:
        yield 0, LATE if time else 0.0
    else:
        crowd = 0.3 if len(own) == 1 else 2.5
        same = 0.8 if way and all(direction == way for _, direction in own) else 0.0
        yield len(own), crowd + same + (LATE if time else 0.0) + (1.0 if ready else 0.0)


def _finish(
    bar: Bar, state: _State, length: int | None, short_ok: bool
) -> tuple[float, int, bool, _State]:
    staves = [staff for staff in state.voices if staff]
    ends = [max(end for end, _ in staff) for staff in staves]
    longest = max(ends, default=length or 0)
    full = length if length is not None else longest
    cost = state.cost + _cramped(state)
    fits = True
    if length is not None and ends and all(end == longest for end in ends) and longest < length:
        cost += 0.6 if short_ok else 3.0
        return cost, longest, short_ok, state
    for staff in staves:
        if not any(end == full for end, _ in staff):
            cost += SHORT
            fits = False
        for end, _ in staff:
            if end > full:
                cost += FULL_OVER
                fits = False
            elif end < full and len(staff) > 1:
                cost += OPEN_END
    return cost, full if fits else max(full, longest), fits, state


def _cramped(state: _State) -> float:
    """What is against a reading whose long notes stand closer than its short ones."""
    places: list[tuple[int, float]] = []
    at: _State | None = state
    while at is not None and at.time >= 0:
        if at.placed:
            if places and places[-1][0] == at.time:
                places.pop()
            places.append((at.time, at.x))
        at = at.before
    places.reverse()
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(places, places[1:], strict=False)]
    cost = 0.0
    for (time, x), (next_time, next_x) in zip(steps, steps[1:], strict=False):
        if (time >= 2 * next_time and x < 0.85 * next_x) or (
            2 * time <= next_time and 0.85 * x > next_x
        ):
            cost += CRAMPED
    return cost
