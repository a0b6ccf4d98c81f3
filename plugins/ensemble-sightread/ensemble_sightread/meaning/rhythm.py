"""When each event of a bar begins and how long it lasts.

A beam search over the columns of a bar (events of all staves that stand at one x). The
next column begins when some voice that sounds ends; every event of it continues a voice
of its staff or opens one. Readings are weighed by what they assume: hidden rests, voices
that do not fill the bar, dots or beams that were not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .music import Bar, Event
from .search import COLUMN, NEVER, Budget, Search, Solution
from .values import Tuplet, likely_tuplets, marked_tuplets, paired_tuplets

GOOD = 0.75
"""A reading as cheap as this is taken without looking for others."""
PAGE_STATES, BAR_STATES, LEAST_STATES = 40_000, 4_000, 500
"""States that the search of a page, and of one bar, may make; a bar always gets the least."""


def solve(
    bar: Bar, length: int | None, short_ok: bool = False, page: Budget | None = None
) -> Solution:
    """Find the cheapest reading of a bar; beams from staff to staff are tried in both.

    Args:
        bar: The bar, its events with dots, beams and flags; they get the ``lane`` that was
            cheapest.
        length: Ticks the meter asks for; None: unknown.
        short_ok: The bar may be short (a pick-up, beside a repeat, the end).
        page: What the page has left; a hard bar takes from it.
    """
    page = page or Budget(PAGE_STATES)
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
        budget = Budget(min(BAR_STATES, max(LEAST_STATES, page.left)))
        page.left -= budget.left
        found = _solve(bar, length, short_ok, budget)
        page.left += budget.left
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


def _solve(bar: Bar, length: int | None, short_ok: bool, budget: Budget) -> Solution:
    """The same with every event in one staff's voices, within a budget of states."""
    events = [e for e in bar.events if not e.grace and not e.whole_bar]
    columns = _columns(events)
    marked = marked_tuplets(bar)
    best: Solution | None = None
    for wide in (False, True):
        for tuplets, cost in _hypotheses(bar, marked, wide):
            bound = best.cost if best else NEVER
            if cost >= bound or (best and budget.left <= 0):
                continue
            found = Search(bar, length, short_ok, tuplets, wide, bound, budget).run(columns, cost)
            if found is not None and found.cost < bound:
                best = found
            if best and best.cost < GOOD:
                return best
    assert best is not None  # noqa: S101 - the first search has no bound
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
        near = bool(columns) and event.x - columns[-1][0].x < COLUMN
        if near and not any(_clash(event, other) for other in columns[-1]):
            columns[-1].append(event)
        else:
            columns.append([event])
    return columns


def _clash(a: Event, b: Event) -> bool:
    if a.lane != b.lane:
        return False
    return a.up is not None and a.up == b.up
