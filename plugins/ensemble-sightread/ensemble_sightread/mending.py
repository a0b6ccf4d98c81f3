"""Draws again what the scanner lost: lines the net is sure of, where their ink is broken."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .morphology import Mask, dilated

SURE = 140
"""Of 255: how sure the net must be of a line."""
BLUR = 13
"""Fine pixels over which the middle of a line is looked for."""

AROUND = 4
"""Pixels of a mask around what it shows: more than the blur reaches."""


def ridge(sure: NDArray[np.uint8], shape: tuple[int, int], upright: bool) -> Mask:
    """The middle lines of what a mask of the net shows, three fine pixels thick.

    Args:
        sure: The mask, at half the normalised page's size, 255 is sure.
        shape: Of the fine picture.
        upright: Whether the lines run down the page, or across it.
    """
    drawn: Mask = np.zeros(shape, np.uint8)
    there = (sure >= SURE).view(np.uint8)
    for top, bottom in _stretches(there, 1):
        for left, right in _stretches(there[top:bottom], 0):
            middle = _middle(sure[top:bottom, left:right], upright)
            place = drawn[top * 4 : bottom * 4, left * 4 : right * 4]
            place[:] = middle[: place.shape[0], : place.shape[1]]
    return drawn


def _stretches(there: Mask, axis: int) -> list[tuple[int, int]]:
    """Rows (or columns) with anything on them and a few around, as runs: first, and behind last."""
    places = np.flatnonzero(there.max(axis=axis))
    if not places.size:
        return []
    cuts = np.flatnonzero(np.diff(places) > 2 * AROUND)
    firsts, lasts = places[[0, *(cuts + 1)]], places[[*cuts, -1]]
    most = there.shape[1 - axis]
    return [
        (max(0, first - AROUND), min(most, last + AROUND + 1))
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
    ]


def _middle(part: NDArray[np.uint8], upright: bool) -> Mask:
    """The middle lines in a piece of a mask, at four times its size."""
    large = np.asarray(cv2.resize(part, None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR), np.uint8)
    size = (BLUR, 1) if upright else (1, BLUR)
    blur = np.asarray(cv2.GaussianBlur(large, size, 0), dtype=np.uint8)
    middle = large >= SURE
    if upright:
        middle[:, 1:] &= blur[:, 1:] >= blur[:, :-1]
        middle[:, :-1] &= blur[:, :-1] > blur[:, 1:]
    else:
        middle[1:] &= blur[1:] >= blur[:-1]
        middle[:-1] &= blur[:-1] > blur[1:]
    return dilated(middle.view(np.uint8), *((1, 3) if upright else (3, 1)))
