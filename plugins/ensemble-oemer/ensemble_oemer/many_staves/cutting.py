"""Cutting apart what joins the staves of a system in oemer's class maps."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from ..inference import Maps
from .bars import NOTEHEAD, STEM, bar_lines
from .layout import Layout, joining_columns

SYMBOL = 2
"""Class of the first net."""

DARK = 160
"""What is printed is darker, of 255."""


def find_ink(maps: Maps, picture: Path) -> Any:
    """1 where the nets saw a symbol or the page is dark; uint8, shape (height, width).

    The nets were not taught the line at the start of a system, so the picture has a say.
    """
    import numpy as np
    from PIL import Image

    height, width = maps.staves.shape
    with Image.open(picture) as page:
        gray = np.asarray(page.convert("L").resize((width, height), Image.Resampling.BOX))
    return ((maps.staves == SYMBOL) | (maps.symbols > 0) | (gray < DARK)).astype(np.uint8)


def cut(maps: Maps, layout: Layout, ink: Any) -> Maps:
    """The same page with every staff a system of its own.

    Lines that reach from one staff of a system down to the next (the line at its start, bar
    lines, braces, stems) are blanked between the staves. Bar lines are drawn anew in each
    staff, free of the beams, ties and wedges they touch, with which oemer loses them.
    """
    import numpy as np

    gap = np.zeros(maps.staves.shape, bool)
    for system in layout.systems:
        for a, b in pairwise(system):
            upper, lower = layout.staves[a], layout.staves[b]
            columns = joining_columns(ink, upper, lower, layout.space)
            columns = np.unique(np.concatenate([columns - 1, columns, columns + 1]))
            columns = columns[(columns >= 0) & (columns < gap.shape[1])]
            _, above = upper.edges(columns)
            below, _ = lower.edges(columns)
            for x, first, last in zip(columns, above, below, strict=True):
                gap[first + 2 : last - 1, x] = True
    gap &= maps.symbols != NOTEHEAD
    clean = Maps(np.where(gap, 0, maps.staves), np.where(gap, 0, maps.symbols))
    for system in layout.systems:
        for first, last in bar_lines(maps, layout, system):
            for number in system:
                _draw(clean, layout, number, first, last)
    return clean


def _draw(maps: Maps, layout: Layout, number: int, first: int, last: int) -> None:
    """Draw a bar line of one staff, and blank what is beside it."""
    x = (first + last) // 2
    tops, bottoms = layout.staves[number].edges([x])
    rows = slice(int(tops[0]), int(bottoms[0]) + 1)
    beside = slice(max(0, first - 3), last + 4)
    for layer, kind in ((maps.staves, SYMBOL), (maps.symbols, STEM)):
        part = layer[rows, beside]
        part[part == kind] = 0
        layer[rows, x - 1 : x + 2] = kind
