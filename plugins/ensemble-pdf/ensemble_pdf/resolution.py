"""At which resolution a page is rendered: sharp, and within the limits."""

from __future__ import annotations

import math

import attrs

from ensemble_core.model import LimitExceeded, Limits

POINTS = 72.0
"""PDF units in an inch (PDF 1.7, 8.3.2.3)."""
USUAL = 300.0
"""A staff space of 1.75 mm, the usual one, gets about 20 pixels."""
SCAN_RANGE = (150.0, 600.0)
LEAST_LONG_SIDE, MOST_LONG_SIDE = 2000, 7200
"""Pixels of the long side: pages told too small are magnified, posters are not (A2 at 300)."""
LEAST_DPI = 36.0
"""Below this nothing on a page could be read; the limit is then reported instead."""


@attrs.frozen
class Raster:
    """How a page will be rendered.

    Attributes:
        dpi: The resolution.
        width, height: Size in pixels.
        wanted: The resolution it would have had without the limit on pixels.
    """

    dpi: float
    width: int
    height: int
    wanted: float

    @property
    def scale(self) -> float:
        """Pixels per point."""
        return _scale(self.dpi)


def choose(
    size: tuple[float, float],
    limits: Limits,
    what: str,
    *,
    fixed: float | None = None,
    scan: float | None = None,
) -> Raster:
    """Choose the resolution of one page.

    Args:
        size: Width and height of the page in points, both above 0.
        limits: ``max_pixels`` is kept.
        what: What messages call the page.
        fixed: The resolution the user asked for.
        scan: Resolution of the scans that fill most of the page, if it has any.

    Raises:
        LimitExceeded: Not even :data:`LEAST_DPI` fits into the limit.
    """
    inches = max(size) / POINTS
    if fixed:
        wanted = fixed
    elif scan:
        wanted = min(max(scan, SCAN_RANGE[0]), SCAN_RANGE[1])
    else:
        wanted = min(max(USUAL, LEAST_LONG_SIDE / inches), MOST_LONG_SIDE / inches)
    dpi = wanted
    width, height = _pixels(size, dpi)
    if width * height > limits.max_pixels:
        dpi = POINTS * math.sqrt(limits.max_pixels / (size[0] * size[1]))
        while math.prod(_pixels(size, dpi)) > limits.max_pixels and dpi >= LEAST_DPI:
            dpi *= 0.999  # sizes are rounded up, so the root may be a hair too much
        width, height = _pixels(size, dpi)
    if dpi < min(LEAST_DPI, wanted):
        raise LimitExceeded(
            f"{what}: {size[0] / POINTS:.0f} × {size[1] / POINTS:.0f} inches cannot be rendered"
            f" within {limits.max_pixels:,} pixels",
            hint="raise limits.max-pixels if you trust the file",
        )
    return Raster(dpi, width, height, wanted)


def _pixels(size: tuple[float, float], dpi: float) -> tuple[int, int]:
    scale = _scale(dpi)
    return math.ceil(size[0] * scale), math.ceil(size[1] * scale)


def _scale(dpi: float) -> float:
    # A hair less, so that 11 inches at 300 dpi are not rounded up from 3300.0000000000005.
    return dpi / POINTS * (1 - 1e-9)
