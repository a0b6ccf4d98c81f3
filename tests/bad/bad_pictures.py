"""Bad and odd pictures."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from .table import FINE, INPUT, LIMIT, BadFile, content


def saved(format: str, image: Image.Image | None = None, **extra: Any) -> bytes:
    """A noisy picture (or this one) as a file."""
    if image is None:
        noise = np.random.default_rng(1).integers(0, 255, (80, 100, 3), np.uint8)
        image = Image.fromarray(noise)
    stream = io.BytesIO()
    image.save(stream, format, **extra)
    return stream.getvalue()


def cut(data: bytes, part: float) -> bytes:
    return data[: int(len(data) * part)]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *between: bytes, rows: bytes = b"\0" * 100_000) -> bytes:
    """A gray PNG that says it has this size, whatever stands in it."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(between) + data


def tiff(width: int, height: int, after: int = 0, strip: int = 200) -> bytes:
    """An uncompressed gray TIFF of one directory; ``after`` is where it says the next one is."""
    tags = [
        (256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1),
        (273, 4, strip), (277, 3, 1), (278, 4, height), (279, 4, width * height % 2**32),
    ]  # fmt: skip
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    directory = struct.pack("<H", len(tags)) + body + struct.pack("<I", after)
    head = b"II*\0" + struct.pack("<I", 8) + directory
    return head.ljust(200, b"\0") + b"\xff" * min(width * height, 5000)


def huge_jpeg() -> bytes:
    """A JPEG whose frame header says 65,500 × 65,500."""
    data = bytearray(saved("JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(data)


def huge_bmp() -> bytes:
    data = bytearray(saved("BMP"))
    data[18:26] = struct.pack("<ii", 60_000, 60_000)
    return bytes(data)


def huge_gif() -> bytes:
    data = bytearray(saved("GIF"))
    data[6:10] = struct.pack("<HH", 65_535, 65_535)
    return bytes(data)


def scrambled(data: bytes) -> bytes:
    """The middle third overwritten."""
    third = len(data) // 3
    return data[:third] + b"\xa5" * third + data[2 * third :]


def animation() -> bytes:
    frames = [Image.new("P", (60, 40), number) for number in range(3)]
    for frame in frames:
        frame.putpalette([255, 255, 255, 0, 0, 0, 200, 0, 0])
    return saved("GIF", frames[0], save_all=True, append_images=frames[1:])


def gray(value: int, width: int = 400, height: int = 500) -> Image.Image:
    return Image.new("L", (width, height), value)


PNG, JPEG, TIFF = saved("PNG"), saved("JPEG"), saved("TIFF", compression="tiff_lzw")
DEEP = Image.fromarray(np.linspace(0, 65535, 200_000).reshape(400, 500).astype(np.uint16))
BOMB_TEXT = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b" " * 3_000_000, 9))

PICTURES = (
    BadFile("empty.png", content(b""), INPUT, "empty"),
    BadFile("text.png", content(b"Dear reader, this is no picture.\n"), INPUT, "text"),
    BadFile("page.html.png", content(b"<!DOCTYPE html><html><p>404</p></html>"), INPUT, "html"),
    BadFile("random.png", content(bytes(range(1, 256)) * 9), INPUT, "octet-stream"),
    BadFile("phone.heic", content(b"\0\0\0\x18ftypheic" + b"\0" * 99), INPUT, "heic"),
    BadFile("signature-only.png", content(PNG[:8]), INPUT, "picture"),
    BadFile("header-only.png", content(PNG[:33]), INPUT, "picture"),
    BadFile("half.png", content(cut(PNG, 0.5)), INPUT, "picture is damaged"),
    BadFile("almost.png", content(cut(PNG, 0.9)), INPUT, "picture is damaged"),
    BadFile("scrambled.png", content(scrambled(PNG)), INPUT, "picture is damaged"),
    BadFile("no-width.png", content(png(0, 10)), INPUT, "picture"),
    BadFile("sixty-thousand.png", content(png(60_000, 60_000)), LIMIT, "60000 × 60000 pixels"),
    BadFile("largest.png", content(png(2**31 - 1, 2**31 - 1)), LIMIT, "pixels"),
    BadFile("text-bomb.png", content(png(9, 9, BOMB_TEXT)), INPUT, "picture is damaged"),
    BadFile("head.jpg", content(JPEG[:30]), INPUT, "picture"),
    BadFile("half.jpg", content(cut(JPEG, 0.5)), INPUT, "picture is damaged"),
    BadFile("almost.jpg", content(cut(JPEG, 0.9)), INPUT, "picture is damaged"),
    BadFile("garbage.jpg", content(b"\xff\xd8\xff" + b"music" * 50), INPUT, "picture"),
    BadFile("huge.jpg", content(huge_jpeg()), LIMIT, "65500 × 65500 pixels"),
    BadFile("head.tif", content(TIFF[:8]), INPUT, "picture"),
    BadFile("half.tif", content(cut(TIFF, 0.5)), INPUT, "picture"),
    BadFile("huge.tif", content(tiff(60_000, 60_000)), LIMIT, "60000 × 60000 pixels"),
    BadFile("absurd.tif", content(tiff(2**32 - 1, 2**32 - 1)), LIMIT, "pixels"),
    BadFile("strip-elsewhere.tif", content(tiff(50, 40, strip=10**8)), INPUT, "picture is damaged"),
    BadFile("directory-elsewhere.tif", content(b"II*\0\xff\xff\xff\x7f" + b"\0" * 50), INPUT,
            "picture"),
    BadFile("ring.tif", content(tiff(50, 40, after=8)), FINE),
    BadFile("half.gif", content(cut(saved("GIF"), 0.5)), INPUT, "picture"),
    BadFile("huge.gif", content(huge_gif()), LIMIT, "65535 × 65535 pixels"),
    BadFile("half.bmp", content(cut(saved("BMP"), 0.5)), INPUT, "picture is damaged"),
    BadFile("huge.bmp", content(huge_bmp()), LIMIT, "60000 × 60000 pixels"),
    BadFile("half.webp", content(cut(saved("WEBP"), 0.5)), INPUT, "picture"),
    BadFile("huge.pgm", content(b"P5\n60000 60000\n255\n" + b"\0" * 99), LIMIT, "60000 × 60000"),
    BadFile("nonsense.ppm", content(b"P6\nwide high\n255\n"), INPUT, "picture"),
    BadFile("one-pixel.png", content(saved("PNG", gray(0, 1, 1))), FINE),
    BadFile("strip.png", content(saved("PNG", gray(255, 1, 100_000))), FINE),
    BadFile("black.png", content(saved("PNG", gray(0))), FINE),
    BadFile("white.png", content(saved("PNG", gray(255))), FINE),
    BadFile("invisible.png", content(saved("PNG", Image.new("RGBA", (400, 500)))), FINE),
    BadFile("sixteen-bit.png", content(saved("PNG", DEEP)), FINE),
    BadFile("moving.gif", content(animation()), FINE),
    BadFile("odd-colours.png", content(saved("PNG", icc_profile=b"no profile at all")), FINE),
    BadFile("odd-exif.jpg", content(saved("JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")), FINE),
    BadFile("really-a-jpeg.pdf", content(JPEG), FINE),
)  # fmt: skip
