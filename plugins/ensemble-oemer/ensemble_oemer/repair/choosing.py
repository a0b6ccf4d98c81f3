"""Of two accounts of the same bars, each bar from the one in which it comes out more even."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ensemble_core.musicxml import parse, serialize

from .meter import infer_meters
from .music import Bar, Event, Time
from .reading import read_part
from .tally import Tally


def choose(oemers: bytes, other: bytes) -> tuple[bytes, int]:
    """Put those bars of the other account into oemer's that are even, or less uneven, in it.

    A bar is even if in each of its staves that have notes something sounds or rests from its
    beginning to its end, and nothing after that. Of two even ones the other is taken: oemer
    makes bars even by changing the lengths of notes.

    Args:
        oemers: MusicXML as oemer 0.1.8 writes it.
        other: The same measures, with other onsets and durations.

    Returns:
        The document, and how many bars differ from oemer's.
    """
    root: Any = parse(oemers, "oemer's MusicXML")
    second: Any = parse(other, "oemer's MusicXML")
    parts = [read_part(part, Tally()) for part in root.findall("part")]
    others = [read_part(part, Tally()) for part in second.findall("part")]
    meters = infer_meters(parts, Tally())
    changed = 0
    for number, (part, theirs) in enumerate(
        zip(root.findall("part"), second.findall("part"), strict=True)
    ):
        pairs = list(zip(part.findall("measure"), theirs.findall("measure"), strict=True))
        for place, (old, new) in enumerate(pairs):
            before, after = parts[number].bars[place], others[number].bars[place]
            length = meters[place].length
            uneven = _uneven(after, length)
            if before.pickup or (uneven and uneven >= _uneven(before, length)):
                continue
            changed += _notes(before) != _notes(after)
            part.replace(old, new)
    return serialize(root), changed


def _uneven(bar: Bar, length: Time) -> Time:
    """How much its staves have too little or too much, summed up."""
    staves = {event.staff for event in bar.events if not event.rest}
    return sum(
        (_missing([e for e in bar.events if e.staff == staff], length) for staff in staves),
        Time(0),
    )


def _missing(events: Sequence[Event], length: Time) -> Time:
    """Length of the gaps of a staff, and how far it falls short of the bar or outlasts it."""
    now = gaps = Time(0)
    for event in sorted(events, key=lambda event: event.onset):
        gaps += max(event.onset - now, Time(0))
        now = max(now, event.end)
    return gaps + abs(length - now)


def _notes(bar: Bar) -> set[tuple[Any, ...]]:
    return {(e.onset, e.duration, e.staff, e.pitches) for e in bar.events if not e.rest}
