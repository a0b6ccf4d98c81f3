"""Taking the staff lines away, and looking at a staff as if it were straight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from .morphology import Mask, low_runs, without
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
        for delta in range(-half, half + 1):
            near[np.clip(lines + delta, 0, height - 1), columns] = 1
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
    middle = float(x.mean())
    away = x - middle
    rise = float(away @ y) / max(1e-9, float(away @ away))
    return rise, float(y.mean()) - rise * middle


def slope(staff: Staff) -> float:
    """How much the staff falls per pixel, on the whole."""
    return straight(staff.xs, staff.bottom)[0]


def staff_y(staff: Staff, step: float, x: Floats) -> Floats:
    """The y of a step at many x at once."""
    bottom = np.interp(x, staff.xs, staff.bottom)
    return np.asarray(bottom - step * np.interp(x, staff.xs, staff.space) / 2)


def band(ink: Mask, staff: Staff, around: float = 1.5, beside: float = 1.0) -> Band:
    """The staff with ``around`` spaces above and below, ``beside`` spaces left and right."""
    space = float(np.median(staff.space)) * FINE
    left = int(fine(staff.left) - beside * space)
    right = int(fine(staff.right) + beside * space)
    columns = np.arange(left, right + 1)
    x = coarse(columns)
    bottom = fine(np.interp(x, staff.xs, staff.bottom))
    top = fine(np.interp(x, staff.xs, staff.bottom - 4 * staff.space))
    count = round(4 * space)
    margin = round(around * space)
    share = np.arange(-margin, count + margin + 1) / count
    rows = top[None, :] + share[:, None] * (bottom - top)[None, :]
    return Band(
        ink=sample(ink, columns, rows, slope(staff)),
        left=left,
        top=margin,
        bottom=margin + count,
        space=space,
    )


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
    count = max(2, int(np.median(stop - start)))
    share = np.linspace(0, 1, count)
    rows = start[None, :] + share[:, None] * (stop - start)[None, :]
    return sample(ink, columns, rows, (slope(upper) + slope(lower)) / 2)


def sample(ink: Mask, columns: Ints, rows: Floats, lean: float) -> Mask:
    """Ink at ``rows`` of each column; verticals lean as the staff does (it is skew, not drawn so).

    Args:
        ink: The picture, shape (height, width).
        columns: Fine x, shape (n,), at the middle row.
        rows: Fine y, shape (m, n).
        lean: Slope of the staff.
    """
    middle = rows[rows.shape[0] // 2]
    places = np.empty((*rows.shape, 2), np.int16)
    np.rint(columns - lean * (rows - middle), out=places[..., 0], casting="unsafe")
    np.rint(rows, out=places[..., 1], casting="unsafe")
    none = np.empty(0, np.uint16)  # whole pixels: nothing is interpolated
    found = cv2.remap(ink, places, none, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(found, dtype=np.uint8)
