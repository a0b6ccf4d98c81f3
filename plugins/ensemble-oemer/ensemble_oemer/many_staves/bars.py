"""Which bars of the staves of a system belong together."""

from __future__ import annotations

from typing import Any

from .layout import Layout
from .lines import Bar


def bar_edges(stems: Any, layout: Layout, system: tuple[int, ...]) -> list[float]:
    """x of the bar lines of a system, its two ends included, ascending.

    A bar line is ink over the whole height of all staves but one (or of both of two).

    Args:
        stems: 1 where stems, rests and bar lines were seen, shape (height, width).
        layout: The page.
        system: The staves.
    """
    import numpy as np

    staves, space = [layout.staves[i] for i in system], layout.space
    left, right = min(s.left for s in staves), max(s.right for s in staves)
    columns = np.arange(left, min(right + round(space), stems.shape[1]))
    votes = np.zeros(len(columns), int)
    for staff in staves:
        top, bottom = staff.edges(columns)
        filled = [stems[a : b + 1, x].mean() for x, a, b in zip(columns, top, bottom, strict=True)]
        reach = np.ones(2 * round(space / 3) + 1)
        votes += np.convolve(np.array(filled) > 0.9, reach, mode="same") > 0
    found = columns[votes >= max(2, len(staves) - 1)]
    groups = np.split(found, np.flatnonzero(np.diff(found) > 1.5 * space) + 1) if len(found) else []
    inner = [float(g.mean()) for g in groups]
    inner = [x for x in inner if left + 2 * space < x < right - 2 * space]
    return [float(left), *inner, float(right)]


def slots(bars: list[Bar], edges: list[float]) -> list[int]:
    """For each bar of a staff, between which two bar lines (0-based) most of it lies."""
    import numpy as np

    found: list[int] = []
    for bar in bars:
        places = np.clip(np.searchsorted(edges, bar.centres) - 1, 0, len(edges) - 2)
        place = int(np.bincount(places).argmax()) if len(places) else 0
        found.append(max([place, *found[-1:]]))
    return found
