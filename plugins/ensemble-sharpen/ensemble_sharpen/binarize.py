"""``binarize``: ink and paper, nothing between."""

from __future__ import annotations

from typing import Any

import attrs

from ensemble_core.imaging import derive, gray, open_image
from ensemble_core.model import Context, Page

from .options import BinarizeOptions

_STRIP = 1024
_RANGE = 128.0
"""Sauvola's R, the largest standard deviation of 8-bit gray."""
_BLACK = 24.0
"""What is darker than this is ink, however little it differs from its neighbourhood."""
_LEAST_CONTRAST = 30
"""Otsu's threshold on a bare page would only sort its dirt."""


class Binarize:
    """One-bit pages, by Sauvola's local threshold or Otsu's for the whole page.

    J. Sauvola, M. Pietikäinen, "Adaptive document image binarization", Pattern Recognition
    33 (2000). N. Otsu, "A threshold selection method from gray-level histograms", IEEE
    Transactions on Systems, Man, and Cybernetics 9 (1979).
    """

    def __init__(self, options: BinarizeOptions) -> None:
        self._options = options

    def process(self, page: Page, ctx: Context) -> Page:
        """Give the page in one bit a pixel.

        Raises:
            InputError: The picture cannot be decoded.
            LimitExceeded: It has more pixels than allowed.
        """
        import numpy as np
        from PIL import Image as pillow

        own = self._options
        array = np.asarray(gray(open_image(page, ctx)))
        ctx.progress(0.2)
        if own.method == "otsu":
            paper = _otsu(array)
        else:
            window = own.window or max(15, array.shape[1] // 40)
            paper = _sauvola(array, window | 1, own.k, ctx)
        ctx.progress(0.8)
        image = pillow.fromarray(paper)
        return derive(page, image, ctx, options=attrs.asdict(own))


def _otsu(array: Any) -> Any:
    import cv2
    import numpy as np

    threshold, _ = cv2.threshold(array, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    ink, paper = array[array <= threshold], array[array > threshold]
    if ink.size and paper.size and paper.mean() - ink.mean() < _LEAST_CONTRAST:
        return np.full(array.shape, array.mean() >= 128)
    if not ink.size or not paper.size:
        return np.full(array.shape, array.mean() >= 128)
    return array > threshold


def _sauvola(array: Any, window: int, k: float, ctx: Context) -> Any:
    """Paper is what is above mean · (1 + k · (deviation / R − 1)) of its neighbourhood."""
    import cv2
    import numpy as np

    height = array.shape[0]
    half = window // 2
    paper = np.empty(array.shape, bool)
    for top in range(0, height, _STRIP):
        ctx.check()
        bottom = min(height, top + _STRIP)
        first, last = max(0, top - half), min(height, bottom + half)
        strip = array[first:last].astype(np.float64)
        size, side = (window, window), cv2.BORDER_REPLICATE
        mean = cv2.blur(strip, size, borderType=side)
        square = cv2.sqrBoxFilter(strip, cv2.CV_64F, size, normalize=True, borderType=side)
        deviation = np.sqrt(np.maximum(square - mean * mean, 0.0))
        threshold = mean * (1.0 + k * (deviation / _RANGE - 1.0))
        paper[top:bottom] = (strip > np.maximum(threshold, _BLACK))[top - first : bottom - first]
    return paper
