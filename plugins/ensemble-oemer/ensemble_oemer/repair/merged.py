"""Bar lines oemer missed: a bar twice or three times as long as the meter, parted.

No note may cross the place of a missed bar line, and some note must begin there.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from .music import Bar, Meter, Part, Time, last_end, notes_of


def split_merged(parts: Sequence[Part], meters: list[Meter]) -> None:
    """Put the bar lines in that oemer missed; the bars' meters grow along."""
    for place in reversed(range(len(meters))):
        column = [part.bars[place] for part in parts]
        length = meters[place].length
        times = last_end(column) / length
        if times not in (2, 3) or not _clean(column, length):
            continue
        for part, bar in zip(parts, column, strict=True):
            part.bars[place : place + 1] = _split(bar, length, int(times))
        meters[place : place + 1] = [meters[place]] * int(times)


def _clean(column: Sequence[Bar], length: Time) -> bool:
    notes = notes_of(column)
    lines = [length * n for n in range(1, int(last_end(column) / length))]
    crossed = any(note.onset < line < note.end for note in notes for line in lines)
    return not crossed and all(any(note.onset == line for note in notes) for line in lines)


def _split(bar: Bar, length: Time, times: int) -> list[Bar]:
    bars = [bar, *(Bar() for _ in range(times - 1))]
    events, clefs = bar.events, bar.clefs
    for n, made in enumerate(bars):
        made.parted = n < times - 1
        start, end = length * n, length * (n + 1)
        made.events = [
            attrs.evolve(event, onset=max(event.onset, start) - start,
                         duration=min(event.end, end) - max(event.onset, start))
            for event in events if event.onset < end and event.end > start
        ]  # fmt: skip
        made.clefs = [
            attrs.evolve(clef, onset=clef.onset - start)
            for clef in clefs
            if start <= clef.onset and (clef.onset < end or n == times - 1)
        ]
    return bars
