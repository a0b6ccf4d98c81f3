"""How much a page is turned, measured on its staff lines.

Ink is projected along lines of a slope; the slope at which neighbouring sums differ most
is the one the staff lines have. The measure, the sum of squared differences, is W. Postl's
("Detection of linear oblique structures and skew scan in digitized documents", ICPR 1986)
as used by D. S. Bloomberg, G. E. Kopec and L. Dasari ("Measuring document image skew and
orientation", SPIE 2422, 1995). It is searched from coarse to fine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .pixels import reduced

if TYPE_CHECKING:
    from PIL.Image import Image

_COARSE_SIDE, _FINE_SIDE = 800, 2400
_COARSE_STEP = 0.25
_CLEAR_PEAK = 1.5
"""The best slope's measure over the median of all: below this there are no staves."""
_LEAST_INK = 200
_MOST_INK = 400_000


def slope(image: Image, largest: float, check: Callable[[], None]) -> float | None:
    """The slope of the staff lines in degrees, positive when they fall to the right.

    Args:
        image: The page, in any mode.
        largest: Degrees to look at on either side.
        check: Called now and then; may raise to stop.

    Returns:
        The slope, good to some hundredths of a degree; None if nothing lies in lines.
    """
    import numpy as np

    points = _ink(reduced(image, _COARSE_SIDE)[0])
    if points is None:
        return None
    angles = np.arange(-largest, largest + _COARSE_STEP / 2, _COARSE_STEP)
    check()
    scores = np.array([_score(points, angle) for angle in angles])
    best = int(scores.argmax())
    if scores[best] < _CLEAR_PEAK * np.median(scores):
        return None
    check()
    points = _ink(reduced(image, _FINE_SIDE)[0])
    if points is None:
        return None
    angle = float(angles[best])
    for width, step in ((_COARSE_STEP, 0.05), (0.06, 0.01)):
        check()
        around = np.arange(angle - width, angle + width + step / 2, step)
        angle = _peak(around, np.array([_score(points, each) for each in around]), step)
    return angle


def _ink(gray: Any) -> Any | None:
    """Coordinates (2 × n, centred in x) of pixels clearly darker than what is around them."""
    import cv2
    import numpy as np

    size = max(3, max(gray.shape) // 40) | 1
    around = cv2.blur(gray, (size, size))
    y, x = np.nonzero(gray.astype(np.int16) < around.astype(np.int16) - 24)
    if len(x) < _LEAST_INK:
        return None
    rng = np.random.default_rng(0)
    if len(x) > _MOST_INK:
        chosen = rng.choice(len(x), _MOST_INK, replace=False)
        x, y = x[chosen], y[chosen]
    # Places inside the pixels, or rows of the picture itself would count as lines at 0 degrees.
    within = rng.random(len(y)) - 0.5
    return np.stack([x - gray.shape[1] / 2, y + within]).astype(np.float32)


def _score(points: Any, angle: float) -> float:
    import numpy as np

    rows = points[1] - points[0] * np.float32(math.tan(math.radians(angle)))
    rows -= rows.min()
    # Each point is shared between its two rows, so that the measure is smooth in the angle.
    whole = rows.astype(np.int32)
    part = rows - whole
    length = int(whole.max()) + 2
    sums = np.bincount(whole, 1.0 - part, length) + np.bincount(whole + 1, part, length)
    return float(np.square(np.diff(sums)).sum())


def _peak(angles: Any, scores: Any, step: float) -> float:
    """The top of the parabola through the best measure and its neighbours."""
    at = int(scores.argmax())
    if not 0 < at < len(scores) - 1:
        return float(angles[at])
    before, top, after = (float(scores[at + k]) for k in (-1, 0, 1))
    bend = before - 2 * top + after
    return float(angles[at]) + (step * 0.5 * (before - after) / bend if bend else 0.0)
