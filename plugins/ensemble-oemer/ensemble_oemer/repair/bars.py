"""Bars that are none, and the numbers of those that are."""

from __future__ import annotations

from collections.abc import Sequence

from .music import Bar, Part
from .tally import Tally


def drop_empty(parts: Sequence[Part], tally: Tally) -> None:
    """Leave out bars with neither notes nor rests at either end of a system.

    Such a "bar" is what oemer makes of the clef before a repeat sign or of the courtesy
    signature after a last bar line; what it says is handed to the next bar.
    """
    count = min((len(part.bars) for part in parts), default=0)
    opens = [any(part.bars[i].system for part in parts) for i in range(count)]
    for i in reversed(range(count)):
        last = i + 1 == len(parts[0].bars) or parts[0].bars[i + 1].system
        empty = not any(part.bars[i].events for part in parts)
        if not empty or len(parts[0].bars) == 1 or not (last or opens[i] or i == 0):
            continue
        for part in parts:
            gone = part.bars.pop(i)
            if i < len(part.bars):
                _hand_on(gone, part.bars[i])
        tally.counts["oemer-bars-empty"] += 1


def number_bars(parts: Sequence[Part]) -> None:
    """1, 2, 3 …; a pick-up at the beginning is 0."""
    for part in parts:
        first = 0 if part.bars and part.bars[0].pickup else 1
        for number, bar in enumerate(part.bars, first):
            bar.label = str(number)


def _hand_on(gone: Bar, following: Bar) -> None:
    following.system = following.system or gone.system
    following.key = gone.key if following.key is None else following.key
    following.meter = following.meter or gone.meter
    stated = {(clef.staff, clef.onset) for clef in following.clefs}
    following.clefs += [clef for clef in gone.clefs if (clef.staff, clef.onset) not in stated]
