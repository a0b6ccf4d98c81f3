"""Pages and documents for tests: an engraved one, drawn ones, odd ones and broken ones."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ensemble_core.model import Document, Page

if TYPE_CHECKING:
    from PIL.Image import Image

SPACE = 12
"""Staff space of the drawn page, in pixels."""


def engraved_page(folder: Path, music: Literal["piano", "melody"] = "piano") -> Page:
    """A real page: sixteen bars engraved by Verovio, A4 at 150 dpi, gray.

    Args:
        folder: Where to write the picture.
        music: ``piano`` has three systems of two staves, in G major; ``melody`` has single
            staves with a treble clef, in C major. Both are quarter notes in 4/4 that walk
            up the scale from C4 to B5 again and again (the left hand from C3 to B4):
            ``sample_score(16, (PIANO,), key=1)`` and ``sample_score(16)``.
    """
    path = folder / f"{music}.png"
    path.write_bytes((Path(__file__).parent / "data" / path.name).read_bytes())
    return page_of(path)


def drawn_page(folder: Path, mode: str = "L") -> Page:
    """A page drawn in code: three staves with bars, note heads and stems.

    Args:
        folder: Where to write it.
        mode: Mode of the picture as Pillow names it.
    """
    path = folder / f"drawn-{mode.replace(';', '-')}.{'tif' if mode == 'CMYK' else 'png'}"
    draw().convert(mode).save(path)
    return page_of(path)


def draw(width: int = 1240, height: int = 800) -> Image:
    """The picture of :func:`drawn_page`, 8-bit gray."""
    from PIL import Image as pillow
    from PIL import ImageDraw

    image = pillow.new("L", (width, height), 255)
    pen = ImageDraw.Draw(image)
    left, right = width // 16, width - width // 16
    for top in range(height // 8, height - 8 * SPACE, height // 4):
        for line in range(5):
            y = top + line * SPACE
            pen.line((left, y, right, y), fill=0, width=2)
        bars = [left + (right - left) * bar // 4 for bar in range(5)]
        for x in bars:
            pen.line((x, top, x, top + 4 * SPACE), fill=0, width=3)
        for place in range(16):
            x = left + (right - left) * (2 * place + 1) // 32
            y = top + (8 - place % 9) * SPACE // 2
            head = (x - 7, y - SPACE // 2 + 1, x + 7, y + SPACE // 2 - 1)
            pen.ellipse(head, fill=0)
            pen.line((x + 6, y, x + 6, y - 7 * SPACE // 2), fill=0, width=2)
    return image


def page_of(path: Path, index: int = 0) -> Page:
    """The :class:`Page` of a picture file."""
    from PIL import Image as pillow

    with pillow.open(path) as picture:
        return Page(index, path, picture.width, picture.height, dpi=150.0)


def odd_pages(folder: Path) -> Iterator[tuple[str, Page]]:
    """Pages nobody expects and every component must live with: tiny, empty, black, rare modes."""
    from PIL import Image as pillow

    plain = {
        "one white pixel": pillow.new("L", (1, 1), 255),
        "an empty page": pillow.new("L", (620, 877), 255),
        "a black page": pillow.new("L", (620, 877), 0),
        "a very narrow page": pillow.new("L", (3, 900), 255),
        "a one-bit page": draw(620, 400).convert("1"),
        "a transparent page": draw(620, 400).convert("RGBA"),
        "a page with a palette": draw(620, 400).convert("RGB").convert("P"),
        "a 16-bit page": draw(620, 400)
        .convert("I")
        .point(lambda value: value * 257)
        .convert("I;16"),
    }
    for number, (label, image) in enumerate(plain.items()):
        path = folder / f"odd-{number}.png"
        image.save(path)
        yield label, page_of(path)
    whole = (folder / "odd-4.png").read_bytes()  # Pillow decodes it, with a hole in it
    path = folder / "damaged.png"
    path.write_bytes(whole[:400] + bytes(200) + whole[600:])
    yield "a picture with a damaged middle", Page(0, path, 620, 400)


def broken_pages(folder: Path) -> Iterator[tuple[str, Page]]:
    """Pages whose picture is not there, is none, is cut off, or is far too large."""
    whole = folder / "whole.png"
    draw(620, 400).save(whole)
    data = whole.read_bytes()
    contents = {
        "an empty file": b"",
        "a text called .png": b"This is no picture.\n" * 20,
        "a picture cut in half": data[: len(data) // 2],
        "a picture of 60,000 x 60,000 pixels": huge_png(),
    }
    for number, (label, content) in enumerate(contents.items()):
        path = folder / f"broken-{number}.png"
        path.write_bytes(content)
        size = 60_000 if "60,000" in label else 620
        yield label, Page(0, path, size, size)
    yield "a file that is not there", Page(0, folder / "nowhere.png", 620, 400)


def huge_png(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG file of less than 2 KB that claims to be very large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * 8)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def document_of(path: Path, media_type: str = "") -> Document:
    """The :class:`Document` of a file, its media type sniffed unless given."""
    from ensemble_core.sniff import sniff

    data = path.read_bytes()
    return Document(
        path, path.name, media_type or sniff(path), hashlib.sha256(data).hexdigest(), len(data)
    )
