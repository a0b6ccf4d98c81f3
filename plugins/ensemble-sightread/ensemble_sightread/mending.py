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


def ridge(sure: NDArray[np.uint8], shape: tuple[int, int], upright: bool) -> Mask:
    """The middle lines of what a mask of the net shows, three fine pixels thick.

    Args:
        sure: The mask, at half the normalised page's size, 255 is sure.
        shape: Of the fine picture.
        upright: Whether the lines run down the page, or across it.
    """
    drawn: Mask = np.zeros(shape, np.uint8)
    rows = np.flatnonzero(sure.max(axis=1) >= SURE)
    if not rows.size:
        return drawn
    columns = np.flatnonzero(sure.max(axis=0) >= SURE)
    top, bottom = max(0, rows[0] - 2), rows[-1] + 3
    left, right = max(0, columns[0] - 2), columns[-1] + 3
    part = sure[top:bottom, left:right]
    large = cv2.resize(part, (part.shape[1] * 4, part.shape[0] * 4), interpolation=cv2.INTER_LINEAR)
    size = (BLUR, 1) if upright else (1, BLUR)
    blur = np.asarray(cv2.GaussianBlur(large, size, 0), dtype=np.uint8)
    one, other = _beside(blur, upright)
    middle = (large >= SURE) & (blur >= one) & (blur > other)
    thick = dilated(middle.astype(np.uint8), *((1, 3) if upright else (3, 1)))
    place = drawn[top * 4 : bottom * 4, left * 4 : right * 4]
    place[:] = thick[: place.shape[0], : place.shape[1]]
    return drawn


def _beside(picture: NDArray[np.uint8], upright: bool) -> tuple[NDArray[np.uint8], ...]:
    """The picture moved by a pixel one way and the other."""
    one, other = np.zeros_like(picture), np.zeros_like(picture)
    if upright:
        one[:, 1:], other[:, :-1] = picture[:, :-1], picture[:, 1:]
    else:
        one[1:], other[:-1] = picture[:-1], picture[1:]
    return one, other
