"""What the net's mask of bar lines says of strokes: which are bar lines, and how far they lean.

On a page askew they lean as their staff does, in a photo otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from .barlines import Stroke
from .lines import lean_of, median, straight
from .mending import SURE
from .symbols import SPACE, Staff

TALL = 3.5
"""Staff spaces a bar line is high, at least."""
SEEN, UNSEEN = 0.7, 0.1
"""Share of a stroke's height that the net takes for a bar line: surely one, surely none."""


def leaned(staves: Sequence[Staff], barlines: NDArray[np.uint8]) -> tuple[Staff, ...]:
    """The staves, told how the bar lines on them lean where the net sees two or more.

    Args:
        staves: The staves.
        barlines: The net's mask of bar lines, at half the normalised page's size.
    """
    uprights = _uprights(barlines)
    found = []
    for staff in staves:
        middle = median(staff.bottom) - 2 * SPACE
        here = [lean for top, bottom, lean in uprights if top < middle < bottom]
        found.append(attrs.evolve(staff, lean=median(np.array(here))) if len(here) > 1 else staff)
    return tuple(found)


def _uprights(barlines: NDArray[np.uint8]) -> list[tuple[float, float, float]]:
    """Top, bottom and lean of each bar line."""
    sure = (barlines >= SURE).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(sure)
    found = []
    for number, (left, top, width, height, _) in enumerate(stats.tolist()):
        if not number or height * 2 < TALL * SPACE or width > height:
            continue
        ys, xs = np.nonzero(labels[top : top + height, left : left + width] == number)
        found.append((2.0 * top, 2.0 * (top + height), -straight(ys, xs)[0]))
    return found


def vouched(strokes: Sequence[Stroke], staff: Staff, barlines: NDArray[np.uint8]) -> list[Stroke]:
    """The strokes through a staff, those the net is sure of free of what hangs on them.

    Args:
        strokes: As :func:`~.barlines.strokes_of` gives them.
        staff: The staff.
        barlines: The net's mask of bar lines.
    """
    down = np.linspace(-0.45, 0.45, 10)
    x = np.array([stroke.x for stroke in strokes])[:, None]
    high = 4 * np.interp(x, staff.xs, staff.space)
    middle = np.interp(x, staff.xs, staff.bottom) - high / 2
    rows = ((middle + down * high) / 2).astype(int).clip(0, barlines.shape[0] - 1)
    columns = np.rint((x - lean_of(staff) * down * high) / 2).astype(int)
    around = (columns[..., None] + [-1, 0, 1]).clip(0, barlines.shape[1] - 1)
    shares = (barlines[rows[..., None], around].max(axis=2) >= SURE).mean(axis=1)
    return [
        attrs.evolve(stroke, clean=True, above=0.0, below=0.0)
        if share > SEEN
        else attrs.evolve(stroke, clean=stroke.clean and share > UNSEEN)
        for stroke, share in zip(strokes, shares.tolist(), strict=True)
    ]
