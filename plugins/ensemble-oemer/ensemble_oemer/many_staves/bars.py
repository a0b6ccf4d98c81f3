"""Where the bar lines of a system are, and which bars of its staves belong together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from ..inference import Maps
from .layout import Layout

STEM, NOTEHEAD, CLEF = 1, 2, 3
"""Classes of the second net; bar lines and rests are in one with stems."""

FULL = 0.9
"""Share of a staff's height that a bar line inks."""


@attrs.frozen
class Bar:
    """A bar as oemer found it: x of the centres of its symbols."""

    centres: tuple[float, ...]


def bar_lines(maps: Maps, layout: Layout, system: Sequence[int]) -> list[tuple[int, int]]:
    """First and last column of the bar lines inside a system, from left to right.

    A bar line is ink over the height of all staves but one (of both, if there are two), and
    no notehead touches it: stems of a chord in each staff may look the same.
    """
    import numpy as np

    staves, space = [layout.staves[i] for i in system], layout.space
    left, right = min(s.left for s in staves), max(s.right for s in staves)
    columns = np.arange(left, min(right + round(space), maps.symbols.shape[1]))
    reach = np.ones(2 * round(space / 3) + 1)
    votes = np.zeros(len(columns), int)
    for number in system:
        first, last = zone(layout, number, maps.symbols.shape[0])
        rows = maps.symbols[first:last, columns]
        top, bottom = (edge - first for edge in layout.staves[number].edges(columns))
        inked = np.pad((rows == STEM).cumsum(axis=0), ((1, 0), (0, 0)))
        across = np.arange(len(columns))
        stop = np.minimum(bottom + 1, last - first)
        filled = (inked[stop, across] - inked[top, across]) / (stop - top)
        heads = np.convolve((rows == NOTEHEAD).any(axis=0), np.ones(7), mode="same") > 0
        votes += np.convolve((filled > FULL) & ~heads, reach, mode="same") > 0
    found = columns[votes >= max(2, len(staves) - 1)]
    groups = np.split(found, np.flatnonzero(np.diff(found) > 1.5 * space) + 1) if len(found) else []
    margin = round(space / 3)  # by which the votes reach farther than the line
    lines = [(int(g[0]) + margin, max(int(g[0]), int(g[-1]) - margin)) for g in groups]
    return [
        (min(a, b), max(a, b)) for a, b in lines if left + 2 * space < a and b < right - 2 * space
    ]


def bar_edges(maps: Maps, layout: Layout, system: Sequence[int]) -> list[float]:
    """x of the bar lines of a system, its two ends included, ascending.

    What comes after the last bar line and holds no note (the metre or key of the next
    system) is no bar.
    """
    staves = [layout.staves[i] for i in system]
    left, right = min(s.left for s in staves), max(s.right for s in staves)
    inner = [(a + b) / 2 for a, b in bar_lines(maps, layout, system)]
    if inner and right - inner[-1] < 8 * layout.space:
        box = (round(inner[-1]), right)
        if not any(heads_within(maps, layout, number, box) for number in system):
            return [float(left), *inner]
    return [float(left), *inner, float(right)]


def zone(layout: Layout, number: int, height: int) -> tuple[int, int]:
    """Rows in which a staff's notes are: three spaces around it, at most to its neighbour."""
    import numpy as np

    def extent(staff: Any) -> tuple[int, int]:
        top, bottom = staff.edges(np.array([staff.left, staff.right]))
        return int(top.min()), int(bottom.max())

    top, bottom = extent(layout.staves[number])
    first, last = top - round(3 * layout.space), bottom + round(3 * layout.space)
    if number:
        first = min(top, max(first, (extent(layout.staves[number - 1])[1] + top) // 2))
    if number + 1 < len(layout.staves):
        last = max(bottom, min(last, (extent(layout.staves[number + 1])[0] + bottom) // 2))
    return max(0, first), min(height, last + 1)


def heads_within(maps: Maps, layout: Layout, number: int, columns: tuple[int, int]) -> bool:
    """Whether a staff has noteheads between two columns."""
    first, last = zone(layout, number, maps.symbols.shape[0])
    heads = maps.symbols[first:last, columns[0] : columns[1]] == NOTEHEAD
    return bool(heads.sum() > layout.space**2 / 3)


def slots(bars: list[Bar], edges: list[float]) -> list[int]:
    """For each bar of a staff, between which two bar lines (0-based) most of it lies."""
    import numpy as np

    found: list[int] = []
    for bar in bars:
        places = np.clip(np.searchsorted(edges, bar.centres) - 1, 0, len(edges) - 2)
        place = int(np.bincount(places).argmax()) if len(places) else 0
        found.append(max([place, *found[-1:]]))
    return found
