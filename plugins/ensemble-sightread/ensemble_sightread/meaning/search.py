"""The beam search over the columns of one bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import attrs

from ..symbols import SPACE
from .music import QUARTER, Bar, Event, Value
from .values import Tuplet, options

COLUMN = 0.45 * SPACE
"""Events so near each other begin together."""
MERGE = 1.9 * SPACE
"""Columns so near may still be one, pushed apart by a second or by two voices."""
GAP, LATE, SHORT, OPEN_END, FULL_OVER = 1.6, 1.5, 4.0, 1.2, 5.0
"""Costs: silence inside a voice, a voice that begins late, a staff without any full voice,
a further voice that ends early, a note beyond the bar's end."""
HOLE = 1.4
"""Cost of a symbol that must be there and was not seen."""
CRAMPED = 0.35
"""Cost of a long note that stands closer to the next than a short one does."""
COLUMN_LIMIT = 8.0
NEVER = float("inf")

Voice = tuple[int, int]
"""Where a voice ends and which way its stems point (1 up, -1 down, 0 unknown)."""
Voices = tuple[tuple[Voice, ...], ...]
"""The voices of each staff."""
Placed = tuple[tuple[Event, Value, int], ...]
"""Events with the value they were read as and the voice they went to."""
Choices = Sequence[tuple[Event, list[Value]]]


@attrs.frozen(eq=False)
class State:
    """A reading of the columns so far; ``before`` leads back to the first."""

    cost: float
    time: int
    voices: Voices
    before: State | None = None
    placed: Placed = ()
    x: float = 0.0


@attrs.define
class Budget:
    """How many more states the search of one bar may make before it takes what it has."""

    left: int = 5_000


@attrs.frozen(eq=False)
class Solution:
    """One reading of a bar: events with value, voice and onset, and the tuplets assumed."""

    cost: float
    length: int
    fits: bool
    placed: tuple[tuple[Event, Value, int, int], ...]
    tuplets: tuple[Tuplet, ...]


