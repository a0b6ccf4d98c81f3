"""``flatten``: paper of one brightness all over the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ensemble_core.imaging import derive, open_image
from ensemble_core.model import Context, Page

from .options import FlattenOptions
from .pixels import opaque

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 1000
"""Light changes slowly: it is measured on a copy of this size."""
_STRIP = 512


class Flatten:
    """Divides the page by the light on it, which is the brightest nearby, smoothed."""

    def __init__(self, options: FlattenOptions) -> None:
        self._options = options

    def process(self, page: Page, ctx: Context) -> Page:
        """Give the evenly lit page; gray keeps its depth, CMYK becomes RGB.

        Raises:
            InputError: The picture cannot be decoded.
            LimitExceeded: It has more pixels than allowed.
        """
        import numpy as np
        from PIL import Image as pillow

        image = opaque(open_image(page, ctx))
        if image.mode == "CMYK":
            image = image.convert("RGB")
        ctx.progress(0.1)
        own = self._options
        light = _light(np.asarray(image), own.window)
        ctx.progress(0.4)
        white = _white(image)
        array = _divided(np.asarray(image), light, white, own.max_gain, ctx)
        flat = pillow.fromarray(array)
        ctx.progress(0.9)
        return derive(page, flat, ctx, options=attrs.asdict(own))


def _white(image: Image) -> float:
    if image.mode == "I;16":
        return 65535.0
    if image.mode == "F":
        import numpy as np

        return max(1.0, float(np.asarray(image).max()))
    return 255.0


def _light(array: Any, window: float) -> Any:
    """What paper would look like everywhere: ink is closed over, then all is smoothed."""
    import cv2
    import numpy as np

    height, width = array.shape[:2]
    factor = max(1.0, max(height, width) / _SIDE)
    size = max(1, round(width / factor)), max(1, round(height / factor))
    small = cv2.resize(array, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    side = max(3, round(window * size[0])) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    # A little blur first, or the closing would follow the brightest grain of the paper.
    closed = cv2.morphologyEx(cv2.GaussianBlur(small, (0, 0), 1.0), cv2.MORPH_CLOSE, kernel)
    return cv2.GaussianBlur(closed, (0, 0), side / 2)


def _divided(array: Any, light: Any, white: float, most: float, ctx: Context) -> Any:
    """The picture over its light, strip by strip to spare memory."""
    import cv2
    import numpy as np

    height, width = array.shape[:2]
    result = np.empty_like(array)
    rows, scale = light.shape[0], light.shape[0] / height
    across = cv2.resize(light, (width, rows), interpolation=cv2.INTER_LINEAR)
    for top in range(0, height, _STRIP):
        ctx.check()
        bottom = min(height, top + _STRIP)
        at = np.clip((np.arange(top, bottom) + 0.5) * scale - 0.5, 0, rows - 1)
        low = at.astype(np.intp)
        part = (at - low).astype(np.float32).reshape(-1, *[1] * (array.ndim - 1))
        here = across[low] * (1 - part) + across[np.minimum(low + 1, rows - 1)] * part
        gain = white / np.maximum(here, white / most)
        lit = array[top:bottom] * np.minimum(gain, most)
        lit = lit.clip(0, white)
        result[top:bottom] = lit if array.dtype.kind == "f" else np.rint(lit)
    return result
