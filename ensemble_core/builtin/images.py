"""The ``image`` loader: scans and photos in the formats people have, by Pillow.

A page of a TIFF is a page; of animations the first frame is read. Sizes come from the
headers and are checked before anything is decoded.
"""

from __future__ import annotations

import math
import shutil
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs

from ..imaging import decoding, save
from ..model import Context, Diagnostic, Document, InputError, OutputError, Page, PageInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL.Image import Exif, Image

FORMATS = ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP", "PPM")
"""What Pillow may try, by its names; its many other decoders are never reached."""

ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)
_KEPT_AS_PNG = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
_KEPT_AS_TIFF = ("I", "F", "CMYK", "I;16B")
_REDUCED_OR_MASK = 0b101
"""Bits of a TIFF's NewSubfileType: a thumbnail, or a transparency mask."""
_NEW_SUBFILE_TYPE, _WIDTH, _LENGTH = 254, 256, 257


_OBLONG = 1.1
"""Pixels whose sides differ by more than this factor are made square."""


@attrs.frozen
class _Frame:
    """One page in a picture file: which frame of the file it is, and how it lies."""

    number: int
    info: PageInfo
    orientation: int
    stretched: bool


class ImageLoader:
    """Reads PNG, JPEG, TIFF, GIF, BMP, WebP and PNM files."""

    def inspect(self, document: Document, ctx: Context) -> tuple[PageInfo, ...]:
        """List the pages from the headers alone.

        Raises:
            InputError: It is no picture, or its header is damaged.
            LimitExceeded: Its only page has too many pixels.
        """
        with _opened(document) as picture:
            frames = list(_frames(picture, document, ctx))
            if not frames:
                raise InputError(f"{document.name}: holds no picture of a page")
            if len(frames) == 1:
                # Several pages fail one by one, when loaded; a single one fails at once.
                info = frames[0].info
                ctx.limits.check_pixels(info.width, info.height, document.name)
            if picture.format != "TIFF" and getattr(picture, "is_animated", False):
                ctx.report(
                    Diagnostic("info", "first-frame-only", f"{document.name}: only the first"
                               " frame of the animation is read")
                )  # fmt: skip
        return tuple(frame.info for frame in frames)

    def load(self, document: Document, index: int, ctx: Context) -> Page:
        """Decode one page: upright, in its own mode and depth, lossless.

        Pixels the file calls oblong, as those of a fax, are made square.
        A PNG or JPEG that is upright already is copied as it is, once it is known to
        decode. Colour pictures of 16 bits a channel keep them only in that case, for
        Pillow reads them as 8 bits.

        Raises:
            InputError: The page is damaged, or there is no such page.
            LimitExceeded: It has too many pixels; nothing was decoded.
        """
        with _opened(document) as picture:
            for frame in _frames(picture, document, ctx):
                if frame.info.index == index:
                    break
            else:
                raise InputError(f"{document.name}: has no page {index + 1}")
            ctx.limits.check_pixels(frame.info.width, frame.info.height, document.name)
            ctx.check()
            picture.load()
            as_is = _stays(picture, frame)
            # Pillow turns a TIFF upright by itself when it decodes it.
            turn = 1 if picture.format == "TIFF" else frame.orientation
            image = None if as_is else _savable(_upright(picture, turn))
            if image is not None and frame.stretched:
                image = _resized(image, frame.info)
        if image is None:
            path = ctx.workspace / f"{index:05d}{as_is}"
            _copy(document.path, path)
            return Page(index, path, frame.info.width, frame.info.height, frame.info.dpi)
        path = ctx.workspace / f"{index:05d}{'.tif' if image.mode in _KEPT_AS_TIFF else '.png'}"
        save(image, path)
        return Page(index, path, image.width, image.height, frame.info.dpi)


def _stays(picture: Image, frame: _Frame) -> str:
    """The suffix under which the file itself is a page's picture; empty when it is not."""
    if frame.orientation != 1 or frame.stretched or getattr(picture, "is_animated", False):
        return ""
    return {"PNG": ".png", "JPEG": ".jpg"}.get(picture.format or "", "")


def _copy(source: Path, path: Path) -> None:
    # A copy, not a hard link: a step that writes in place must not reach the input.
    try:
        shutil.copyfile(source, path)
    except OSError as error:
        raise OutputError(
            f"{source.name}: cannot be copied into the workspace: {error.strerror}"
        ) from error


