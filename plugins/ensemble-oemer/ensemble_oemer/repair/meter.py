"""The meter, which oemer does not read, from how long the bars are.

Every staff of every bar votes for its length; the meters of the bars are the cheapest
sequence in which each vote against costs 1 and each change of meter costs :data:`CHANGE`
(a shortest path, as in Viterbi's algorithm). So a change needs a run of bars that agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from ensemble_core.model import Diagnostic

from .music import Bar, Meter, Part, Time
from .tally import Tally

CHANGE = 5
"""Votes a change of meter costs."""

RARE = 10
"""Votes it costs besides if it leads to a meter that is seldom changed to: a run of bars in 5/4
within 4/4 is rather one kind of rest misread in all of them."""

METERS: dict[Time, tuple[Meter, ...]] = {
    Fraction(4): (Meter(4, 4),),
    Fraction(3): (Meter(3, 4), Meter(6, 8)),
    Fraction(2): (Meter(2, 4),),
    Fraction(6): (Meter(6, 4), Meter(12, 8)),
    Fraction(3, 2): (Meter(3, 8),),
    Fraction(9, 2): (Meter(9, 8),),
    Fraction(5): (Meter(5, 4),),
}
"""The usual meters by the length of their bar, the most usual first."""


def infer_meters(parts: Sequence[Part], tally: Tally) -> list[Meter]:
    """The meter of each bar; also noted in the bars where it begins.

    A document that states a meter already keeps what it states.
    """
    columns = [list(column) for column in zip(*(part.bars for part in parts), strict=True)]
    if any(bar.meter for column in columns for bar in column):
        return _stated(columns)
    votes = [_votes(column) for column in columns]
    lengths = _cheapest(votes)
    meters: list[Meter] = []
    for place, length in enumerate(lengths):
        if place and length == lengths[place - 1]:
            meters.append(meters[-1])
            continue
        run = next((i for i in range(place, len(lengths)) if lengths[i] != length), len(lengths))
        meters.append(_by_grouping(length, columns[place:run]))
        for bar in columns[place]:
            bar.meter = meters[-1]
        tally.said.append(_told(meters[-1], place, length, votes[place:run]))
    _find_pickup(columns, meters, tally)
    return meters


def _stated(columns: list[list[Bar]]) -> list[Meter]:
    meters: list[Meter] = []
    for column in columns:
        new = next((bar.meter for bar in column if bar.meter), None)
        meters.append(new or (meters[-1] if meters else Meter(4, 4)))
    return meters


def _votes(column: list[Bar]) -> list[Time]:
    """Lengths of the staves; one that only rests does not know how long the bar is."""
    found = []
    for bar in column:
        staves = {event.staff for event in bar.events if not event.rest}
        found += [bar.extent(staff) for staff in staves]
    return found


def _cheapest(votes: list[list[Time]]) -> list[Time]:
    """The length of each bar."""
    lengths = list(METERS)
    cost: dict[Time, int] = dict.fromkeys(lengths, 0)
    before: list[dict[Time, Time]] = []
    for some in votes:
        best = min(lengths, key=lambda length: cost[length])
        came = {n: n if cost[n] <= cost[best] + _price(best, n) else best for n in lengths}
        cost = {
            n: cost[came[n]] + _price(came[n], n) + sum(vote != n for vote in some) for n in lengths
        }
        before.append(came)
    now = min(lengths, key=lambda length: cost[length])
    found = []
    for came in reversed(before):
        found.append(now)
        now = came[now]
    return found[::-1]


def _price(before: Time, after: Time) -> int:
    """What it costs that one bar is so long and the next so."""
    if before == after:
        return 0
    return CHANGE if after in (2, 3, 4) else CHANGE + RARE


def _by_grouping(length: Time, columns: list[list[Bar]]) -> Meter:
    """Of two meters with bars of one length, that whose beats the longer notes keep to.

    Notes of a quarter or more that begin on a quarter but on no dotted quarter speak for
    simple time; those on dotted quarters only, and dotted quarters themselves, for compound.
    """
    simple, *others = METERS[length]
    if not others:
        return simple
    for_simple = for_compound = 0
    dotted = Fraction(3, 2)
    for event in (event for column in columns for bar in column for event in bar.events):
        if event.rest or event.duration < 1 or event.duration >= length:
            continue
        on_simple, on_compound = event.onset % 1 == 0, event.onset % dotted == 0
        for_simple += on_simple and not on_compound
        for_compound += on_compound and (not on_simple or event.duration == dotted)
    return others[0] if for_compound > for_simple else simple


def _find_pickup(columns: list[list[Bar]], meters: list[Meter], tally: Tally) -> None:
    """A short first bar is a pick-up if its staves agree, or it is at most half a bar, or the
    last bar makes it whole."""
    if len(columns) < 2:
        return
    first, last = _votes(columns[0]), _votes(columns[-1])
    length = max(first, default=Fraction(0))
    if not 0 < length < meters[0].length:
        return
    agree = len(first) > 1 and len(set(first)) == 1
    completed = length + max(last, default=Fraction(0)) == meters[0].length
    if agree or completed or length <= meters[0].length / 2:
        for bar in columns[0]:
            bar.pickup = True
        tally.said.append(
            Diagnostic("info", "oemer-pickup", f"the first bar is a pick-up of {_say(length)}")
        )


def _told(meter: Meter, place: int, length: Time, votes: list[list[Time]]) -> Diagnostic:
    counted = Counter(vote for some in votes for vote in some)
    agree, total = counted[length], counted.total()
    sure = agree * 2 >= total and agree > 0
    where = f" from bar {place + 1}" if place else ""
    return Diagnostic(
        "info" if sure else "warning", "oemer-meter-inferred",
        f"the meter{where} is taken to be {meter}: {agree} of {total} staves of bars are "
        f"{_say(length)} long",
        hint="" if sure else "oemer reads no time signatures; correct it in the score if wrong",
    )  # fmt: skip


def _say(length: Time) -> str:
    return f"{float(length):g} quarters"
