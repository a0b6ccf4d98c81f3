"""In which order the bars of a score are played.

The rules are the usual ones (Gould, *Behind Bars*, 2011, "Repeat signs"; MusicXML 4.0,
``repeat``, ``ending`` and ``sound``): a repeat without a beginning goes back to the end of
the one before; after a D.C. or D.S. repeats are not taken again and the last ending is
played, unless the score says otherwise; the coda is entered only after a jump.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

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
    """Where movements begin and end: after a final barline the numbering begins again."""
    starts = [0]
    for index in range(1, len(bars)):
        number = bars[index].number.strip()
        again = number in ("0", "1") or (bars[index].implicit and not number.isdigit())
        if bars[index - 1].final and again and _restarts(bars, index):
            starts.append(index)
    return list(zip(starts, [*starts[1:], len(bars)], strict=True)) if bars else []


def _restarts(bars: Sequence[BarSigns], index: int) -> bool:
    """The first counted bar from ``index`` on is number 1 (or 0)."""
    for bar in bars[index : index + 2]:
        if bar.number.strip().isdigit():
            return int(bar.number) <= 1
    return False


def _name(bars: Sequence[BarSigns], index: int) -> str:
    return bars[index].number or str(index + 1)


class _Walk:
    """One walk through a movement, ``bars[first:last]``."""

    def __init__(self, bars: Sequence[BarSigns], first: int, last: int) -> None:
        self.bars, self.first, self.last = bars, first, last
        self.endings = _endings(bars, first, last)
        self.back = first  # where the next backward repeat goes to
        self.passes = 1
        self.jumped = False
        self.taken: set[int] = set()
        self.problems: list[str] = []

    def run(self) -> list[int]:
        """The bars in order; empty if there is no end to them."""
        order: list[int] = []
        here: int | None = self.first
        while here is not None and here < self.last:
            bar = self.bars[here]
            if bar.forward and here != self.back:
                self.back, self.passes = here, 1
            if self._skipped(here):
                if here == self.endings[here].group_end and self.passes > 1:
                    self.back, self.passes = here + 1, 1
                here += 1
                continue
            order.append(here)
            if len(order) > MOST_BARS:
                return []
            here = self._next(here)
        return order

    def _skipped(self, here: int) -> bool:
        ending = self.endings.get(here)
        if ending is None:
            return False
        if self.jumped and not ending.after_jump:
            return ending.group_last not in ending.passes
        return self.passes not in ending.passes

    def _next(self, here: int) -> int | None:
        bar = self.bars[here]
        ending = self.endings.get(here)
        if self.jumped and bar.fine:
            return None
        if self.jumped and bar.to_coda is not None:
            coda = self._find(bar.to_coda, here, "coda")
            if coda is not None:
                self._land(coda, jumped=False)
                return coda
        if bar.backward:
            total = ending.group_last if ending else bar.backward
            if self.passes < total and (not self.jumped or bar.after_jump):
                self.passes += 1
                return self.back
            if ending is None or ending.group_end == here:
                self.back, self.passes = here + 1, 1
        elif ending is not None and ending.group_end == here:
            self.back, self.passes = here + 1, 1
        return self._jump(here)

    def _jump(self, here: int) -> int | None:
        bar = self.bars[here]
        if here in self.taken:
            self.jumped = False  # the jump was here: what follows is played in full
        elif bar.da_capo or bar.dal_segno is not None:
            self.taken.add(here)
            target: int | None = self.first
            if bar.dal_segno is not None:
                target = self._find(bar.dal_segno, here, "segno")
            if target is not None:
                self._land(target, jumped=True)
                return target
        return here + 1

    def _land(self, target: int, *, jumped: bool) -> None:
        self.jumped, self.back, self.passes = jumped, target, 1

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


@attrs.frozen
class _Ending:
    """The ending a bar belongs to, and the group of endings that belongs to.

    Attributes:
        passes: The passes it is played on.
        group_last: The last pass of the group.
        group_end: Last bar of the group.
        after_jump: The group's repeats are taken after a jump, too.
    """

    passes: frozenset[int]
    group_last: int
    group_end: int
    after_jump: bool


def _endings(bars: Sequence[BarSigns], first: int, last: int) -> dict[int, _Ending]:
    """Bar → its ending.

    Endings side by side are a group until, after a backward repeat, the passes start anew.
    """
    spans: list[tuple[int, int, frozenset[int]]] = []
    open_at: int | None = None
    for index in range(first, last):
        if bars[index].starts:
            if open_at is not None:
                spans.append((open_at, index - 1, bars[open_at].starts))
            open_at = index
        closing = bars[index].stops or bars[index].backward or index == last - 1
        if open_at is not None and closing:
            spans.append((open_at, index, bars[open_at].starts))
            open_at = None
    groups: list[list[tuple[int, int, frozenset[int]]]] = []
    for span in spans:
        before = groups[-1] if groups and groups[-1][-1][1] == span[0] - 1 else []
        closed = any(bars[stop].backward for _, stop, _ in before)
        if before and (not closed or min(span[2]) > max(before[-1][2])):
            before.append(span)
        else:
            groups.append([span])
    found: dict[int, _Ending] = {}
    for group in groups:
        end = group[-1][1]
        final = max(max(passes) for _, _, passes in group)
        if len(group) == 1 and bars[end].backward:
            final += 1  # the last time goes on behind the bracket
        again = any(bars[index].after_jump for index in range(group[0][0], end + 1))
        for start, stop, passes in group:
            for index in range(start, stop + 1):
                found[index] = _Ending(passes, final, end, again)
    return found
