"""``deskew``: staves level."""

from __future__ import annotations

import math

import attrs

from ensemble_core.imaging import derive, open_image
from ensemble_core.model import Affine, Context, Diagnostic, Page

from .options import DeskewOptions
from .pixels import opaque, paper_of, untouched, warp
from .skew import slope


class Deskew:
    """Turns the page by the slope of its staff lines; the canvas grows, nothing is cut off."""

    def __init__(self, options: DeskewOptions) -> None:
        self._options = options

    def process(self, page: Page, ctx: Context) -> Page:
        """Give the level page, in its own mode and depth.

        Raises:
            InputError: The picture cannot be decoded.
            LimitExceeded: It has more pixels than allowed.
        """
        import numpy as np

        own = self._options
        image = opaque(open_image(page, ctx))
        ctx.progress(0.1)
        angle = slope(image, own.max_angle, ctx.check)
        ctx.progress(0.6)
        if angle is None:
            ctx.report(
                Diagnostic("info", "no-slope", "no staves to level the page by; it stays as it is")
            )
        if angle is None or abs(angle) < own.min_angle:
            return untouched(page, ctx, own)
        to_input, size = turn(image.size, angle)
        ctx.limits.check_pixels(*size, what=f"{page.image.name} turned")
        level = warp(image, to_input, size, paper_of(np.asarray(image)))
        ctx.progress(0.9)
        return derive(page, level, ctx, to_input=to_input, options=attrs.asdict(own))


def turn(size: tuple[int, int], angle: float) -> tuple[Affine, tuple[int, int]]:
    """The map back to a picture of this size that is turned by ``angle`` degrees.

    Returns:
        The affine from the new picture, which holds all of the old one, and its size.
    """
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    width, height = size
    grown = (
        math.ceil(width * abs(cos) + height * abs(sin) - 1e-6),
        math.ceil(width * abs(sin) + height * abs(cos) - 1e-6),
    )
    about = Affine(cos, -sin, width / 2, sin, cos, height / 2)
    return about.after(Affine.shift(-grown[0] / 2, -grown[1] / 2)), grown
