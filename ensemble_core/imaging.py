"""Opening and making page pictures: what loaders, preprocessors and recognizers share.

Pillow is imported when a function is called, never when this module is.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from .model import Affine, Context, InputError, OutputError, Page, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from PIL.Image import Image


class _OwnLimit:
    """Lifts Pillow's own pixel limit while ours is checked, and gives it back afterwards.

    The limit is one for the process; threads that decode at the same time share the lifting.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before: int | None = None

    def __enter__(self) -> None:
        from PIL import Image as pillow

        with self._lock:
            if self._inside == 0:
                self._before, pillow.MAX_IMAGE_PIXELS = pillow.MAX_IMAGE_PIXELS, None
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        from PIL import Image as pillow

        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                pillow.MAX_IMAGE_PIXELS = self._before


_own_limit = _OwnLimit()


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """Turn what Pillow raises on bad pictures into :class:`InputError`."""
    import struct
    import zlib

    from PIL import UnidentifiedImageError

    damage = (
        OSError, SyntaxError, ValueError, EOFError, LookupError, ArithmeticError, TypeError,
        AttributeError, RuntimeError, struct.error, zlib.error,
    )  # fmt: skip
    try:
        with _own_limit:
            yield
    except UnidentifiedImageError as error:
        raise InputError(f"{what}: not a picture Ensemble can read") from error
    except damage as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{what}: the picture is damaged: {reason}") from error


def open_image(page: Page, ctx: Context) -> Image:
    """Decode a page's picture, upright (EXIF rotation applied), in its own mode.

    Raises:
        InputError: The file is not a readable picture.
        LimitExceeded: It has more pixels than allowed; nothing was decoded.
    """
    from PIL import Image as pillow
    from PIL import ImageOps

    with decoding(page.image.name), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pillow.open(page.image) as picture:
            ctx.limits.check_pixels(picture.width, picture.height, page.image.name)
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
            return picture


def gray(image: Image) -> Image:
    """The picture as 8-bit gray (mode ``L``) on white paper.

    Transparency is laid on white; 16-bit and 32-bit data is scaled by its own depth;
    CMYK, palettes and one-bit pictures are converted by what their colours look like.
    """
    from PIL import Image as pillow

    if image.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in image.info:
        shown = image if image.mode == "RGBA" else image.convert("RGBA")
        alpha: Any = shown.getchannel("A")
        if alpha.getextrema() == (255, 255):
            return shown.convert("L")
        paper = pillow.new("L", shown.size, 255)
        paper.paste(shown.convert("L"), mask=alpha)
        return paper
    if image.mode.startswith("I") or image.mode == "F":
        import numpy as np

        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if values.max(initial=0) > 255 else 255.0
        if image.mode == "F" and values.max(initial=0) <= 1.0:
            top = 1.0
        return pillow.fromarray((values.clip(0, top) * (255.0 / top)).round().astype("uint8"))
    return image.convert("L")


def derive(
    page: Page,
    image: Image,
    ctx: Context,
    *,
    to_input: Affine | None = None,
    component: str = "",
    options: Mapping[str, Any] | None = None,
) -> Page:
    """The page a preprocessor gives: ``image`` saved into the workspace, lossless.

    Args:
        page: The page the picture was made from.
        image: The new picture (any mode PNG or TIFF can hold).
        ctx: The context of the call.
        to_input: Maps pixels of ``image`` to pixels of ``page``; None: they are the same.
        component: Name of the step for the history; by default the context's.
        options: Options of the step for the history.
    """
    step = component or ctx.component
    suffix = ".tif" if image.mode in ("CMYK", "F") else ".png"
    path = ctx.workspace / f"{page.index:05d}-{len(page.history):02d}-{step or 'step'}{suffix}"
    save(image, path)
    return attrs.evolve(
        page,
        image=path,
        width=image.width,
        height=image.height,
        to_source=page.to_source.after(to_input) if to_input else page.to_source,
        history=(*page.history, Step(step, dict(options or {}))),
    )


def save(image: Image, path: Path) -> None:
    """Write a picture lossless, as PNG or (CMYK, float) TIFF by the path's suffix.

    Raises:
        OutputError: The workspace cannot be written, because the disk is full for instance.
    """
    try:
        if path.suffix == ".png":
            image.save(path, compress_level=1)
        else:
            image.save(path, compression="tiff_adobe_deflate")
    except OSError as error:
        if error.errno is None:  # Pillow's own errors have no number
            raise
        raise OutputError(
            f"the page's picture cannot be written into the workspace: {error.strerror}",
            hint="a larger disk for temporary files can be named with TMPDIR",
        ) from error
