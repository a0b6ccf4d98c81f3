"""``crop``: a photo cut down to the sheet of paper on it.

A photo of a sheet is a perspective picture of it, and a page carries an *affine* map back to
its source. So the sheet is turned and cut out, which is affine and exact; it is not
rectified. Where the perspective is strong, that is said.
"""

from __future__ import annotations

import math
from typing import Any

import attrs

from ensemble_core.imaging import derive, open_image
from ensemble_core.model import Affine, Context, Diagnostic, Page

from .options import CropOptions
from .paper import Sheet, find_sheet
from .pixels import image_of, opaque, paper_of, untouched, warp

_SLANTED = 3.0
"""Degrees opposite edges may differ before the perspective is worth a word."""


class Crop:
    """Finds the paper, turns its edges upright, cuts it out, paints over what is around it."""

    def __init__(self, options: CropOptions) -> None:
        self._options = options

    def process(self, page: Page, ctx: Context) -> Page:
        """Give the sheet alone, in the page's own mode and depth.

        Raises:
            InputError: The picture cannot be decoded.
            LimitExceeded: It has more pixels than allowed.
        """
        own = self._options
        image = opaque(open_image(page, ctx))
        ctx.progress(0.2)
        sheet = find_sheet(image)
        ctx.progress(0.5)
        if sheet is None:
            return untouched(page, ctx, own)
        if sheet.slant > _SLANTED:
            ctx.report(
                Diagnostic(
                    "info", "perspective-left",
                    f"the sheet is seen at an angle (opposite edges differ by {sheet.slant:.0f}"
                    " degrees); it is cut out but not rectified",
                    hint="a photo taken from straight above reads better",
                )
            )  # fmt: skip
        if own.clean:
            image = _cleaned(image, sheet)
        to_input, size = _cut(sheet, own)
        ctx.limits.check_pixels(*size, what=f"{page.image.name} cut out")
        fill = paper_of(_inside(image, sheet))
        cut = warp(image, to_input, size, fill)
        ctx.progress(0.9)
        return derive(page, cut, ctx, to_input=to_input, options=attrs.asdict(own))


def _cut(sheet: Sheet, own: CropOptions) -> tuple[Affine, tuple[int, int]]:
    """The map from the cut-out sheet to the photo, and its size."""
    angle = math.radians(sheet.angle) if own.level else 0.0
    cos, sin = math.cos(angle), math.sin(angle)
    to_photo = Affine(cos, -sin, 0.0, sin, cos, 0.0)
    level = to_photo.inverse()
    corners = [level(float(x), float(y)) for x, y in sheet.outline]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    margin = own.margin * (right - left)
    left, top = left - margin, top - margin
    size = math.ceil(right + margin - left), math.ceil(bottom + margin - top)
    return to_photo.after(Affine.shift(left, top)), (max(1, size[0]), max(1, size[1]))


def _inside(image: Any, sheet: Sheet) -> Any:
    """The middle of the sheet, to know the paper by."""
    import numpy as np

    (left, top), (right, bottom) = sheet.outline.min(axis=0), sheet.outline.max(axis=0)
    inset_x, inset_y = (right - left) / 5, (bottom - top) / 5
    box = (left + inset_x, top + inset_y, right - inset_x, bottom - inset_y)
    return np.asarray(image.crop(tuple(round(float(edge)) for edge in box)))


def _cleaned(image: Any, sheet: Sheet) -> Any:
    """The photo with everything that is not paper in the colour of the paper."""
    import cv2
    import numpy as np

    outside = np.full((image.height, image.width), 255, np.uint8)
    cv2.fillConvexPoly(outside, np.rint(sheet.outline).astype(np.int32), 0)
    paper = tuple(round(value) for value in paper_of(_inside(image, sheet)))
    array = np.array(image)
    array[outside > 0] = paper if array.ndim == 3 else paper[0]
    return image_of(array, image.mode)
