"""Cutting apart what joins the staves of a system in oemer's class maps."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from ..inference import Maps
from .layout import Layout, joining_columns

NOTEHEAD = 2
"""Class of the second net; a head between two staves is never cut."""
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
    return ((maps.staves == 2) | (maps.symbols > 0) | (gray < DARK)).astype(np.uint8)


def cut(maps: Maps, layout: Layout, ink: Any) -> Maps:
    """The same page with every staff a system of its own.

    Lines that reach from one staff of a system down to the next (the line at its start, bar
    lines, braces, stems) are blanked between the staves.
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
    return Maps(np.where(gap, 0, maps.staves), np.where(gap, 0, maps.symbols))
