"""Taking a scan out of a page as it is: no resampling, the right way up, colours as shown."""

from __future__ import annotations

import ctypes
import io
from typing import TYPE_CHECKING, Any

import attrs

from .content import Content, Placed

if TYPE_CHECKING:
    from PIL.Image import Image

COVERS = 0.9
"""Share of the page an image must cover to be the page."""
OVERHANG = 0.01
"""How far, in parts of the page, it may reach over the page's edge."""
SQUARE = 0.02
"""How much its resolutions in x and y may differ."""
_STRAIGHT = 1e-3
_PREVIEW = 400
"""Long side, in pixels, of the rendering that the scan is compared with."""


@attrs.frozen
class Scan:
    """An image that is the whole page.

    Attributes:
        placed: The image.
        turn: Name of the ``PIL.Image.Transpose`` that puts it upright; empty: none.
        width, height: Size in pixels, upright.
        dpi: Resolution on the page.
        window: Where it lies on the displayed page, in parts: left, top, right, bottom.
    """

    placed: Placed
    turn: str
    width: int
    height: int
    dpi: float
    window: tuple[float, float, float, float]


_TURNS = {
    # Where the image's own x and y (downwards) point on the displayed page.
    ((1, 0), (0, 1)): "",
    ((-1, 0), (0, 1)): "FLIP_LEFT_RIGHT",
    ((1, 0), (0, -1)): "FLIP_TOP_BOTTOM",
    ((-1, 0), (0, -1)): "ROTATE_180",
    ((0, -1), (1, 0)): "ROTATE_90",
    ((0, 1), (-1, 0)): "ROTATE_270",
    ((0, 1), (1, 0)): "TRANSPOSE",
    ((0, -1), (-1, 0)): "TRANSVERSE",
}


def the_scan(found: Content, box: tuple[float, float, float, float], rotation: int) -> Scan | None:
    """The image that is the page, if there is exactly one and nothing else.

    Args:
        found: What is on the page.
        box: Left, bottom, right, top of the visible page, in points.
        rotation: Degrees the page is turned clockwise when displayed.
    """
    if len(found.images) != 1 or found.others:
        return None
    placed = found.images[0]
    across, down = placed.dpi
    if not across or not down or abs(across / down - 1) > SQUARE:
        return None
    turn = _turn(placed, rotation)
    window = _window(placed, box, rotation)
    if turn is None or window is None:
        return None
    sideways = turn in ("ROTATE_90", "ROTATE_270", "TRANSPOSE", "TRANSVERSE")
    size = (placed.height, placed.width) if sideways else (placed.width, placed.height)
    return Scan(placed, turn, *size, dpi=(across + down) / 2, window=window)


def filling_dpi(found: Content, box: tuple[float, float, float, float]) -> float | None:
    """The finest resolution among images that cover most of the page together."""
    area = max(1e-9, (box[2] - box[0]) * (box[3] - box[1]))
    covered, finest = 0.0, 0.0
    for placed in found.images:
        left, bottom, right, top = placed.bounds
        wide = max(0.0, min(right, box[2]) - max(left, box[0]))
        high = max(0.0, min(top, box[3]) - max(bottom, box[1]))
        if wide * high / area > 0.02:
            covered += wide * high / area
            finest = max(finest, *placed.dpi)
    return finest if covered >= 0.5 else None


def take(scan: Scan, page: Any) -> tuple[Image | None, bytes]:
    """The scan's pixels, upright; and the JPEG they stand in, if that is upright as it is.

    The picture is compared with a small rendering of the page, which knows about masks,
    decode arrays and colour spaces; None when they do not look alike.
    """
    from PIL import Image as pillow

    jpeg = _jpeg(scan.placed)
    for source in ("jpeg", "bitmap"):
        image = _from_jpeg(jpeg) if source == "jpeg" else _from_bitmap(scan.placed)
        if image is None or image.size != (scan.placed.width, scan.placed.height):
            continue
        if scan.turn:
            image = image.transpose(pillow.Transpose[scan.turn])
        if _alike(image, scan, page):
            return image, jpeg if source == "jpeg" and _plain_jpeg(image, scan) else b""
    return None, b""


def _plain_jpeg(image: Image, scan: Scan) -> bool:
    # PDF readers ignore the rotation EXIF tells, those who open the file do not.
    return not scan.turn and image.getexif().get(0x0112, 1) == 1


