"""Bars that came out too long or too short because one sign was read wrongly.

The only place where the time of a note oemer read is changed, by two rules:

* A note sounds past the end of a bar in which everything begins in time and another note
  ends on time: it ends with the bar.
* The bar fits if one pause in which all staves rest is read as longer or shorter, or all rests
  of one value in one staff as another value (oemer confuses values throughout), or a dotted
  note without its dot; what follows moves along. If there are several such readings, the one
  that puts most notes on beats; if two are as good, none.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import attrs

from .music import Bar, Event, Meter, Part, Time, notes_of, written_type
from .tally import Tally

Column = Sequence[Bar]
"""The bars of all parts at one place."""


@attrs.frozen
class Change:
    """Time to take out before ``end`` (to put in, if negative); of ``notes`` ending there, too."""

    end: Time
    excess: Time
    notes: bool = False

    def apply(self, event: Event) -> Event:
        """The event as it is then; a rest may come out with a duration of 0."""
        if event.onset >= self.end:
            return attrs.evolve(event, onset=event.onset - self.excess)
        ends = event.end == self.end and (self.notes or event.rest)
        if ends or (event.rest and event.end > self.end - max(self.excess, Fraction(0))):
            end = max(min(event.end, self.end) - self.excess, event.onset)
            return attrs.evolve(event, duration=end - event.onset)
        return event


Changes = tuple[Change, ...]
"""To be applied in this order, the latest in the bar first."""


def mend_lengths(parts: Sequence[Part], meters: Sequence[Meter], tally: Tally) -> None:
    """Correct what one rest, dot or last note makes too long. The bars have numbers by now."""
    for place, meter in enumerate(meters):
        column = [part.bars[place] for part in parts]
        if column[0].pickup:
            continue
        if column[0].parted:
            tally.bar("oemer-bars-split", column[0].label)
        if _cut_notes(column, meter.length):
            tally.bar("oemer-notes-cut", column[0].label)
        elif _mend(column, meter):
            tally.bar("oemer-lengths-mended", column[0].label)


def _mend(column: Column, meter: Meter) -> bool:
    before = _staves(column)
    ends = {max(note.end for note in staff) for staff in before.values()}
    excess = max(ends, default=meter.length) - meter.length
    if excess == 0 or (excess < 0 and len(ends) > 1):
        return False
    best = _best(column, meter, excess)
    if not best:
        return False
    for bar in column:
        changed = [_applied(best, event) for event in bar.events]
        bar.events = [event for event in changed if event.duration > 0]
        for change in best:
            bar.clefs = [
                attrs.evolve(clef, onset=clef.onset - change.excess)
                if clef.onset >= change.end else clef for clef in bar.clefs
            ]  # fmt: skip
    return True


def _best(column: Column, meter: Meter, excess: Time) -> Changes:
    """The changes that put most notes on beats, if all that do so come to the same notes."""
    before = _staves(column)
    notes = [note for staff in before.values() for note in staff]
    candidates = [*_pauses(notes, excess), *_rests(column, excess), *_dots(notes, excess)]
    found: dict[tuple[Event, ...], Changes] = {}
    for changes in candidates:
        after = {s: [_applied(changes, note) for note in before[s]] for s in before}
        fits = max(note.end for staff in after.values() for note in staff) == meter.length
        if fits and all(_overlaps(after[s]) <= _overlaps(before[s]) for s in before):
            found[tuple(note for staff in after.values() for note in staff)] = changes
    scores = {result: _on_beats(result, meter) for result in found}
    best = max(scores.values(), default=(0, 0))
    winners = [result for result in found if scores[result] == best]
    if len(winners) != 1 or (excess < 0 and best <= _on_beats(notes, meter)):
        return ()
    return found[winners[0]]


def _applied(changes: Changes, event: Event) -> Event:
    for change in changes:
        event = change.apply(event)
    return event


def _staves(column: Column) -> dict[tuple[int, int], list[Event]]:
    """The notes by part and staff, in order."""
    found: dict[tuple[int, int], list[Event]] = {}
    for number, bar in enumerate(column):
        for note in sorted(bar.events, key=lambda event: event.onset):
            if not note.rest:
                found.setdefault((number, note.staff), []).append(note)
    return found


def _overlaps(notes: Sequence[Event]) -> int:
    return sum(a.end > b.onset for a, b in combinations(notes, 2))


def _pauses(notes: Sequence[Event], excess: Time) -> list[Changes]:
    """Each stretch before the last note in which none sounds, if it can change so much."""
    found: list[Changes] = []
    now = Fraction(0)
    for note in sorted(notes, key=lambda note: note.onset):
        if note.onset > now and note.onset - now >= excess:
            found.append((Change(note.onset, excess),))
        now = max(now, note.end)
    return found


def _rests(column: Column, excess: Time) -> list[Changes]:
    """All rests of one value in one staff, read as another: oemer confuses them throughout."""
    alike: dict[tuple[int, int, Time], list[Time]] = {}
    for number, bar in enumerate(column):
        for rest in (event for event in bar.events if event.rest):
            alike.setdefault((number, rest.staff, rest.duration), []).append(rest.end)
    return [
        tuple(Change(end, excess / len(ends)) for end in sorted(ends, reverse=True))
        for (_, _, duration), ends in alike.items()
        if written_type(duration - excess / len(ends))[0]
    ]


def _dots(notes: Sequence[Event], excess: Time) -> list[Changes]:
    """Dotted notes whose dot is what is too much, with nothing else where it sounds."""
    found: list[Changes] = []
    for end in sorted({note.end for note in notes if note.duration == 3 * excess}):
        sounding = [note for note in notes if note.onset < end and note.end > end - excess]
        if all(note.end == end and note.duration == 3 * excess for note in sounding):
            found.append((Change(end, excess, notes=True),))
    return found


def _on_beats(notes: Sequence[Event], meter: Meter) -> tuple[int, int]:
    half = meter.beat / (3 if meter.beat.denominator > 1 else 2)
    return (
        sum(note.onset % meter.beat == 0 for note in notes),
        sum(note.onset % half == 0 for note in notes),
    )


def _cut_notes(column: Column, length: Time) -> bool:
    notes = notes_of(column)
    on_time = any(note.end == length for note in notes)
    late = any(note.onset >= length for note in notes)
    over = [note for note in notes if note.end > length]
    if not over or late or not on_time:
        return False
    if not all(written_type(length - note.onset)[0] for note in over):
        return False
    for bar in column:
        bar.events = [
            event if event.rest else
            attrs.evolve(event, duration=min(event.duration, length - event.onset))
            for event in bar.events
        ]  # fmt: skip
    return True
