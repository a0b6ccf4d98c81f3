"""Which meter holds in which bar: what is printed, checked against what the bars hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .music import QUARTER, WHOLE, Bar, Meter
from .rhythm import PAGE_STATES, solve
from .search import Budget, Solution

LENGTHS = {
    WHOLE: Meter(4, 4), 3 * QUARTER: Meter(3, 4), 2 * QUARTER: Meter(2, 4),
    3 * QUARTER // 2: Meter(3, 8), 6 * QUARTER: Meter(6, 4), 9 * QUARTER // 2: Meter(9, 8),
    5 * QUARTER: Meter(5, 4), 8 * QUARTER: Meter(4, 2),
}  # fmt: skip
WRONG = 6.0
"""The most that one bar can say against a meter."""
CHANGE, AGAINST_PRINT = 7.0, 8.0
GOOD = 1.0
CANDIDATES, ASKED = 3, 32
"""So many lengths are tried, in so many bars, where no meter is printed."""
DISTORTED = 7.0
"""A bar that fits its meter only at this cost is rather read as it is printed."""


def read_bars(bars: Sequence[Bar], assumed: Meter | None) -> list[Solution]:
    """Find the meter and the reading of every bar.

    Args:
        bars: With ``meter`` set where one is printed; afterwards it is set in all.
        assumed: Meter up to the first printed one; None: the one most bars fit.
    """
    if not bars:
        return []
    page = Budget(PAGE_STATES)
    free: dict[int, Solution] = {}
    if not bars[0].meter_printed:
        bars[0].meter = assumed or _infer(bars, free, page)
    meter = bars[0].meter or Meter()
    solved = []
    for number, bar in enumerate(bars):
        meter = bar.meter or meter
        solved.append(_in_meter(bars, number, meter, page))
        bar.meter = meter
    poor = [n for n, found in enumerate(solved) if found.cost > 2 and _filled(bars[n])]
    if len(poor) >= 2:
        for number in poor:
            free.setdefault(number, solve(bars[number], None, page=page))
        _revise(bars, solved, free, poor, page)
    for number in range(len(bars)):
        if solved[number].cost > DISTORTED:
            other = free.get(number) or solve(bars[number], None, page=page)
            if other.cost + DISTORTED - 1 < solved[number].cost:
                meter = bars[number].meter or meter
                solved[number] = _as_printed(other, meter)
    return solved


def _as_printed(found: Solution, meter: Meter) -> Solution:
    return Solution(
        found.cost, found.length, found.length == meter.ticks, found.placed, found.tuplets
    )


def _filled(bar: Bar) -> bool:
    return any(not event.whole_bar and not event.grace for event in bar.events)


def _in_meter(bars: Sequence[Bar], number: int, meter: Meter, page: Budget) -> Solution:
    edge = number in (0, len(bars) - 1)
    split = _repeats(bars[number]) or (number > 0 and _repeats(bars[number - 1]))
    return solve(bars[number], meter.ticks, short_ok=edge or split, page=page)


def _repeats(bar: Bar) -> bool:
    heavy = bar.closes is not None and bar.closes.style not in ("single", "dashed")
    return bar.forward or bar.backward or heavy


def _revise(
    bars: Sequence[Bar],
    solved: list[Solution],
    free: dict[int, Solution],
    poor: list[int],
    page: Budget,
) -> None:
    """Where several bars agree on another meter than the one that was read, take theirs."""
    votes = Counter(free[n].length for n in poor if free[n].cost < GOOD)
    others = [
        _spelled(ticks, bars) for ticks, n in votes.most_common(2) if n > 1 and ticks in LENGTHS
    ]
    known = list(dict.fromkeys([bar.meter or Meter() for bar in bars]))
    meters = known + [m for m in others if all(m.ticks != k.ticks for k in known)]
    if len(meters) < 2:
        return
    chosen = _cheapest(bars, solved, free, meters)
    for number, bar in enumerate(bars):
        if chosen[number].ticks != (bar.meter or Meter()).ticks:
            bar.meter = chosen[number]
            bar.meter_printed = False
            solved[number] = _in_meter(bars, number, chosen[number], page)


def _cheapest(
    bars: Sequence[Bar], solved: list[Solution], free: dict[int, Solution], meters: list[Meter]
) -> list[Meter]:
    """The sequence of meters that bars and print together speak for (Viterbi)."""
    best = [0.0] * len(meters)
    back: list[list[int]] = []
    for number, bar in enumerate(bars):
        pointers, costs = [], []
        for index, meter in enumerate(meters):
            came = min(
                range(len(meters)),
                key=lambda i: (
                    best[i] + (CHANGE if number and i != index and not bar.meter_printed else 0.0)
                ),
            )
            jump = CHANGE if number and came != index and not bar.meter_printed else 0.0
            if bar.meter_printed and bar.meter != meter:
                jump += AGAINST_PRINT
            pointers.append(came)
            costs.append(best[came] + jump + _against(bar, meter, solved[number], free.get(number)))
        best = costs
        back.append(pointers)
    index = min(range(len(meters)), key=lambda i: best[i])
    chosen = []
    for pointers in reversed(back):
        chosen.append(meters[index])
        index = pointers[index]
    return chosen[::-1]


def _against(bar: Bar, meter: Meter, found: Solution, free: Solution | None) -> float:
    if not _filled(bar):
        return 0.0
    if bar.meter is not None and meter.ticks == bar.meter.ticks:
        return min(found.cost, WRONG)
    if free is not None and free.length == meter.ticks:
        return min(free.cost, WRONG)
    return WRONG


def _infer(bars: Sequence[Bar], free: dict[int, Solution], page: Budget) -> Meter:
    """The meter that is easiest on the bars before the first printed one.

    A bar of unmarked triplets is a long one if read as it stands: plain bars decide.
    """
    votes: Counter[int] = Counter()
    for number, bar in enumerate(bars):
        if bar.meter_printed:
            break
        if _filled(bar):
            free[number] = solve(bar, None, page=page)
            if free[number].cost < 2:
                votes[free[number].length] += 1
    likely = [length for length, _ in votes.most_common() if length in LENGTHS][:CANDIDATES]
    if not likely:
        return Meter()
    asked = [number for number, bar in enumerate(bars) if number in free][:ASKED]

    def against(length: int) -> float:
        cost = 0.0
        for number in asked:
            found = free[number]
            if found.length != length:
                found = solve(bars[number], length, page=page)
            cost += min(found.cost, WRONG)
        return cost

    length = min(likely, key=against) if len(likely) > 1 else likely[0]
    return _spelled(length, bars)


def _spelled(length: int, bars: Sequence[Bar]) -> Meter:
    """3/4 or 6/8, 6/4 or 12/8: by how beams group."""
    groups: Counter[int] = Counter()
    for bar in bars:
        sizes: Counter[int] = Counter()
        for event in bar.events:
            if event.group is not None:
                sizes[event.group] += event.values[0].ticks
        groups.update(sizes.values())
    dotted = groups[3 * QUARTER // 2] > groups[QUARTER] + groups[2 * QUARTER]
    if length == 3 * QUARTER and dotted:
        return Meter(6, 8)
    if length == 6 * QUARTER and dotted:
        return Meter(12, 8)
    return LENGTHS[length]
