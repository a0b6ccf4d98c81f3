"""In which order the bars of a score are played.

The rules are the usual ones (Gould, *Behind Bars*, 2011, "Repeat signs"; MusicXML 4.0,
``repeat``, ``ending`` and ``sound``): a repeat without a beginning goes back to the end of
the one before; after a D.C. or D.S. repeats are not taken again and the last ending is
played, unless the score says otherwise; the coda is entered only after a jump.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from .sections import Section, find_sections
from .signs import BarSigns

MOST_BARS = 50_000
"""A performance longer than this is taken for a mistake."""


@attrs.frozen
class Route:
    """The order of the bars, and what was wrong with the signs.

    Attributes:
        order: 0-based bars as they are played.
        problems: One line each; the part of the score it is about is played straight.
    """

    order: tuple[int, ...]
    problems: tuple[str, ...] = ()


def route(bars: Sequence[BarSigns]) -> Route:
    """Play repeats and jumps out, movement by movement.

    A movement whose signs make no sense (a bar would never be heard, or the music would
    never end) is played straight through.
    """
    order: list[int] = []
    problems: list[str] = []
    for first, last in movements(bars):
        walk = _Walk(bars, first, last)
        played = walk.run()
        problems += walk.problems
        lost = set(range(first, last)) - set(played)
        if played and not lost:
            order += played
            continue
        why = f"bar {_name(bars, min(lost))} would never be heard" if lost else "it never ends"
        problems.append(
            f"the repeats of bars {_name(bars, first)} to {_name(bars, last - 1)} are not "
            f"balanced ({why}); played straight through"
        )
        order += range(first, last)
    return Route(tuple(order), tuple(problems))


def movements(bars: Sequence[BarSigns]) -> list[tuple[int, int]]:
    """Where movements begin and end: after a double barline the numbering begins again.

    Whole works in one file are numbered so; a repeat or D.C. never leaves its movement.
    """
    starts, counted = [0], 0
    for index, bar in enumerate(bars):
        if not bar.number.strip().isdigit():
            continue
        before, counted = counted, int(bar.number)
        if counted > 1 or before <= 1:
            continue
        start = index
        if bars[index - 1].implicit and not bars[index - 1].strong_right:
            start -= 1  # the pick-up
        last = bars[start - 1] if start else BarSigns()
        if last.strong_right or last.da_capo or last.dal_segno is not None:
            starts.append(start)
    return list(zip(starts, [*starts[1:], len(bars)], strict=True)) if bars else []


def _name(bars: Sequence[BarSigns], index: int) -> str:
    return bars[index].number or str(index + 1)


class _Walk:
    """One walk through a movement, ``bars[first:last]``."""

    def __init__(self, bars: Sequence[BarSigns], first: int, last: int) -> None:
        self.bars, self.first, self.last = bars, first, last
        self.sections = {
            index: section
            for section in find_sections(bars, first, last)
            for index in range(section.start, section.end + 1)
        }
        self.section: Section | None = None
        self.passes = 1
        self.landed = first  # where the last jump led to
        self.jumped = False
        self.taken: set[int] = set()
        self.problems = [
            f"the ending over bar {_name(bars, index)} belongs to no repeat; it is played"
            for index in range(first, last)
            if bars[index].starts and index not in self.sections
        ]

    def run(self) -> list[int]:
        """The bars in order; empty if there is no end to them."""
        order: list[int] = []
        here: int | None = self.first
        while here is not None and here < self.last:
            if self.sections.get(here) is not self.section:
                self.section, self.passes = self.sections.get(here), 1
            if self._skipped(here, self.section):
                here += 1
                continue
            order.append(here)
            if len(order) > MOST_BARS:
                return []
            here = self._next(here, self.section)
        return order

    def _skipped(self, here: int, section: Section | None) -> bool:
        passes = section.endings.get(here) if section is not None else None
        if section is None or passes is None:
            return False
        only_last = self.jumped and not section.after_jump
        return (section.total if only_last else self.passes) not in passes

    def _next(self, here: int, section: Section | None) -> int | None:
        bar = self.bars[here]
        if self.jumped and bar.to_coda is not None:
            coda = self._find(bar.to_coda, here, "coda")
            if coda is not None:
                return self._land(coda, jumped=False)
        if self.jumped and bar.fine:
            return None
        again = section is not None and bar.backward and self.passes < section.total
        if section is not None and again and (not self.jumped or bar.after_jump):
            self.passes += 1
            return max(section.start, self.landed if self.landed <= here else 0)
        return self._jump(here, section)

    def _jump(self, here: int, section: Section | None) -> int | None:
        bar = self.bars[here]
        if here in self.taken:
            self.jumped = False  # the jump was here: what follows is played in full
            if section is not None:
                self.passes = section.total
        elif bar.da_capo or bar.dal_segno is not None:
            self.taken.add(here)
            target: int | None = self.first
            if bar.dal_segno is not None:
                target = self._find(bar.dal_segno, here, "segno")
            if target is not None:
                return self._land(target, jumped=True)
        return here + 1

    def _land(self, target: int, *, jumped: bool) -> int:
        """Go on at ``target``, for the first time, or the time its bracket is for."""
        section = self.sections.get(target)
        passes = section.endings.get(target, {1}) if section is not None else {1}
        self.jumped, self.landed, self.passes = jumped, target, min(passes)
        self.section = section
        return target

    def _find(self, label: str, here: int, kind: str) -> int | None:
        """The segno or coda of that label; else the nearest one (codas: behind the jump)."""
        places = [
            index
            for index in range(self.first, self.last)
            if (self.bars[index].segno if kind == "segno" else self.bars[index].coda)
        ]
        if kind == "coda":
            places = [index for index in places if index > here] or places
        named = [
            index
            for index in places
            if label in (self.bars[index].segno if kind == "segno" else self.bars[index].coda)
        ]
        for found in (named, places):
            if found:
                return found[0]
        name = _name(self.bars, here)
        self.problems.append(f"bar {name} jumps to a {kind} that is not there; played on")
        return None
