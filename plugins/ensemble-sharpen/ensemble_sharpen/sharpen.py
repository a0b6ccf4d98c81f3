"""``sharpen``: larger, gray, full contrast, crisp."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from ensemble_core.imaging import derive, gray, open_image
from ensemble_core.model import Affine, Context, Page

from .options import SharpenOptions

if TYPE_CHECKING:
    from PIL.Image import Image

_TAIL = 0.5
"""Per cent of the darkest and of the brightest pixels that may saturate."""
_LEAST_RANGE = 40
"""Pages with less contrast than this are bare; stretching them would only show dirt."""


class Sharpen:
    """Magnifies small pages (Lanczos), stretches the contrast, applies an unsharp mask."""

    def __init__(self, options: SharpenOptions) -> None:
        self._options = options

    def process(self, page: Page, ctx: Context) -> Page:
        """Give the sharpened page, 8-bit gray.

        Raises:
            InputError: The picture cannot be decoded.
            LimitExceeded: It has more pixels than allowed, or would have.
        """
        from PIL.Image import Resampling

        own = self._options
        image = gray(open_image(page, ctx))
        before = image.size
        factor = min(own.max_scale, max(1.0, own.min_width / image.width))
        if factor > 1.0:
            size = round(image.width * factor), round(image.height * factor)
            ctx.limits.check_pixels(*size, what=f"{page.image.name} magnified")
            ctx.progress(0.2)
            image = image.resize(size, Resampling.LANCZOS)
        ctx.progress(0.5)
        if own.contrast:
            image = stretched(image)
        image = unsharp(image, own.sigma, own.amount)
        ctx.progress(0.8)
        to_input = Affine.scale(before[0] / image.width, before[1] / image.height)
        return derive(page, image, ctx, to_input=to_input, options=attrs.asdict(own))


def stretched(image: Image) -> Image:
    """A gray picture with its ink at 0 and its paper at 255; bare pages stay as they are."""
    counts = image.histogram()
    tail = sum(counts) * _TAIL / 100
    dark, bright = _cut(counts, tail), 255 - _cut(counts[::-1], tail)
    if bright - dark < _LEAST_RANGE:
        return image
    scale = 255.0 / (bright - dark)
    return image.point([min(255, max(0, round((v - dark) * scale))) for v in range(256)])


def _cut(counts: list[int], tail: float) -> int:
    total = 0
    for value, count in enumerate(counts):
        total += count
        if total > tail:
            return value
    return len(counts) - 1


def unsharp(image: Image, sigma: float, amount: float) -> Image:
    """The picture plus ``amount`` times what a blur of ``sigma`` pixels takes away."""
    from PIL import ImageFilter

    if not sigma or not amount:
        return image
    return image.filter(ImageFilter.UnsharpMask(sigma, round(amount * 100), 0))
