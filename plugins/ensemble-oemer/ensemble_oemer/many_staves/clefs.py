"""C clefs at the start of a line, which oemer takes for one of the two it knows."""

from __future__ import annotations

from typing import Any

import attrs

from ..inference import Maps
from .bars import CLEF
from .layout import Layout

SYMMETRIC = 0.6
"""A C clef and its mirror image overlap by 0.84 to 0.96 in Verovio's five fonts, a G or F
clef by at most 0.31 (intersection over union)."""
HEIGHT = (3.4, 4.7)
"""Of a C clef, in staff spaces; a G clef has about 7, an F clef 3.2 to 3.6."""


@attrs.frozen
class CClef:
    """A C clef.

    Attributes:
        line: The staff line it names, 1 the lowest.
        right: The column where it ends.
    """

    line: int
    right: int


def find_c_clefs(maps: Maps, layout: Layout) -> dict[int, CClef]:
    """The C clefs staves begin with, by the number of the staff."""
    clefs = maps.symbols == CLEF
    found = {number: _c_clef(clefs, layout, number) for number in range(len(layout.staves))}
    return {number: clef for number, clef in found.items() if clef}


def _c_clef(clefs: Any, layout: Layout, number: int) -> CClef | None:
    import cv2
    import numpy as np

    staff, space = layout.staves[number], layout.space
    tops, bottoms = staff.edges(np.array([staff.left]))
    top, bottom = int(tops[0]), int(bottoms[0])
    first, left = max(0, round(top - 3 * space)), max(0, round(staff.left - space / 2))
    part = clefs[first : round(bottom + 3 * space), left : round(staff.left + 6 * space)]
    tall = np.ones((round(space / 2), 3), np.uint8)  # staff lines are missing in it
    part = cv2.morphologyEx(part.astype(np.uint8), cv2.MORPH_CLOSE, tall)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(part)
    for name in sorted(range(1, count), key=lambda i: int(stats[i][0])):
        x, y, width, height, _ = stats[name]
        if height < 2 * space or width < 1.2 * space:
            continue
        blob = labels[y : y + height, x : x + width] == name
        mirrored = blob[::-1]
        alike = (blob & mirrored).sum() / (blob | mirrored).sum()
        if alike < SYMMETRIC or not HEIGHT[0] * space <= height <= HEIGHT[1] * space:
            return None
        below = (first + y + height / 2 - (top + bottom) / 2) / space
        line = 3 - round(below)
        return CClef(line, int(left + x + width)) if 1 <= line <= 5 else None
    return None
