"""Rests of several bars: laid over the bar they are printed in, and counted out at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from ..symbols import SPACE, MultiRest, Seen, Symbol
from .music import Bar, Event

UNREAD = 0.1
"""How sure a rest is whose number could not be read."""


def rest(seen: Seen, bars: Sequence[Bar]) -> None:
    """Let the bars rest that bear the sign of several bars' rest and no notes beside it."""
    for sign in seen.multirests:
        middle = (sign.left + sign.right) / 2
        for bar in bars:
            if bar.system == sign.system and bar.left <= middle < bar.right:
                if not any(_notes_beside(event, sign) for event in bar.events):
                    bar.multirest = sign
                    bar.events = [_resting(seen, staff, sign) for staff in bar.staves]
                break


def _notes_beside(event: Event, sign: MultiRest) -> bool:
    beside = event.right < sign.left - SPACE / 2 or event.x > sign.right + SPACE / 2
    return bool(event.heads) and beside


def _resting(seen: Seen, staff: int, sign: MultiRest) -> Event:
    """A rest of a whole bar where the sign stands."""
    middle = (sign.left + sign.right) / 2
    top, bottom = (seen.staves[staff].y(step, middle) for step in (6, 2))
    sure = sign.confidence if sign.bars else UNREAD
    symbol = Symbol("rest-whole", sign.left, top, sign.right, bottom, sure)
    return Event(staff, rest=symbol, x=sign.left, lane=staff, whole_bar=True)


def counted_out(bars: Sequence[Bar]) -> list[Bar]:
    """All bars, those of a long rest one by one: what opens it in the first, what closes it last.

    Args:
        bars: As printed, read to the end.
    """
    return [one for bar in bars for one in _each(bar)]


def _each(bar: Bar) -> Iterator[Bar]:
    count = bar.multirest.bars if bar.multirest else 1
    if bar.multirest is None or count < 2:
        yield bar
        return
    sign = bar.multirest
    before = [clef for clef in bar.clefs if clef[1] < sign.right]
    after = [clef for clef in bar.clefs if clef[1] >= sign.right]
    yield attrs.evolve(bar, clefs=before, closes=None, backward=False, ending_stop="")
    for number in range(2, count + 1):
        last = number == count
        yield attrs.evolve(
            bar, multirest=None, starts_system=False, opens=None, forward=False, keys={},
            meter_printed=False, clefs=after if last else [], directions=[],
            closes=bar.closes if last else None, backward=bar.backward and last,
            ending=None, ending_stop=bar.ending_stop if last else "",
        )  # fmt: skip