@attrs.frozen(eq=False)
class Search:
    """One run over a bar.

    Attributes:
        bar: The bar.
        length: Ticks the meter asks for; None: unknown.
        short_ok: The bar may be short.
        tuplets: Tuplets that are assumed.
        wide: Also weigh lengths that are not what was seen, holes and false symbols.
        bound: Readings that cost as much are of no use.
        budget: Shared by all runs over the bar.
    """

    bar: Bar
    length: int | None
    short_ok: bool
    tuplets: tuple[Tuplet, ...]
    wide: bool
    bound: float
    budget: Budget

    def run(self, columns: Sequence[Sequence[Event]], cost: float) -> Solution | None:
        """The cheapest reading of the columns, or None if all cost too much."""
        ratios = {id(event): tuplet.ratio for tuplet in self.tuplets for event in tuplet.events}
        width = 30 if self.wide else 14
        states = [State(cost, -1, tuple(() for _ in self.bar.staves))]
        last_x = 0.0
        for column in columns:
            gap = column[0].x - last_x
            close = _merging(gap) if states[0].time >= 0 and gap < MERGE else None
            choices = [(event, self._choices(event, ratios.get(id(event)))) for event in column]
            following = self._following(states, choices, close)
            if self.budget.left <= 0:
                if self.bound < NEVER:
                    return None
                width = 2
            states = sorted(following, key=lambda state: state.cost)[:width]
            if not states:
                return None
            last_x = column[0].x
        return min((self._finish(state) for state in states), key=lambda found: found.cost)

    def _choices(self, event: Event, ratio: tuple[int, int] | None) -> list[Value]:
        values = event.values or options(event)
        values = values[:5] if self.wide else [value for value in values if value.cost < 0.5]
        return [attrs.evolve(value, ratio=ratio) for value in values] if ratio else values

    def _following(
        self, states: Sequence[State], choices: Choices, close: float | None
    ) -> list[State]:
        found: dict[tuple[int, Voices], State] = {}
        for most in (COLUMN_LIMIT, NEVER):
            for state in states:
                for new in self._step(state, choices, close, min(self.bound, state.cost + most)):
                    self.budget.left -= 1
                    key = (new.time, new.voices)
                    if key not in found or new.cost < found[key].cost:
                        found[key] = new
            if found or self.bound < NEVER:
                break
        return list(found.values())

    def _step(
        self, state: State, choices: Choices, close: float | None, limit: float
    ) -> Iterator[State]:
        """All ways to read one column after ``state``."""
        times = _times(state, close is not None)
        loss = sum(doubt(event) for event, _ in choices)
        if self.wide and state.time >= 0 and state.cost + loss < limit:
            yield State(state.cost + loss, state.time, state.voices, state, (), state.x)
        holes = self._holes(times, state) if self.wide else []
        for time in (*times, *holes):
            over = self.length is not None and time >= self.length
            if over and state.time >= 0 and time != times[0]:
                continue
            cost = state.cost + (FULL_OVER if over else 0.0) + (HOLE if time in holes else 0.0)
            if time == state.time:
                cost += close or 0.0
            start = State(cost, time, state.voices, state)
            for new in self._place(start, choices, 0, limit):
                if new.placed:
                    yield attrs.evolve(new, x=choices[0][0].x)
                elif state.time < 0:
                    yield attrs.evolve(new, time=-1)

    def _holes(self, times: Sequence[int], state: State) -> list[int]:
        """Later times at which a column may begin if a symbol before it was not seen."""
        first = next((time for time in times if time > state.time), None)
        if first is None or state.time < 0:
            return []
        found = [first + QUARTER // part for part in (4, 2, 1)]
        most = self.length if self.length is not None else NEVER
        return [time for time in found if time not in times and time < most]

    def _place(self, state: State, choices: Choices, index: int, limit: float) -> Iterator[State]:
        """Put the column's events, from ``index`` on, into voices at ``state.time``."""
        if index == len(choices):
            yield state
            return
        event, values = choices[index]
        if self.wide and state.cost + doubt(event) < limit:
            without = attrs.evolve(state, cost=state.cost + doubt(event))
            yield from self._place(without, choices, index + 1, limit)
        staff = self.bar.staves.index(event.lane)
        own = state.voices[staff]
        way = 0 if event.up is None else 1 if event.up else -1
        for number, extra in _voices(own, state.time, way):
            for value in values:
                cost = state.cost + extra + value.cost
                if cost >= limit:
                    break
                kept = own[number][1] or way if number < len(own) else way
                mine = (*own[:number], (state.time + value.ticks, kept), *own[number + 1 :])
                new = State(
                    cost, state.time, (*state.voices[:staff], mine, *state.voices[staff + 1 :]),
                    state.before, (*state.placed, (event, value, number)),
                )  # fmt: skip
                yield from self._place(new, choices, index + 1, limit)

    def _finish(self, state: State) -> Solution:
        """Weigh how the bar ends."""
        staves = [staff for staff in state.voices if staff]
        ends = [max(end for end, _ in staff) for staff in staves]
        longest = max(ends, default=self.length or 0)
        full = self.length if self.length is not None else longest
        cost = state.cost + _cramped(state)
        if ends and longest < full and all(end == longest for end in ends):
            likely = self.short_ok and 4 * longest <= 3 * full
            cost += 0.6 if likely else 3.0
            return self._solution(state, cost, longest, self.short_ok)
        fits = True
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
        return self._solution(state, cost, full if fits else max(full, longest), fits)

    def _solution(self, state: State, cost: float, length: int, fits: bool) -> Solution:
        placed: list[tuple[Event, Value, int, int]] = []
        at: State | None = state
        while at is not None:
            placed += [(event, value, voice, at.time) for event, value, voice in at.placed]
            at = at.before
        return Solution(cost, length, fits, tuple(placed), self.tuplets)


def doubt(event: Event) -> float:
    """What it costs to take an event for something that is no note or rest."""
    sure = max(symbol.confidence for symbol in event.symbols)
    carried = (1.0 if event.stem else 0.0) + len(event.heads[1:])
    return 0.3 + 5.5 * sure * sure + carried


def _merging(gap: float) -> float:
    """What it costs to read two columns so far apart as one onset."""
    return 0.02 if gap < 0.85 * SPACE else 0.2


def _times(state: State, close: bool) -> list[int]:
    """When the next column may begin: where a voice ends, or together with the last one."""
    if state.time < 0:
        return [0]
    ends = {end for staff in state.voices for end, _ in staff}
    times = sorted(end for end in ends if end > state.time)[:4]
    if close or not times:
        times.insert(0, state.time)
    return times


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


def _cramped(state: State) -> float:
    """What is against a reading whose long notes stand closer than its short ones."""
    places: list[tuple[int, float]] = []
    at: State | None = state
    while at is not None and at.time >= 0:
        if at.placed:
            if places and places[-1][0] == at.time:
                places.pop()
            places.append((at.time, at.x))
        at = at.before
    places.reverse()
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(places)]
    cost = 0.0
    for (time, x), (next_time, next_x) in pairwise(steps):
        if (time >= 2 * next_time and x < 0.85 * next_x) or (
            2 * time <= next_time and 0.85 * x > next_x
        ):
            cost += CRAMPED
    return cost
