"""The beam search over the columns of one bar."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
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


@attrs.define(eq=False)
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
    """How many more states may be made before a search takes what it has."""

    left: int


@attrs.frozen(eq=False)
class Choice:
    """An event and what it may be.

    Attributes:
        event: The event.
        values: Lengths it may have, with their ticks, cheapest first.
        staff: Place of its staff in the bar.
        way: Its stem: 1 up, -1 down, 0 unknown.
        doubt: What it costs to take it for nothing.
    """

    event: Event
    values: tuple[tuple[Value, int], ...]
    staff: int
    way: int
    doubt: float


@attrs.define(eq=False)
class Frontier:
    """The cheapest states after a column, one for each place they lead to.

    Attributes:
        width: How many of them matter.
        budget: Goes down with each state offered.
        limit: States that cost more are not among the cheapest.
    """

    width: int
    budget: Budget
    limit: float = NEVER
    found: dict[tuple[int, Voices], State] = attrs.field(factory=dict)

    def offer(self, state: State) -> None:
        """Keep a state if it is the cheapest that leads where it does."""
        self.budget.left -= 1
        if state.cost > self.limit:
            return
        key = (state.time, state.voices)
        known = self.found.get(key)
        if known is not None:
            if state.cost < known.cost:
                self.found[key] = state
            return
        self.found[key] = state
        if len(self.found) >= self.width + 8:
            self.limit = sorted(state.cost for state in self.found.values())[self.width - 1]
            self.found = {k: s for k, s in self.found.items() if s.cost <= self.limit}

    def cheapest(self) -> list[State]:
        """The states that matter, cheapest first."""
        return sorted(self.found.values(), key=lambda state: state.cost)[: self.width]


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
            choices = [self._choice(event, ratios.get(id(event))) for event in column]
            states = self._following(states, choices, close, width)
            if self.budget.left <= 0:
                if self.bound < NEVER:
                    return None
                width = 2
            states = states[:width]
            if not states:
                return None
            last_x = column[0].x
        best: tuple[float, State, int, bool] | None = None
        for state in states:
            if best and state.cost >= best[0]:
                break  # the end of a bar only adds to what it costs
            total, length, fits = self._finish(state)
            if best is None or total < best[0]:
                best = total, state, length, fits
        return self._solution(best[1], best[0], best[2], best[3]) if best else None

    def _choice(self, event: Event, ratio: tuple[int, int] | None) -> Choice:
        values = event.values or options(event)
        values = values[:5] if self.wide else [value for value in values if value.cost < 0.5]
        if ratio:
            values = [Value(value.kind, value.dots, value.cost, ratio) for value in values]
        way = 0 if event.up is None else 1 if event.up else -1
        lengths = tuple((value, value.ticks) for value in values)
        return Choice(event, lengths, self.bar.staves.index(event.lane), way, doubt(event))

    def _following(
        self, states: Sequence[State], choices: Sequence[Choice], close: float | None, width: int
    ) -> list[State]:
        for most in (COLUMN_LIMIT, NEVER):
            front = Frontier(width, self.budget)
            for state in states:
                if state.cost > front.limit:
                    break  # nor are those after it among the cheapest
                self._step(state, choices, close, min(self.bound, state.cost + most), front)
            if front.found or self.bound < NEVER:
                break
        return front.cheapest()

    def _step(
        self,
        state: State,
        choices: Sequence[Choice],
        close: float | None,
        limit: float,
        front: Frontier,
    ) -> None:
        """Offer all ways to read one column after ``state``."""
        times = _times(state, close is not None)
        if self.wide and state.time >= 0:
            loss = state.cost + sum(choice.doubt for choice in choices)
            if loss < limit:
                front.offer(State(loss, state.time, state.voices, state, (), state.x))
        holes = self._holes(times, state) if self.wide else []
        for time in (*times, *holes):
            over = self.length is not None and time >= self.length
            if over and state.time >= 0 and time != times[0]:
                continue
            cost = state.cost + (FULL_OVER if over else 0.0) + (HOLE if time in holes else 0.0)
            if time == state.time:
                cost += close or 0.0
            if cost < limit:
                self._place(state, choices, time, (cost, limit), front)

    def _holes(self, times: Sequence[int], state: State) -> list[int]:
        """Later times at which a column may begin if a symbol before it was not seen."""
        first = next((time for time in times if time > state.time), None)
        if first is None or state.time < 0:
            return []
        found = [first + QUARTER // part for part in (4, 2, 1)]
        most = self.length if self.length is not None else NEVER
        return [time for time in found if time not in times and time < most]

    def _place(
        self,
        before: State,
        choices: Sequence[Choice],
        time: int,
        costs: tuple[float, float],
        front: Frontier,
    ) -> None:
        """Offer all ways to put a column's events into voices at ``time``.

        Args:
            before: The reading up to the column.
            choices: What the column's events may be.
            time: When it begins.
            costs: What it costs already, and what it must not cost.
            front: Where the readings go.
        """
        cost, limit = costs
        partial: list[tuple[float, Voices, Placed]] = [(cost, before.voices, ())]
        for choice in choices:
            staff, way, event, loss = choice.staff, choice.way, choice.event, choice.doubt
            grown: list[tuple[float, Voices, Placed]] = []
            for cost, voices, placed in partial:
                if self.wide and cost + loss < limit:
                    grown.append((cost + loss, voices, placed))
                own, above, below = voices[staff], voices[:staff], voices[staff + 1 :]
                for number, extra in _voices(own, time, way):
                    direction = own[number][1] or way if number < len(own) else way
                    first, last = own[:number], own[number + 1 :]
                    for value, ticks in choice.values:
                        total = cost + extra + value.cost
                        if total >= limit or total > front.limit:
                            break
                        mine = (*first, (time + ticks, direction), *last)
                        taken = (*placed, (event, value, number))
                        grown.append((total, (*above, mine, *below), taken))
            partial = grown
        x = choices[0].event.x
        for cost, voices, placed in partial:
            if placed:
                front.offer(State(cost, time, voices, before, placed, x))
            elif before.time < 0:
                front.offer(State(cost, -1, voices, before))

    def _finish(self, state: State) -> tuple[float, int, bool]:
        """Weigh how the bar ends: what the reading costs, its length and whether it fits."""
        staves = [staff for staff in state.voices if staff]
        ends = [max(end for end, _ in staff) for staff in staves]
        longest = max(ends, default=self.length or 0)
        full = self.length if self.length is not None else longest
        cost = state.cost + _cramped(state)
        if ends and longest < full and all(end == longest for end in ends):
            likely = self.short_ok and 4 * longest <= 3 * full
            cost += 0.6 if likely else 1.4 if self.short_ok else 3.0
            return cost, longest, self.short_ok
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
        return cost, full if fits else max(full, longest), fits

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


@lru_cache(maxsize=8192)
def _voices(own: tuple[Voice, ...], time: int, way: int) -> tuple[tuple[int, float], ...]:
    """Voices an event may continue or open, with what that costs."""
    found: list[tuple[int, float]] = []
    ready = False
    for number, (end, direction) in enumerate(own):
        if end > time:
            continue
        against = 0.35 if len(own) > 1 and way and direction and way != direction else 0.0
        ready = ready or end == time
        found.append((number, against + (GAP if end < time else 0.0)))
    if len(own) >= 4:
        if all(end > time for end, _ in own):
            found.append((min(range(4), key=lambda number: own[number][0]), 2 * FULL_OVER))
    elif not own:
        found.append((0, LATE if time else 0.0))
    else:
        crowd = 0.3 if len(own) == 1 else 2.5
        same = 0.8 if way and all(direction == way for _, direction in own) else 0.0
        late = LATE if time else 0.0
        found.append((len(own), crowd + same + late + (1.0 if ready else 0.0)))
    return tuple(found)


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
