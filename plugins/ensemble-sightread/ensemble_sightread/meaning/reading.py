"""The whole way from what is seen to bars of notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import attrs

from ..symbols import Seen
from .layout import Carried
from .layout import bars as lay_out
from .music import QUARTER, WHOLE, Bar, Event, Meter, Value
from .pitches import attach_accidentals, name_heads, sound, tie
from .rhythm import Solution, solve
from .signatures import Clefs, read_clefs, read_keys, read_meters
from .values import attach_dots, options, split_repeat_dots

LENGTHS = {
    WHOLE: Meter(4, 4), 3 * QUARTER: Meter(3, 4), 2 * QUARTER: Meter(2, 4),
    3 * QUARTER // 2: Meter(3, 8), 6 * QUARTER: Meter(6, 4), 9 * QUARTER // 2: Meter(9, 8),
    5 * QUARTER: Meter(5, 4), 8 * QUARTER: Meter(4, 2),
}  # fmt: skip

DISTORTED = 7.0
"""A bar that fits its meter only at this cost is rather read as it is printed."""


@attrs.define(eq=False)
class Reading:
    """A page's bars, read.

    Attributes:
        seen: What they were read from.
        bars: In reading order.
        clefs: Which clef holds where.
        opening: Meter of the first bar; ``opening_printed`` unless it was inferred.
    """

    seen: Seen
    bars: list[Bar]
    clefs: Clefs
    opening: Meter
    opening_printed: bool


def read(
    seen: Seen, assumed: Meter | None = None, carried: Carried | None = None
) -> Reading:
    """Read a page.

    Args:
        seen: What is on it.
        assumed: Meter up to the first printed one; None: the one most bars fit.
        carried: Looks for ledger lines, where the picture is at hand.
    """
    bars = lay_out(seen, carried)
    read_clefs(seen, bars)
    clefs = Clefs(seen, bars)
    read_keys(bars, clefs)
    read_meters(bars)
    for bar in bars:
        split_repeat_dots(bar)
        attach_dots(bar)
        attach_accidentals(bar)
        _whole_bar_rests(bar)
        for event in bar.events:
            event.values = options(event)
    printed = bool(bars) and bars[0].meter_printed
    _solve(bars, assumed)
    name_heads(bars, clefs)
    ties = tie(seen, bars)
    sound(bars, ties)
    opening = bars[0].meter if bars and bars[0].meter else Meter()
    return Reading(seen, bars, clefs, opening, printed)


def _whole_bar_rests(bar: Bar) -> None:
    for staff in bar.staves:
        own = [event for event in bar.events if event.staff == staff and not event.grace]
        if len(own) == 1 and own[0].rest and own[0].rest.kind in ("rest-whole", "rest-half"):
            middle = (bar.left + bar.right) / 2
            if own[0].rest.kind == "rest-whole" or abs(own[0].middle - middle) < 8:
                own[0].whole_bar = True


def _solve(bars: Sequence[Bar], assumed: Meter | None) -> None:
    """Solve every bar, with the meter that is printed or that most bars agree on."""
    if bars and not bars[0].meter_printed:
        bars[0].meter = assumed or _infer(bars)
    meter = Meter()
    for number, bar in enumerate(bars):
        meter = bar.meter or meter
        bar.meter = meter
        edge = number in (0, len(bars) - 1)
        split = _repeats(bar) or (number > 0 and _repeats(bars[number - 1]))
        found = solve(bar, meter.ticks, short_ok=edge or split)
        if found.cost > DISTORTED:
            free = solve(bar, None)
            if free.cost + DISTORTED - 1 < found.cost:
                found = attrs.evolve(free, fits=free.length == meter.ticks)
        _apply(bar, found, meter)


def _repeats(bar: Bar) -> bool:
    heavy = bar.closes is not None and bar.closes.style not in ("single", "dashed")
    return bar.forward or bar.backward or heavy


def _infer(bars: Sequence[Bar]) -> Meter:
    """The meter most bars before the first printed one agree on."""
    votes: Counter[int] = Counter()
    for bar in bars:
        if bar.meter_printed:
            break
        if any(not event.whole_bar for event in bar.events):
            found = solve(bar, None)
            if found.cost < 2:
                votes[found.length] += 1
    for length, _ in votes.most_common():
        if length in LENGTHS:
            return _spelled(length, bars)
    return Meter()


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


def _apply(bar: Bar, found: Solution, meter: Meter) -> None:
    for event, value, voice, onset in found.placed:
        event.value, event.voice, event.onset = value, voice, onset
    bar.length = found.length or meter.ticks
    bar.fits, bar.cost = found.fits, found.cost
    bar.pickup = found.fits and bar.length < meter.ticks
    for event in bar.events:
        if event.whole_bar:
            event.onset, event.voice = 0, 0
            event.value = Value(1)
    for number, tuplet in enumerate(found.tuplets):
        for event in tuplet.events:
            event.tuplet = number
        ordered = sorted(tuplet.events, key=lambda e: (e.onset, e.x))
        ordered[0].tuplet_ends.append("start")
        ordered[-1].tuplet_ends.append("stop")
    _grace(bar)
    _order_voices(bar)


def _grace(bar: Bar) -> None:
    for event in bar.events:
        if not event.grace:
            continue
        event.value = Value(min(max(event.values[0].kind, 3), 6))
        later = [e for e in bar.events if e.lane == event.lane and e.x > event.x and not e.grace]
        if later:
            host = min(later, key=lambda e: e.x)
            event.onset, event.voice = host.onset, host.voice
        else:
            event.onset = bar.length


def _order_voices(bar: Bar) -> None:
    """Voice 0 of a staff is the upper one: stems up, or higher on the page."""
    for staff in bar.staves:
        voices: dict[int, list[Event]] = {}
        for event in bar.events:
            if event.lane == staff:
                voices.setdefault(event.voice, []).append(event)
        if len(voices) < 2:
            for event in voices.popitem()[1] if voices else ():
                event.voice = 0
            continue

        def rank(voice: int, voices: dict[int, list[Event]] = voices) -> tuple[float, float]:
            members = voices[voice]
            stems = [1 if e.up else -1 for e in members if e.up is not None]
            mean = sum(stems) / len(stems) if stems else 0.0
            return -round(mean), sum(e.y for e in members) / len(members)

        order = {voice: number for number, voice in enumerate(sorted(voices, key=rank))}
        for members in voices.values():
            for event in members:
                event.voice = order[event.voice]
