"""Repeated sections of a score: where they begin and end, how often, and with which endings."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from .signs import BarSigns


@attrs.define
class Section:
    """Bars that are played more than once.

    Attributes:
        start: Where a backward repeat in it goes to.
        end: Its last bar, with all endings.
        total: How often it is played.
        endings: Bar → the passes it is played on, for bars under a bracket.
        after_jump: It is repeated after a D.C. or D.S., too.
    """

    start: int
    end: int
    total: int = 2
    endings: dict[int, set[int]] = attrs.field(factory=dict)
    after_jump: bool = False


@attrs.define
class _Ending:
    start: int
    end: int
    passes: set[int]


def find_sections(bars: Sequence[BarSigns], first: int, last: int) -> list[Section]:
    """The repeated sections among ``bars[first:last]``.

    A section goes from its forward repeat (or the end of the section before) to its backward
    repeat, and on through the endings that follow it at once, until one is for the first
    pass again. Brackets may also stand in the middle of a section.
    """
    brackets = {ending.start: ending for ending in _brackets(bars, first, last)}
    found: list[Section] = []
    start = index = first
    while index < last:
        if bars[index].forward:
            start = index
        if bars[index].backward:
            end = index
            while end + 1 in brackets and 1 not in brackets[end + 1].passes:
                end = brackets[end + 1].end
            inside = [e for e in brackets.values() if start <= e.start and e.end <= end]
            found.append(_section(bars, start, end, inside))
            start, index = end + 1, end
        index += 1
    return found


def _brackets(bars: Sequence[BarSigns], first: int, last: int) -> list[_Ending]:
    """All endings; one without an end goes on to the next, to a repeat or to the end."""
    found: list[_Ending] = []
    open_at: int | None = None
    for index in range(first, last):
        bar = bars[index]
        if bar.starts:
            if open_at is not None:
                found.append(_Ending(open_at, index - 1, set(bars[open_at].starts)))
            open_at = index
        if open_at is not None and (bar.stops or bar.backward or index == last - 1):
            found.append(_Ending(open_at, index, set(bars[open_at].starts)))
            open_at = None
    return found


def _section(bars: Sequence[BarSigns], start: int, end: int, endings: list[_Ending]) -> Section:
    inside = range(start, end + 1)
    backward = [index for index in inside if bars[index].backward]
    told = {number for ending in endings for number in ending.passes}
    total = max([*told, *(bars[index].backward for index in backward)])
    last = [e for e in endings if e.end >= backward[0]]
    if len(last) == 1 and last[0].end == end == backward[-1]:
        total = max(total, max(last[0].passes) + 1)  # the last time goes on behind the bracket
    elif len(last) > 1:
        for number in set(range(2, total + 1)) - told:
            before = [ending for ending in last if max(ending.passes) < number]
            if before:  # a pass without an ending of its own takes the one before
                before[-1].passes.add(number)
    section = Section(start, end, total)
    section.after_jump = any(bars[index].after_jump for index in inside)
    for ending in endings:
        for index in range(ending.start, ending.end + 1):
            section.endings[index] = ending.passes
    return section
