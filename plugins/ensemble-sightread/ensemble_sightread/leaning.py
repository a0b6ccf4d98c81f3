"""How far bar lines lean: as their staff does when a page is askew, otherwise in a photo."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from .lines import straight
from .mending import SURE
from .symbols import SPACE, Staff

TALL = 3.5
"""Staff spaces a bar line is high, at least."""


def leaned(staves: Sequence[Staff], barlines: NDArray[np.uint8]) -> tuple[Staff, ...]:
    """The staves, told how the bar lines on them lean where the net sees two or more.

    Args:
        staves: The staves.
        barlines: The net's mask of bar lines, at half the normalised page's size.
    """
    uprights = _uprights(barlines)
    found = []
    for staff in staves:
        middle = float(np.median(staff.bottom)) - 2 * SPACE
        here = [lean for top, bottom, lean in uprights if top < middle < bottom]
        found.append(attrs.evolve(staff, lean=float(np.median(here))) if len(here) > 1 else staff)
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
