"""Finding the sheet of paper on a photo."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs

from .pixels import reduced

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 1000
_SMALLEST, _LARGEST = 0.2, 0.97
"""Parts of the photo a sheet may fill; above the largest there is nothing to cut off."""
_LEAST_SIDE = 64
_BRIGHTER = 35
"""Levels the paper must be above what is around it."""
_FILLED = 0.9
"""Part of its convex hull a sheet fills."""
_MOST_TURNED = 30.0


@attrs.frozen(eq=False)
class Sheet:
    """A sheet of paper on a photo.

    Attributes:
        outline: Its convex outline, n × 2, in pixels of the photo.
        angle: Degrees its edges are turned, positive when the upper edge falls to the right.
        slant: Largest difference in direction between opposite edges, in degrees.
    """

    outline: Any
    angle: float
    slant: float


def find_sheet(image: Image) -> Sheet | None:
    """The largest bright region with straight edges; None if the picture is all page.

    Otsu's threshold separates paper from what it lies on; the outline is the convex hull of
    the largest bright region, its edges those of the quadrilateral around it.
    """
    import cv2
    import numpy as np

    if min(image.size) < _LEAST_SIDE:
        return None
    small, factor = reduced(image, _SIDE)
    soft = cv2.GaussianBlur(small, (0, 0), 2.0)
    # Ink must not make holes: closing paints over whatever is thinner than a large notehead.
    side = max(5, max(small.shape) // 40) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    closed = cv2.morphologyEx(soft, cv2.MORPH_CLOSE, kernel)
    _, bright = cv2.threshold(closed, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    # What is bright but thin is no part of the sheet; a small kernel keeps its corners.
    bright = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    contours, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    contour = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(contour)
    area = cv2.contourArea(hull) / small.size
    if not _SMALLEST <= area <= _LARGEST:
        return None
    if cv2.contourArea(contour) < _FILLED * cv2.contourArea(hull):
        return None
    mask = np.zeros(small.shape, np.uint8)
    cv2.fillConvexPoly(mask, hull, 255)
    inside, outside = small[mask > 0], small[mask == 0]
    if float(np.median(inside)) - float(np.median(outside)) < _BRIGHTER:
        return None
    angle, slant = _edges(hull)
    # A pixel of the small picture is a square; its middle is meant.
    outline = (hull.reshape(-1, 2).astype(np.float64) + 0.5) * factor
    return Sheet(outline, angle, slant)


def _edges(hull: Any) -> tuple[float, float]:
    """Turn and slant of a hull, by the quadrilateral that fits it."""
    import cv2

    corners = None
    length = cv2.arcLength(hull, True)
    for tolerance in (0.01, 0.02, 0.03, 0.05, 0.08):
        found = cv2.approxPolyDP(hull, tolerance * length, True)
        if len(found) == 4:
            corners = found.reshape(4, 2)
            break
    if corners is None:
        corners = cv2.boxPoints(cv2.minAreaRect(hull))
    flat, steep = [], []
    for number in range(4):
        dx, dy = (float(v) for v in corners[(number + 1) % 4] - corners[number])
        angle = math.degrees(math.atan2(dy, dx)) % 180
        if 45 <= angle < 135:
            steep.append((angle - 90, math.hypot(dx, dy)))
        else:
            flat.append((angle - 180 if angle >= 135 else angle, math.hypot(dx, dy)))
    if len(flat) != 2 or len(steep) != 2:
        return 0.0, 0.0
    slant = max(abs(flat[0][0] - flat[1][0]), abs(steep[0][0] - steep[1][0]))
    edges = flat + steep
    turned = sum(angle * weight for angle, weight in edges) / sum(weight for _, weight in edges)
    return (turned if abs(turned) <= _MOST_TURNED else 0.0), slant
