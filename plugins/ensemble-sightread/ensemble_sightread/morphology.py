"""OpenCV's morphology with upright rectangles, typed."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
"""1 where there is ink, 0 elsewhere."""


def _box(height: int, width: int) -> Mask:
    return np.ones((height, width), np.uint8)


def opened(mask: Mask, height: int, width: int) -> Mask:
    """What is left of shapes where a ``height`` × ``width`` rectangle fits in."""
    done = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _box(height, width))
    return np.asarray(done, dtype=np.uint8)


def closed(mask: Mask, height: int, width: int) -> Mask:
    """Shapes with gaps smaller than the rectangle filled."""
    done = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _box(height, width))
    return np.asarray(done, dtype=np.uint8)


def dilated(mask: Mask, height: int, width: int) -> Mask:
    """Shapes grown by the rectangle."""
    return np.asarray(cv2.dilate(mask, _box(height, width)), dtype=np.uint8)


def eroded(mask: Mask, height: int, width: int) -> Mask:
    """Shapes shrunk by the rectangle."""
    return np.asarray(cv2.erode(mask, _box(height, width)), dtype=np.uint8)


def without(mask: Mask, other: Mask) -> Mask:
    """Ink of ``mask`` that is not in ``other``."""
    return np.asarray(cv2.subtract(mask, other), dtype=np.uint8)
