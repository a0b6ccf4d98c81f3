"""Morphology with boxes one pixel wide, on masks packed eight columns to a byte.

A window of any height is put together from windows of half the height: the effort grows with
the logarithm of the height, and a packed page fits in the processor's cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]


def opened(mask: Mask, height: int) -> Mask:
    """What is left of shapes where an upright box fits in; beyond the picture all is ink.

    As OpenCV's opening does, a box of an even height moves the shapes down by a pixel.
    """
    up = height // 2
    down = height - 1 - up
    cores = _window(_packed(mask), up, down, all_of=True, outside=255)
    return _unpacked(_window(cores, up, down, all_of=False), mask)


def low_runs(mask: Mask, longest: int) -> Mask:
    """Ink in vertical runs of at most ``longest`` pixels."""
    packed = _packed(mask)
    up = (longest + 1) // 2
    down = longest - up
    cores = _window(packed, up, down, all_of=True)
    tall = _window(cores, down, up, all_of=False)
    return _unpacked(packed & ~tall, mask)


def _packed(mask: Mask) -> Mask:
    return np.packbits(mask, axis=1)


def _unpacked(packed: Mask, like: Mask) -> Mask:
    return np.unpackbits(packed, axis=1, count=like.shape[1])


def _window(packed: Mask, up: int, down: int, *, all_of: bool, outside: int = 0) -> Mask:
    """All (or any) of the rows from ``up`` above to ``down`` below each.

    Args:
        packed: Shape (height, bytes).
        up: Rows above.
        down: Rows below.
        all_of: Whether all must have ink, or any.
        outside: What is beyond the picture, 0 or 255.
    """
    join = np.bitwise_and if all_of else np.bitwise_or
    whole = np.pad(packed, ((up, down), (0, 0)), constant_values=outside)
    high, wanted = 1, up + down + 1
    while high < wanted:
        step = min(high, wanted - high)
        whole = join(whole[:-step], whole[step:])
        high += step
    return whole