def _turn(placed: Placed, rotation: int) -> str | None:
    a, b, c, d, _, _ = placed.matrix
    across, up = (a, b), (c, d)
    for _ in range(rotation // 90 % 4):
        across, up = (across[1], -across[0]), (up[1], -up[0])
    axes = []
    # Screen y points down, PDF y up; the image's own y points down, its matrix's up.
    for x, y in ((across[0], -across[1]), (-up[0], up[1])):
        long, short = max(abs(x), abs(y)), min(abs(x), abs(y))
        if not long or short / long > _STRAIGHT:
            return None
        axes.append((round(x / long), round(y / long)))
    return _TURNS.get((axes[0], axes[1]))


def _window(
    placed: Placed, box: tuple[float, float, float, float], rotation: int
) -> tuple[float, float, float, float] | None:
    wide, high = box[2] - box[0], box[3] - box[1]
    if wide <= 0 or high <= 0:
        return None
    left, bottom, right, top = placed.bounds
    parts = [
        (left - box[0]) / wide, (box[3] - top) / high,
        (right - box[0]) / wide, (box[3] - bottom) / high,
    ]  # fmt: skip
    if min(parts) < -OVERHANG or max(parts) > 1 + OVERHANG:
        return None
    parts = [min(1.0, max(0.0, part)) for part in parts]
    if (parts[2] - parts[0]) * (parts[3] - parts[1]) < COVERS:
        return None
    for _ in range(rotation // 90 % 4):
        x0, y0, x1, y1 = parts
        parts = [1 - y1, x0, 1 - y0, x1]
    return parts[0], parts[1], parts[2], parts[3]


def _jpeg(placed: Placed) -> bytes:
    from pypdfium2 import raw as pdfium

    count = pdfium.FPDFImageObj_GetImageFilterCount(placed.raw)
    if count < 1:
        return b""
    name = ctypes.create_string_buffer(64)
    pdfium.FPDFImageObj_GetImageFilter(placed.raw, count - 1, name, 64)
    if name.value not in (b"DCTDecode", b"DCT"):
        return b""
    # "Decoded" stops before filters of the image kind: what is left is the JPEG file.
    size = pdfium.FPDFImageObj_GetImageDataDecoded(placed.raw, None, 0)
    data = ctypes.create_string_buffer(size)
    pdfium.FPDFImageObj_GetImageDataDecoded(placed.raw, data, size)
    return data.raw


def _from_jpeg(jpeg: bytes) -> Image | None:
    from PIL import Image as pillow

    from ensemble_core.imaging import decoding
    from ensemble_core.model import InputError

    if not jpeg:
        return None
    try:
        with decoding("the scan"), pillow.open(io.BytesIO(jpeg), formats=("JPEG",)) as stored:
            image: Image = stored.copy()
            return image
    except InputError:
        return None


def _from_bitmap(placed: Placed) -> Image | None:
    import pypdfium2
    from pypdfium2 import raw as pdfium

    handle = pdfium.FPDFImageObj_GetBitmap(placed.raw)
    if not handle:
        return None
    # The copy is what stays; the bitmap lets go of PDFium's memory when it is collected.
    return plain(pypdfium2.PdfBitmap.from_raw(handle).to_pil().copy())


def plain(image: Image) -> Image:
    """Gray pictures in colour modes as gray, two-valued ones as one bit; pixels unchanged."""
    from PIL import Image as pillow
    from PIL import ImageChops

    if image.mode in ("RGB", "RGBX", "RGBA"):
        image = image.convert("RGB")
        red, green, blue = image.split()
        if (
            ImageChops.difference(red, green).getbbox()
            or ImageChops.difference(green, blue).getbbox()
        ):
            return image
        image = red
    if image.mode == "L":
        counts = image.histogram()
        if counts[0] + counts[255] == sum(counts):
            return image.convert("1", dither=pillow.Dither.NONE)
    return image


def _alike(image: Image, scan: Scan, page: Any) -> bool:
    """Whether the picture looks like the page does: the mean difference stays small."""
    from PIL import Image as pillow
    from PIL import ImageChops, ImageFilter, ImageStat

    from ensemble_core.imaging import gray

    scale = _PREVIEW / max(page.get_width(), page.get_height())
    shown = page.render(scale=scale, grayscale=True).to_pil().copy()
    left, top, right, bottom = scan.window
    edges = (left * shown.width, top * shown.height, right * shown.width, bottom * shown.height)
    shown = shown.crop(tuple(round(edge) for edge in edges))
    small = gray(image).resize(shown.size, pillow.Resampling.BOX)
    soft = ImageFilter.BoxBlur(2)
    shown, small = shown.filter(soft), small.filter(soft)
    difference = ImageStat.Stat(ImageChops.difference(shown, small)).mean[0]
    contrast = ImageStat.Stat(shown).stddev[0]
    return difference <= max(2.0, 0.4 * contrast)
