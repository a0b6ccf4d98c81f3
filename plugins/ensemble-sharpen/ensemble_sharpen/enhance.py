"""``enhance``: photos made handy, bright and crisp."""

from __future__ import annotations

import attrs

from ensemble_core.imaging import derive, open_image
from ensemble_core.model import Affine, Context, Page

from .options import EnhanceOptions
from .pixels import displayed
from .sharpen import unsharp


class Enhance:
    """Fits a page into a square, then raises brightness, saturation and sharpness."""

    def __init__(self, options: EnhanceOptions) -> None:
        self._options = options

    def process(self, page: Page, ctx: Context) -> Page:
        """Give the enhanced page, 8 bits a channel, gray or RGB.

        Raises:
            InputError: The picture cannot be decoded.
            LimitExceeded: It has more pixels than allowed.
        """
        from PIL import ImageEnhance
        from PIL.Image import Resampling

        own = self._options
        image = displayed(open_image(page, ctx))
        width, height = image.size
        factor = min(1.0, own.max_side / max(width, height))
        ctx.progress(0.2)
        if factor < 1.0:
            size = max(1, round(width * factor)), max(1, round(height * factor))
            image = image.resize(size, Resampling.LANCZOS)
        ctx.progress(0.5)
        image = ImageEnhance.Brightness(image).enhance(own.brightness)
        if image.mode == "RGB":
            image = ImageEnhance.Color(image).enhance(own.saturation)
        image = unsharp(image, own.sigma, own.amount)
        ctx.progress(0.8)
        to_input = Affine.scale(width / image.width, height / image.height)
        return derive(page, image, ctx, to_input=to_input, options=attrs.asdict(own))
