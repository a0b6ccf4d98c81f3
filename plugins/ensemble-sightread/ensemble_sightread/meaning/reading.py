"""The whole way from what is seen to bars of notes."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..symbols import Seen
from .dynamics import add_dynamics
from .endings import add_endings
from .faint import supplemented
from .hairpins import add_hairpins
from .layout import Carried
from .layout import bars as lay_out
from .marks import attach_marks
from .meters import read_bars
from .multibars import counted_out, rest
from .music import Bar, Event, Meter, Value
from .octaves import add_octaves
from .pedals import add_pedals
from .pitches import Arc, attach_accidentals, name_heads, sound, tie
from .prefixes import joined
from .search import Solution
from .signatures import Clefs, read_clefs, read_keys, read_meters
from .slurs import slurs
from .strokes import attach_strokes
from .text import attach_lyrics, attach_words
from .values import attach_dots, options, split_repeat_dots


@attrs.define(eq=False)
class Reading:
    """A page's bars, read.

    Attributes:
        seen: What they were read from.
        bars: In reading order; a rest of several bars is counted out.
        clefs: Which clef holds where.
        opening: Meter of the first bar; ``opening_printed`` unless it was inferred.
    """

    seen: Seen
    bars: list[Bar]
    clefs: Clefs
    opening: Meter
    opening_printed: bool


def read(
    seen: Seen,
    assumed: Meter | None = None,
    carried: Carried | None = None,
    arc: Arc | None = None,
) -> Reading:
    """Read a page.

    Args:
        seen: What is on it.
        assumed: Meter up to the first printed one; None: the one most bars fit.
        carried: Looks for ledger lines, where the picture is at hand.
        arc: Looks for ties there.
    """
    bars = joined(seen, lay_out(seen, carried))
    fuller = supplemented(seen, bars)
    if fuller is not seen:
        seen, bars = fuller, joined(fuller, lay_out(fuller, carried))
    rest(seen, bars)
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
    sound(bars, ())
    ties = tie(seen, bars, arc)
    sound(bars, ties)
    slurs(seen, bars, ties)
    for bar in bars:
        attach_marks(bar)
    attach_strokes(seen, bars)
    add_dynamics(seen, bars)
    add_hairpins(seen, bars)
    add_pedals(seen, bars)
    add_endings(seen, bars)
    add_octaves(seen, bars)
    attach_words(seen, bars, attach_lyrics(seen, bars))
    opening = bars[0].meter if bars and bars[0].meter else Meter()
    return Reading(seen, counted_out(bars), clefs, opening, printed)


def _whole_bar_rests(bar: Bar) -> None:
    for staff in bar.staves:
        own = [event for event in bar.events if event.staff == staff and not event.grace]
        if len(own) == 1 and own[0].rest and own[0].rest.kind in ("rest-whole", "rest-half"):
            middle = (bar.left + bar.right) / 2
            if own[0].rest.kind == "rest-whole" or abs(own[0].middle - middle) < 8:
                own[0].whole_bar = True


def _solve(bars: Sequence[Bar], assumed: Meter | None) -> None:
    for bar, found in zip(bars, read_bars(bars, assumed), strict=True):
        _apply(bar, found, bar.meter or Meter())


def _apply(bar: Bar, found: Solution, meter: Meter) -> None:
    for event, value, voice, onset in found.placed:
        event.value, event.voice, event.onset = value, voice, onset
    kept = {id(event) for event, *_ in found.placed}
    bar.events = [e for e in bar.events if id(e) in kept or e.whole_bar or e.grace]
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
