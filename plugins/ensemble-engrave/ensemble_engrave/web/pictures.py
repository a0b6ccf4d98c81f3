"""Source pages made small enough to stand inside a web page."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import attrs

from ensemble_core.imaging import decoding

if TYPE_CHECKING:
    from pathlib import Path

    from ensemble_core.model import Context

BUDGET = 3_000_000
"""Bytes all pictures of a page of HTML may take together, before base64."""

_SMALLEST = 700
"""Pixels a picture is not made narrower than: below, notes cannot be told apart."""

_STEP = 17
"""Between the 16 grays of a clean page: enough for smooth edges, and half the bytes of 256."""


@attrs.frozen
class Picture:
    """A picture to embed.

    Attributes:
        address: A ``data:`` address.
        paper: It is dark ink on white paper.
        width, height: Size of the original in pixels, upright.
    """

    address: str
    paper: bool
    width: int
    height: int


def embed(path: Path, width: int, quality: int, budget: int, ctx: Context) -> Picture:
    """Shrink a picture until it fits: PNG for clean pages, JPEG for photos and rough scans.

    Args:
        path: The picture.
        width: Widest it may be, in pixels.
        quality: Of JPEG, 1 to 95.
        budget: Bytes it should take; kept unless it would get unreadable.
        ctx: Its limits hold before anything is decoded.

    Raises:
        InputError: It cannot be decoded.
        LimitExceeded: It has too many pixels.
    """
    from PIL import Image as pillow
    from PIL import ImageOps

    with decoding(path.name), pillow.open(path) as source:
        ctx.limits.check_pixels(source.width, source.height, path.name)
        image = ImageOps.exif_transpose(source)
        colourful = _colourful(image)
        image = image.convert("RGB" if colourful else "L")
    while True:
        ctx.check()
        shown = image
        if image.width > width:
            height = max(1, round(image.height * width / image.width))
            shown = image.resize((width, height), pillow.Resampling.LANCZOS)
        data, kind = _smallest(shown, quality, colourful)
        if len(data) <= budget or width <= _SMALLEST:
            break
        width = max(_SMALLEST, int(min(width, image.width) * 0.8))
    encoded = base64.b64encode(data).decode("ascii")
    paper = not colourful and _is_paper(shown)
    return Picture(f"data:image/{kind};base64,{encoded}", paper, image.width, image.height)


def _smallest(image: Any, quality: int, colourful: bool) -> tuple[bytes, str]:
    made = [(_encoded(image, "JPEG", quality=quality, optimize=True), "jpeg")]
    if not colourful:
        made.append((_encoded(_few_grays(image), "PNG", optimize=True, bits=4), "png"))
    return min(made, key=lambda pair: len(pair[0]))


def _few_grays(image: Any) -> Any:
    from PIL import Image as pillow

    levels = image.point([round(value / _STEP) for value in range(256)])
    few = pillow.frombytes("P", image.size, levels.tobytes())
    few.putpalette([level * _STEP for level in range(16) for _ in "rgb"])
    return few


def _encoded(image: Any, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _colourful(image: Any) -> bool:
    """Whether it has colour worth keeping; a yellowed scan has, a gray one in RGB has not."""
    if image.mode not in ("RGB", "RGBA", "P", "CMYK", "YCbCr", "LAB", "HSV"):
        return False
    small = image.convert("RGB").resize((64, 64)).convert("HSV")
    saturation = sorted(small.getchannel("S").tobytes())
    return bool(saturation[len(saturation) * 9 // 10] > 20)


def _is_paper(image: Any) -> bool:
    values = sorted(image.resize((64, 64)).tobytes())
    return bool(values[len(values) // 2] > 215)
