"""From a page as given to a page of known size: flat light, staff space known, black on white.

The staff space is measured as Audiveris does (its SCALE step): from the lengths of vertical
black and white runs. Here a pair of runs counts only where three in a row repeat, which text,
beams and noise do not do.
"""

from __future__ import annotations

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from ensemble_core.model import RecognitionError

from .morphology import Mask, closed
from .symbols import SPACE

Gray = NDArray[np.uint8]
FINE = 2.0
"""The fine picture has this many pixels per pixel of the normalised one."""

FEW = 600
"""Rows or columns of a page that are enough to measure it by."""
LITTLE = 1.2
"""What shrinks less than this is as good without averaging over areas."""


@attrs.frozen(eq=False)
class Normalised:
    """A page brought to a staff space of :data:`~.symbols.SPACE` pixels.

    Attributes:
        image: Gray, flat white background, shape (height, width).
        fine: The same at :data:`FINE` times that resolution, with the same top left corner.
        ink: ``fine`` as black and white: 1 for ink.
        scale: Pixels of the page as given, per pixel of ``image``.
        space: Staff space of the page as given, in its pixels.
        line: Thickness of a staff line, in pixels of ``ink``.
    """

    image: Gray
    fine: Gray
    ink: Mask
    scale: float
    space: float
    line: float


def normalise(gray: Gray, known: float | None = None) -> Normalised:
    """Bring a page to a known staff space.

    Args:
        gray: The page, shape (height, width), 255 is paper.
        known: Its staff space in pixels; None: it is measured.

    Raises:
        RecognitionError: There is no staff of five lines on the page.
    """
    flat = flatten(gray)
    some = np.ascontiguousarray(flat[:, :: max(1, min(4, flat.shape[1] // FEW))])
    space, line = measure(binarise(some), flat.shape[1] / some.shape[1])
    space = known or space
    scale = space / SPACE
    height, width = (max(1, round(side / scale)) for side in flat.shape)
    fine = resize(flat, height * int(FINE), width * int(FINE))
    # Each pixel is the mean of the fine ones in it: as good as from the page itself, and faster.
    image = resize(fine, height, width)
    return Normalised(
        image=image,
        fine=fine,
        ink=binarise(fine),
        scale=gray.shape[1] / image.shape[1],
        space=space,
        line=max(1.0, line * FINE / scale),
    )


def flatten(gray: Gray) -> Gray:
    """Divide by the paper's own brightness, so that paper is white everywhere.

    A negative (white on black) is turned round. A page that is white already stays as it is.
    """
    levels = np.sort(gray[::7, ::7], axis=None, kind="stable")
    if levels[len(levels) // 2] < 100:
        gray = np.asarray(255 - gray, dtype=np.uint8)
        levels = 255 - levels[::-1]
    if levels[int(0.4 * (len(levels) - 1))] >= 250:
        return gray
    small = cv2.resize(gray, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    side = max(9, int(0.02 * max(small.shape)) | 1)
    paper = closed(np.asarray(small, dtype=np.uint8), side, side)
    paper = np.asarray(cv2.GaussianBlur(paper, (0, 0), side / 3), dtype=np.uint8)
    full = cv2.resize(paper, (gray.shape[1], gray.shape[0]), interpolation=cv2.INTER_LINEAR)
    light = np.maximum(np.asarray(full, dtype=np.uint8), 40).astype(np.uint8)
    return np.asarray(cv2.divide(gray, light, scale=250.0), dtype=np.uint8)


def binarise(flat: Gray) -> Mask:
    """Ink is 1: Otsu's threshold, kept within what thin gray lines and dirty paper allow.

    Source: N. Otsu, A threshold selection method from gray-level histograms, 1979.
    """
    some = flat[:: max(1, min(4, flat.shape[0] // FEW))]
    level, _ = cv2.threshold(some, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    level = float(np.clip(level, 120, 190))
    return np.asarray(cv2.threshold(flat, level, 1, cv2.THRESH_BINARY_INV)[1], dtype=np.uint8)


def resize(picture: Gray, height: int, width: int) -> Gray:
    """The picture in another size, averaging when it shrinks."""
    shrinks = picture.shape[1] / width
    how = cv2.INTER_AREA if shrinks > 1 else cv2.INTER_CUBIC
    if 1 < shrinks < LITTLE:
        how = cv2.INTER_LINEAR  # two pixels are averaged at most either way; a quarter of the time
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), dtype=np.uint8)


def measure(ink: Mask, every: float = 1.0) -> tuple[float, float]:
    """Staff space and staff line thickness in pixels.

    Args:
        ink: The page, or some of its columns.
        every: Columns of the page for each of them.

    Raises:
        RecognitionError: Nothing on the page repeats as staff lines do.
    """
    black, white = runs(ink)
    pair = black + white
    first, second, third = pair[:-2], pair[1:-1], pair[2:]
    slack = 1 + first // 12
    repeats = (np.abs(first - second) <= slack) & (np.abs(third - second) <= slack)
    repeats &= (black[:-2] * 2.2 < first) & (black[1:-1] * 2.2 < second)
    repeats &= (first >= 4) & (first <= 200)
    votes = np.bincount(second[repeats], minlength=206).astype(np.float64)
    smooth = np.convolve(votes, [0.5, 1.0, 0.5], mode="same")
    best = int(np.argmax(smooth))
    # A staff of a few centimetres already gives hundreds of columns.
    if smooth[best] * every < 60:
        raise RecognitionError(
            "no staff of five lines was found on the page",
            hint="is it upright music, and at least 100 dpi?",
            code="no-staff",
        )
    near = np.arange(best - 1, best + 2)
    space = float((near * votes[near]).sum() / votes[near].sum())
    thin = black[:-2][repeats & (np.abs(second - best) <= 1)]
    return space, float(np.median(thin)) if thin.size else 1.0


def runs(ink: Mask) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Lengths of each vertical black run and of the white run below it, column by column."""
    # A row of paper above and below: each column begins and ends white.
    bordered = cv2.copyMakeBorder(ink, 1, 1, 0, 0, cv2.BORDER_CONSTANT, value=[0.0])
    columns = np.asarray(cv2.transpose(bordered), dtype=np.uint8).ravel()
    change = np.flatnonzero(columns[1:] != columns[:-1]).astype(np.int32)
    starts, ends = change[0::2], change[1::2]
    black = ends - starts
    white = np.append(starts[1:], columns.size) - ends
    return black, white