@contextmanager
def _opened(document: Document) -> Iterator[Image]:
    from PIL import Image as pillow

    with decoding(document.name), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # From a stream, not a path: of a path Pillow maps uncompressed TIFFs into memory, and
        # garbles those that lie sideways (seen in 13.0).
        with (
            document.path.open("rb") as stream,
            pillow.open(stream, formats=FORMATS) as picture,
        ):
            yield picture


def _frames(picture: Image, document: Document, ctx: Context) -> Iterator[_Frame]:
    """The pages of a file, in order; the picture stands at the one given last."""
    index = number = 0
    while True:
        try:
            picture.seek(number)
        except EOFError:
            return
        tags = getattr(picture, "tag_v2", {})
        kind = tags.get(_NEW_SUBFILE_TYPE, 0)
        if not (isinstance(kind, int) and kind & _REDUCED_OR_MASK and index):
            orientation = _orientation(picture, document)
            # Pillow 11.2 and later swap a TIFF's size by its orientation, earlier ones do not.
            width, height = tags.get(_WIDTH, picture.width), tags.get(_LENGTH, picture.height)
            dpi, across, down = _dpi(picture)
            square = round(width * across), round(height * down)
            wide, high = square[::-1] if orientation in _SIDEWAYS else square
            info = PageInfo(index, wide, high, dpi)
            yield _Frame(number, info, orientation, square != (width, height))
            index += 1
        if picture.format != "TIFF":
            return
        number += 1
        ctx.check()


def _orientation(picture: Image, document: Document) -> int:
    """EXIF orientation, 1 to 8; 0 when the EXIF data is too damaged to be kept."""
    from PIL import Image as pillow

    exif: Exif
    try:
        if picture.format == "PNG" and "exif" not in picture.info:
            exif = pillow.Exif()
            exif.load(_exif_chunk(document))
        else:
            exif = picture.getexif()
        value = exif.get(ORIENTATION, 1)
    except Exception:  # Pillow raises whatever the damage leads to
        return 0
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _exif_chunk(document: Document) -> bytes:
    """A PNG's eXIf chunk, which may stand behind the pixels; Pillow would decode to reach it."""
    with document.path.open("rb") as stream:
        stream.seek(8)
        while len(head := stream.read(8)) == 8:
            length = int.from_bytes(head[:4], "big")
            if head[4:] == b"eXIf":
                return b"Exif\0\0" + stream.read(min(length, 1 << 20))
            stream.seek(length + 4, 1)
    return b""


def _dpi(picture: Image) -> tuple[float | None, float, float]:
    """Resolution in dots per inch, where the file tells a believable one.

    Also by how much x and y are to be stretched: fax machines scan finer across than down,
    and music read from oblong pixels would have oblong noteheads.
    """
    try:
        across, down = (float(value) for value in picture.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None, 1.0, 1.0
    if not all(math.isfinite(each) and 10 <= each <= 10_000 for each in (across, down)):
        return None, 1.0, 1.0
    finest = max(across, down)
    if finest <= _OBLONG * min(across, down) or picture.mode.startswith(("I", "F")):
        return round(math.sqrt(across * down), 2), 1.0, 1.0
    return round(finest, 2), finest / across, finest / down


def _resized(image: Image, info: PageInfo) -> Image:
    from PIL.Image import Resampling

    smooth = {"1": "L", "P": "RGBA" if "transparency" in image.info else "RGB"}
    image = image.convert(smooth.get(image.mode, image.mode))
    return image.resize((info.width, info.height), Resampling.BICUBIC)


def _upright(picture: Image, orientation: int) -> Image:
    """Turn a picture by its EXIF orientation (EXIF 2.32, tag 0x0112)."""
    from PIL.Image import Transpose

    turn = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return picture.transpose(turn) if turn is not None else picture


def _savable(image: Image) -> Image:
    """The picture in a mode PNG or TIFF can hold without loss, with no metadata along."""
    if image.mode in (*_KEPT_AS_PNG, *_KEPT_AS_TIFF):
        result = image.copy()
    elif image.mode in ("PA", "RGBa", "La"):
        result = image.convert("RGBA")
    else:
        result = image.convert("RGB")
    clear = image.info.get("transparency")
    result.info = {} if clear is None or result.mode != image.mode else {"transparency": clear}
    return result
