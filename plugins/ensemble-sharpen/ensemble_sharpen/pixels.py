"""Pictures as arrays and back, in a mode that can be computed with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ensemble_core.model import Affine, Context, Page, Step

if TYPE_CHECKING:
    from PIL.Image import Image

    Array = Any
    """A NumPy array; its type would need NumPy at import."""

_CLEAR = ("LA", "PA", "RGBA", "RGBa", "La")


def opaque(image: Image) -> Image:
    """The picture on white paper in mode L, RGB, CMYK, I;16 or F; nothing else changes.

    16-bit gray stays 16-bit, CMYK stays CMYK; one-bit pictures become L, palettes RGB.
    """
    from PIL import Image as pillow

    if image.mode in _CLEAR or "transparency" in image.info:
        shown = image.convert("RGBA")
        paper = pillow.new("RGBA", shown.size, "white")
        gray = image.mode in ("LA", "La", "L", "1")
        return pillow.alpha_composite(paper, shown).convert("L" if gray else "RGB")
    if image.mode in ("L", "RGB", "CMYK", "F", "I;16"):
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I"):
        import numpy as np

        return pillow.fromarray(np.asarray(image).clip(0, 65535).astype("<u2"))
    return image.convert("RGB")


def displayed(image: Image) -> Image:
    """The picture in 8 bits, L or RGB, by what it looks like on white paper."""
    from ensemble_core.imaging import gray

    shown = opaque(image)
    if shown.mode in ("I;16", "F"):
        return gray(shown)
    return shown.convert("RGB") if shown.mode == "CMYK" else shown


def image_of(array: Array, mode: str) -> Image:
    """An array as a picture; four channels may be CMYK, which the array cannot tell."""
    from PIL import Image as pillow

    if mode == "CMYK":
        return pillow.frombytes("CMYK", (array.shape[1], array.shape[0]), array.tobytes())
    return pillow.fromarray(array)


def paper_of(array: Array) -> tuple[float, ...]:
    """The colour of the paper, channel by channel: the median, for most of a page is bare."""
    import numpy as np

    step = max(1, int((array.shape[0] * array.shape[1] / 250_000) ** 0.5))
    sample = array[::step, ::step].reshape(-1, array.shape[2] if array.ndim == 3 else 1)
    return tuple(float(value) for value in np.median(sample, axis=0))


def warp(image: Image, to_input: Affine, size: tuple[int, int], fill: tuple[float, ...]) -> Image:
    """Draw a picture anew under an affine map, with bicubic interpolation.

    Args:
        image: In a mode :func:`opaque` gives.
        to_input: Maps the new picture's coordinates to the old one's.
        size: Width and height of the new picture.
        fill: Value for what lies outside the old one, one number a channel.
    """
    import cv2
    import numpy as np

    # Our coordinates begin at a pixel's corner, OpenCV's at its centre.
    centred = Affine.shift(-0.5, -0.5).after(to_input).after(Affine.shift(0.5, 0.5))
    matrix = np.array(
        [[centred.a, centred.b, centred.c], [centred.d, centred.e, centred.f]], np.float64
    )
    drawn = cv2.warpAffine(
        np.asarray(image), matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT, borderValue=fill,
    )  # fmt: skip
    return image_of(drawn, image.mode)


def reduced(image: Image, longest: int) -> tuple[Array, float]:
    """A gray copy whose long side is at most ``longest``, and how many of our pixels one is."""
    import cv2
    import numpy as np

    from ensemble_core.imaging import gray

    array = np.asarray(gray(image))
    factor = max(1.0, max(array.shape) / longest)
    if factor > 1.0:
        size = (max(1, round(image.width / factor)), max(1, round(image.height / factor)))
        array = cv2.resize(array, size, interpolation=cv2.INTER_AREA)
    return array, factor


def untouched(page: Page, ctx: Context, options: Any) -> Page:
    """The page as it was, with the step in its history."""
    step = Step(ctx.component, attrs.asdict(options))
    return attrs.evolve(page, history=(*page.history, step))
