"""A page with little on it, framed anew for oemer's rules.

The rules look for staff lines in eight columns between the page's middle and its margins, and
take a row that stands out too much for no line. So they find nothing on a page with one staff,
or with a short one, and stumble over signs at the very edge. With a margin of the usual width
around the staves they read the same pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .inference import Maps

ABOVE, BESIDE = 170, 60
"""Margin in pixels of the scaled page, where a staff space is about 14: room for ledger lines."""

WORTHWHILE = 30
"""Pixels an edge must move for a second reading to make sense."""


def framed(picture: Path, maps: Maps) -> tuple[Path, Maps] | None:
    """The page with the usual margin around its staves; None if it has that already.

    Args:
        picture: The page the maps were made of.
        maps: What the nets saw on it.

    Returns:
        A new picture beside the old one, and the maps in the same frame.
    """
    import numpy as np
    from PIL import Image

    height, width = maps.staves.shape
    ys, xs = np.nonzero(maps.staves == 1)
    top, bottom = int(ys.min()) - ABOVE, int(ys.max()) + ABOVE
    left, right = int(xs.min()) - BESIDE, int(xs.max()) + BESIDE
    if max(abs(top), abs(left), abs(bottom - height), abs(right - width)) < WORTHWHILE:
        return None
    with Image.open(picture) as image:
        page = np.asarray(image.convert("RGB").resize((width, height)))
    box = (top, bottom, left, right)
    path = picture.with_name(f"framed-{picture.name}")
    Image.fromarray(_cut(page, box, 255)).save(path, compress_level=1)
    return path, Maps(_cut(maps.staves, box, 0), _cut(maps.symbols, box, 0))


def _cut(pixels: Any, box: tuple[int, int, int, int], beyond: int) -> Any:
    """A part of an array whose box may reach beyond its edges."""
    import numpy as np

    top, bottom, left, right = box
    height, width = pixels.shape[:2]
    inside = pixels[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    around = [
        (max(-top, 0), max(bottom - height, 0)),
        (max(-left, 0), max(right - width, 0)),
        *[(0, 0)] * (pixels.ndim - 2),
    ]
    return np.pad(inside, around, constant_values=beyond)
