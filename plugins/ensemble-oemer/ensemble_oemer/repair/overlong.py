"""Bars that came out too long because one sign was read too long.

The only place where a note oemer read is changed, each time by a rule that leaves no choice:

* Every staff of the bar is too long by the same amount, and there is one pause in which
  all of them rest, longer than that: the rest was read too long, and what follows
  comes that much earlier.
* A note sounds past the end of the bar, in which everything begins in time and another note
  ends on time: it ends with the bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import attrs

from .music import Bar, Event, Meter, Part, Time, written_type
from .tally import Tally


def mend_overlong(parts: Sequence[Part], meters: Sequence[Meter], tally: Tally) -> None:
    """Shorten what one rest or note makes too long. Run it once the bars have numbers."""
    for column, meter in zip(zip(*(part.bars for part in parts), strict=True), meters, strict=True):
        if column[0].pickup:
            continue
        if _shorten_pause(column, meter.length):
            tally.bar("oemer-rests-shortened", column[0].label)
        elif _cut_notes(column, meter.length):
            tally.bar("oemer-notes-cut", column[0].label)


def _shorten_pause(column: Sequence[Bar], length: Time) -> bool:
    """Take out of the one common pause by how much all staves with notes are too long."""
    notes = [event for bar in column for event in bar.events if not event.rest]
    extents = {
        bar.extent(staff)
        for bar in column
        for staff in {event.staff for event in bar.events if not event.rest}
    }
    if len(extents) != 1 or max(extents) <= length:
        return False
    excess = max(extents) - length
    pauses = [pause for pause in _pauses(notes) if pause[1] - pause[0] > excess]
    if len(pauses) != 1:
        return False
    start, end = pauses[0]
    for bar in column:
        bar.events = [
            moved for event in bar.events for moved in _without(event, start, end, excess)
        ]
        bar.clefs = [
            attrs.evolve(clef, onset=clef.onset - excess) if clef.onset >= end else clef
            for clef in bar.clefs
        ]
    return True


def _pauses(notes: Sequence[Event]) -> list[tuple[Time, Time]]:
    """Start and end of each stretch before the last note in which none sounds."""
    found = []
    now = Fraction(0)
    for note in sorted(notes, key=lambda note: note.onset):
        if note.onset > now:
            found.append((now, note.onset))
        now = max(now, note.end)
    return found


def _without(event: Event, start: Time, end: Time, excess: Time) -> list[Event]:
    if event.onset >= end:
        return [attrs.evolve(event, onset=event.onset - excess)]
    if event.rest and event.end > start:
        kept = min(event.end, end - excess) - event.onset
        return [attrs.evolve(event, duration=kept)] if kept > 0 else []
    return [event]


def _cut_notes(column: Sequence[Bar], length: Time) -> bool:
    notes = [event for bar in column for event in bar.events if not event.rest]
    on_time = any(note.end == length for note in notes)
    late = any(note.onset >= length for note in notes)
    over = [note for note in notes if note.end > length]
    if not over or late or not on_time:
        return False
    if not all(written_type(length - note.onset)[0] for note in over):
        return False
    for bar in column:
        bar.events = [
            attrs.evolve(event, duration=min(event.duration, length - event.onset))
            if not event.rest else event
            for event in bar.events
        ]  # fmt: skip
    return True
