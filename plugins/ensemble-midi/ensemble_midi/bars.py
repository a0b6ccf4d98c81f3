"""How long each bar lasts: its own length where that is meant, its time signature otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import attrs

from .roadmap import movements
from .signs import BarSigns
from .written import Bar

DEFAULT_LENGTH = Fraction(4)


@attrs.frozen
class Meter:
    """A time signature: its length in quarter notes; None: senza misura."""

    nominal: Fraction | None
    signature: tuple[int, int] | None = None


@attrs.define
class Extent:
    """How far the music of a bar reaches: at most, and on each (part, staff)."""

    longest: Fraction = Fraction(0)
    staves: dict[tuple[int, int], Fraction] = attrs.field(factory=dict)


def lay_out(
    bars: Sequence[Bar],
    signs: Sequence[BarSigns],
    extents: Sequence[Extent],
    meters: Mapping[int, Meter],
) -> None:
    """Set the length of every bar.

    A bar lasts as long as its longest voice. One that is shorter than its time signature
    is filled up to it, unless it is clearly meant to be short: marked as not counted, at
    the beginning or end of a movement, next to a repeat, an ending or a double barline, or
    two or more staves agree.
    """
    edges = {index for first, last in movements(signs) for index in (first, last - 1)}
    nominal: Fraction | None = None
    for index, (bar, extent) in enumerate(zip(bars, extents, strict=True)):
        if index in meters:
            nominal = meters[index].nominal
        bar.length = extent.longest
        if nominal is None or extent.longest >= nominal:
            if not extent.longest:
                bar.length = nominal or DEFAULT_LENGTH
            continue
        if not extent.longest or not _meant(index, signs, extent, edges):
            bar.length = nominal


def _meant(index: int, signs: Sequence[BarSigns], extent: Extent, edges: set[int]) -> bool:
    sign = signs[index]
    before = signs[index - 1].strong_right if index else True
    after = signs[index + 1].strong_left if index + 1 < len(signs) else True
    if sign.implicit or index in edges:
        return True
    if sign.strong_left or sign.strong_right or before or after:
        return True
    return len(extent.staves) > 1 and set(extent.staves.values()) == {extent.longest}
