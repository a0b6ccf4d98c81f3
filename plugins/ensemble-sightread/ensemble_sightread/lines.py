"""Taking the staff lines away, and looking at a staff as if it were straight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from .morphology import Mask, dilated, low_runs, without
from .normalise import FINE, Normalised
from .symbols import Staff

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def fine(y: ArrayLike) -> Floats:
    """A coordinate of the normalised page in fine pixels (centres of pixels are whole)."""
    return np.asarray((np.asarray(y, dtype=np.float64) + 0.5) * FINE - 0.5)


def coarse(y: ArrayLike) -> Floats:
    """The inverse of :func:`fine`."""
    return np.asarray((np.asarray(y, dtype=np.float64) + 0.5) / FINE - 0.5)


def clear_lines(page: Normalised, staves: Sequence[Staff]) -> Mask:
    """The fine binary picture without staff lines, save where something crosses them.

    A piece of line is erased where the vertical run through it is hardly longer than the
    line is thick; ink of anything else that crosses stays whole.
    """
    low = low_runs(page.ink, round(1.6 * page.line) + 1)
    height, width = page.ink.shape
    near = np.zeros((height, width), np.uint8)
    half = int(np.ceil(page.line / 2 + 1.5))
    for staff in staves:
        columns = np.arange(max(0, int(fine(staff.left))), min(width, int(fine(staff.right)) + 2))
        x = coarse(columns)
        bottom = np.interp(x, staff.xs, staff.bottom)
        space = np.interp(x, staff.xs, staff.space)
        lines = np.rint(fine(bottom - np.arange(5)[:, None] * space)).astype(np.int64)
        near[np.clip(lines, 0, height - 1), columns] = 1
    near = dilated(near, 2 * half + 1, 1)
    return without(page.ink, np.asarray(cv2.bitwise_and(low, near), dtype=np.uint8))


@attrs.frozen(eq=False)
class Band:
    """A strip of picture in which a staff lies straight and its bar lines stand upright.

    Attributes:
        ink: Binary, shape (rows, columns).
        left: Fine x of column 0.
        top: Row of the top line.
        bottom: Row of the bottom line.
        space: Rows per staff space.
    """

    ink: Mask
    left: int
    top: int
    bottom: int
    space: float

    @property
    def inside(self) -> Mask:
        """The rows from the top line to the bottom line."""
        return self.ink[self.top : self.bottom + 1]


def straight(x: NDArray[Any], y: NDArray[Any]) -> tuple[float, float]:
    """Slope and offset of the line through points, by least squares."""
    middle = float(x.sum()) / len(x)
    away = x - middle
    rise = float(away @ y) / max(1e-9, float(away @ away))
    return rise, float(y.sum()) / len(y) - rise * middle


def median(values: NDArray[Any]) -> float:
    """The median of a few numbers; NumPy's own is slow for few."""
    ordered = np.sort(values)
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def lean_of(staff: Staff) -> float:
    """How far to the left uprights go per pixel down: as the staff falls, if nobody knows."""
    return straight(staff.xs, staff.bottom)[0] if staff.lean is None else staff.lean


def staff_y(staff: Staff, step: float, x: Floats) -> Floats:
    """The y of a step at many x at once."""
    bottom = np.interp(x, staff.xs, staff.bottom)
    return np.asarray(bottom - step * np.interp(x, staff.xs, staff.space) / 2)


def bands(ink: Mask, cleared: Mask, staves: Sequence[Staff]) -> list[tuple[Band, Band]]:
    """Each staff with 1.5 spaces above and below and one left and right, from both pictures.

    Args:
        ink: The fine picture.
        cleared: The same without staff lines.
        staves: The staves.
    """
    levels = np.asarray(cv2.add(ink, cleared), dtype=np.uint8)  # 2: ink that is no staff line
    return [_bands(levels, staff) for staff in staves]


def _bands(levels: Mask, staff: Staff) -> tuple[Band, Band]:
    space = median(staff.space) * FINE
    left = int(fine(staff.left) - space)
    right = int(fine(staff.right) + space)
    columns = np.arange(left, right + 1)
    x = coarse(columns)
    bottom = fine(np.interp(x, staff.xs, staff.bottom))
    top = fine(np.interp(x, staff.xs, staff.bottom - 4 * staff.space))
    count = round(4 * space)
    margin = round(1.5 * space)
    share = np.arange(-margin, count + margin + 1) / count
    both = sample(levels, columns, top, share[:, None] * (bottom - top), lean_of(staff))
    full, cleared = (
        Band(np.asarray(both > level, dtype=np.uint8), left, margin, margin + count, space)
        for level in (0, 1)
    )
    return full, cleared


def between(ink: Mask, upper: Staff, lower: Staff, columns: Ints, staves_too: bool = False) -> Mask:
    """What is between two staves (or from the top of one to the foot of the other).

    Args:
        ink: The picture.
        upper: The staff above.
        lower: The staff below.
        columns: Fine x, shape (n,).
        staves_too: The staves themselves as well.

    Returns:
        Binary, straightened, shape (rows, n).
    """
    x = coarse(columns)
    start = fine(np.interp(x, upper.xs, upper.bottom - 4 * staves_too * upper.space))
    stop = fine(np.interp(x, lower.xs, lower.bottom - 4 * (not staves_too) * lower.space))
    count = max(2, int(median(stop - start)))
    lean = (lean_of(upper) + lean_of(lower)) / 2
    return sample(ink, columns, start, np.linspace(0, 1, count)[:, None] * (stop - start), lean)


def sample(picture: Mask, columns: Ints, start: Floats, down: Floats, lean: float) -> Mask:
    """Pixels down each column; verticals lean.

    Args:
        picture: The picture, shape (height, width).
        columns: Fine x, shape (n,), at the middle row.
        start: Fine y where each column begins, shape (n,).
        down: How far below that to look, shape (m, n).
        lean: How far to the left they go per pixel down.

    Returns:
        Shape (m, n).
    """
    rows = down.astype(np.float32)
    middle = rows[len(rows) // 2]
    places = np.empty((*rows.shape, 2), np.int16)
    if abs(lean) * float(np.abs(rows[[0, -1]] - middle).max()) < 0.5:
        places[..., 0] = columns
    else:
        np.rint(columns - np.float32(lean) * (rows - middle), out=places[..., 0], casting="unsafe")
    rows += start.astype(np.float32)
    np.rint(rows, out=places[..., 1], casting="unsafe")
    none = np.empty(0, np.uint16)  # whole pixels: nothing is interpolated
    found = cv2.remap(picture, places, none, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(found, dtype=np.uint8)
