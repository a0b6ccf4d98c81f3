"""Rests: what oemer read of them, cut to fit, and those that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import attrs

from .music import TYPES, Bar, Event, Meter, Time, written_type
from .tally import Tally
from .voices import Voices, free, separate

CROWD = 2
"""Voices a staff has at most, if it was read well."""


def fill(bar: Bar, staves: int, meter: Meter, tally: Tally) -> dict[int, Voices]:
    """The voices of each staff, the first voice of each filled to the length of the bar.

    Notes stay as they are, even past the end of the bar; rests are cut to fit.
    """
    longest = max((e.end for e in bar.events if not e.rest), default=Fraction(0))
    length = longest if bar.pickup and 0 < longest < meter.length else meter.length
    found = {}
    for staff in range(1, staves + 1):
        events = [event for event in bar.events if event.staff == staff]
        notes = [event for event in events if not event.rest]
        if not notes:
            found[staff] = [[_whole_bar(staff, length)]]
            if not events:
                tally.bar("oemer-staves-silent", bar.label)
            tally.counts["oemer-rests-cut"] += max(0, len(events) - 1)
            continue
        voices = separate(notes)
        extent = max(length, *(note.end for note in notes))
        _add_rests(voices, [event for event in events if event.rest], extent, tally)
        added = _close_gaps(voices[0], staff, extent, meter)
        if added:
            tally.bar("oemer-bars-filled", bar.label)
        if extent > length:
            tally.bar("oemer-bars-overfull", bar.label)
        if len(voices) > CROWD:
            tally.bar("oemer-bars-crowded", bar.label)
        found[staff] = voices
    return found


def _whole_bar(staff: int, length: Time) -> Event:
    return Event(Fraction(0), length, staff, 1, whole_bar=True)


def _add_rests(voices: Voices, rests: Sequence[Event], extent: Time, tally: Tally) -> None:
    """Put each rest where it was read, in the first voice with room for it, whole or cut."""
    for read in sorted(rests, key=lambda rest: (rest.onset, rest.voice)):
        rest = read
        room = next((voice for voice in voices if free(voice, rest)), None)
        if room is None or rest.end > extent:
            room = voices[0]
            ends = [event.onset for event in room if event.onset > rest.onset]
            end = min([rest.end, extent, *ends])
            tally.counts["oemer-rests-cut"] += 1
            rest = attrs.evolve(rest, duration=end - rest.onset)
            if rest.duration <= 0 or not free(room, rest):
                continue
        number = voices.index(room) + 1
        pieces = [rest] if written_type(rest.duration)[0] else list(_pieces(rest, Fraction(1)))
        room.extend(attrs.evolve(piece, voice=number, whole_bar=False) for piece in pieces)
        room.sort(key=lambda event: event.onset)


def _close_gaps(voice: list[Event], staff: int, extent: Time, meter: Meter) -> int:
    """Fill what is empty in a voice with rests; how many that took."""
    now = Fraction(0)
    added: list[Event] = []
    for event in [*voice, Event(extent, Fraction(0), staff, 1)]:
        if event.onset > now:
            added += _pieces(Event(now, event.onset - now, staff, 1), meter.beat)
        now = event.end
    voice.extend(added)
    voice.sort(key=lambda event: event.onset)
    return len(added)


def _pieces(rest: Event, beat: Time) -> Iterator[Event]:
    """A rest as rests that have a type, each beginning where a note of its length would."""
    now = rest.onset
    sizes = sorted({*TYPES, beat}, reverse=True)
    while now < rest.end:
        fitting = (s for s in sizes if now % s == 0 and now + s <= rest.end)
        size = next(fitting, rest.end - now)
        yield attrs.evolve(rest, onset=now, duration=size)
        now += size
