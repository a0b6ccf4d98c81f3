"""First and second endings: at which bars the brackets begin and end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

import attrs

from ..symbols import SPACE, Seen, Volta
from ..voltas import follows
from .music import Bar, Ending

ASTRAY = 4.5 * SPACE
"""How far from a bar line a bracket may begin or end."""
UNSURE = 0.95
"""A number less sure than that is what comes next."""


def add_endings(seen: Seen, bars: Sequence[Bar]) -> None:
    """Give the bars of a page the endings whose brackets stand above them.

    A bracket that goes on in the next system ends there.
    """
    last: tuple[Ending, Bar] | None = None
    for volta in _counted(seen.voltas):
        own = [bar for bar in bars if bar.system == volta.system]
        span = _span(own, volta)
        if span is None:
            continue
        first, end = span
        if volta.opened:
            ending = Ending(volta)
            first.ending = ending
        elif last and last[1] is _before(bars, first):
            ending, last[1].ending_stop = last[0], ""
        else:
            continue
        end.ending_stop = "stop" if volta.closed else "discontinue"
        last = ending, end


def _span(own: Sequence[Bar], volta: Volta) -> tuple[Bar, Bar] | None:
    """The first and the last bar under a bracket; None if it does not keep to bar lines."""
    if not own:
        return None
    first = min(own, key=lambda bar: abs(bar.left - volta.left))
    end = min(own, key=lambda bar: abs(bar.right - volta.right))
    opening = first.starts_system and volta.left < _begin(first)
    if abs(first.left - volta.left) > ASTRAY and not opening:
        return None
    if abs(end.right - volta.right) > ASTRAY:  # a new key may stand behind it, in its last bar
        filled = [bar for bar in own if bar.left + ASTRAY < volta.right and _filled(bar, volta)]
        if not filled or filled[-1].right < volta.right:
            return None
        end = filled[-1]
    if end.right < first.right:
        return None
    return first, end


def _filled(bar: Bar, volta: Volta) -> bool:
    """Whether all of a bar's music is under a bracket, which may end before a new key."""
    return max((event.x for event in bar.events), default=bar.right) < volta.right


def _begin(bar: Bar) -> float:
    """Where the music of a bar begins."""
    return min((event.x for event in bar.events), default=bar.right)


def _before(bars: Sequence[Bar], bar: Bar) -> Bar | None:
    place = bars.index(bar)
    return bars[place - 1] if place else None


def _counted(voltas: Sequence[Volta]) -> Iterator[Volta]:
    """Brackets with the numbers they must have: each goes on where the one before it stops."""
    last: Volta | None = None
    due = 1
    for volta, later in zip_longest(voltas, voltas[1:]):
        if volta.opened:
            if last is None or not follows(last, volta):
                due = 1
            numbered = _with_due(volta, due)
            if not volta.numbers and later and later.confidence > UNSURE and follows(volta, later):
                upto = min(later.numbers, default=0)
                numbered = attrs.evolve(numbered, numbers=tuple(range(due, max(upto, due + 1))))
            yield numbered
            due = max(numbered.numbers) + 1
        else:
            yield volta
        last = volta


def _with_due(volta: Volta, due: int) -> Volta:
    """A bracket that begins with the number that is due, if it was not surely read otherwise."""
    numbers = volta.numbers or (due,)
    if not _ascend(numbers) and due in numbers:  # what is before it is none
        numbers = numbers[numbers.index(due) :]
    sure = volta.confidence > UNSURE and numbers[0] == 2
    if _ascend(numbers) and (numbers[0] == due or sure):
        return volta if numbers == volta.numbers else attrs.evolve(volta, numbers=numbers, text="")
    return attrs.evolve(volta, numbers=(due,), text="")


def _ascend(numbers: Sequence[int]) -> bool:
    return all(a < b for a, b in pairwise(numbers))
