"""The image loader: every page, upright, lossless; sizes before pixels; damage in one line."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ensemble_core.builtin.images import ImageLoader
from ensemble_core.imaging import gray, open_image
from ensemble_core.model import (
    Context,
    Document,
    EnsembleError,
    InputError,
    LimitExceeded,
    Limits,
    Loader,
    Message,
)
from ensemble_core.sniff import sniff


def document(path: Path) -> Document:
    data = path.read_bytes()
    return Document(path, path.name, sniff(path), hashlib.sha256(data).hexdigest(), len(data))


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    workspace = tmp_path / "work"
    workspace.mkdir()
    return Context(workspace)


def gradient(width: int = 60, height: int = 40) -> Image.Image:
    """A picture whose every corner differs."""
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(
        np.stack([x * 255 // width, y * 255 // height, (x + y) % 256], axis=2).astype(np.uint8)
    )


def pixels(image: Image.Image) -> list[int]:
    return np.asarray(image).ravel().tolist()


SAVED = [
    ("page.png", "1"), ("page.png", "L"), ("page.png", "LA"), ("page.png", "P"),
    ("page.png", "RGB"), ("page.png", "RGBA"), ("page.png", "I;16"), ("page.jpg", "L"),
    ("page.jpg", "RGB"), ("page.jpg", "CMYK"), ("page.tif", "1"), ("page.tif", "CMYK"),
    ("page.tif", "I;16"), ("page.tif", "F"), ("page.tif", "RGB"), ("page.gif", "P"),
    ("page.bmp", "RGB"), ("page.bmp", "1"), ("page.webp", "RGB"), ("page.webp", "RGBA"),
    ("page.pgm", "L"), ("page.pbm", "1"), ("page.ppm", "RGB"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "mode"), SAVED)
def test_every_format_and_mode_is_kept(name: str, mode: str, tmp_path: Path, ctx: Context) -> None:
    if mode == "I;16":
        image = Image.fromarray((np.arange(2400).reshape(40, 60) * 27).astype(np.uint16))
    elif mode == "F":
        image = Image.fromarray(np.linspace(0, 1, 2400, dtype=np.float32).reshape(40, 60))
    else:
        image = gradient().convert(mode)
    path = tmp_path / name
    image.save(path)
    with Image.open(path) as stored:
        expected = stored.copy()
    loader = ImageLoader()
    assert isinstance(loader, Loader)
    (info,) = loader.inspect(document(path), ctx)
    page = loader.load(document(path), 0, ctx)
    assert (info.width, info.height) == (page.width, page.height) == (60, 40)
    assert page.image.parent == ctx.workspace
    shown = open_image(page, ctx)
    assert shown.mode == expected.mode
    assert pixels(shown) == pixels(expected)
    assert gray(shown).size == (60, 40)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(
    format: str, orientation: int, tmp_path: Path, ctx: Context
) -> None:
    # Black top-left quarter in the upright picture, wherever the file keeps it.
    upright = np.full((40, 60), 255, np.uint8)
    upright[:20, :30] = 0
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.T, 6: np.rot90(upright, 1), 7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{format.lower()}"
    Image.fromarray(np.ascontiguousarray(stored)).convert("RGB").save(path, format, exif=exif)
    before = path.read_bytes()
    loader = ImageLoader()
    (info,) = loader.inspect(document(path), ctx)
    page = loader.load(document(path), 0, ctx)
    assert (info.width, info.height) == (page.width, page.height) == (60, 40)
    shown = np.asarray(gray(open_image(page, ctx))).astype(int)
    assert abs(shown - upright).mean() < 12
    assert path.read_bytes() == before


def test_rotation_told_behind_the_pixels_of_a_png(tmp_path: Path, ctx: Context) -> None:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (30, 20), 255).save(stream, "PNG", exif=exif)
    data = stream.getvalue()
    at = data.index(b"eXIf") - 4
    length = struct.unpack(">I", data[at : at + 4])[0] + 12
    chunk, rest = data[at : at + length], data[:at] + data[at + length :]
    path = tmp_path / "late.png"
    path.write_bytes(rest[:-12] + chunk + rest[-12:])
    (info,) = ImageLoader().inspect(document(path), ctx)
    page = ImageLoader().load(document(path), 0, ctx)
    assert (info.width, info.height) == (page.width, page.height) == (20, 30)


def test_every_page_of_a_tiff(tmp_path: Path, ctx: Context) -> None:
    path = tmp_path / "book.tif"
    pages = [Image.new("L", (30 + i, 40), 40 * i) for i in range(4)]
    pages[0].save(path, save_all=True, append_images=pages[1:], dpi=(300, 300))
    loader = ImageLoader()
    infos = loader.inspect(document(path), ctx)
    assert [(i.index, i.width) for i in infos] == [(0, 30), (1, 31), (2, 32), (3, 33)]
    assert infos[0].dpi == 300
    third = loader.load(document(path), 2, ctx)
    assert open_image(third, ctx).getpixel((0, 0)) == 80
    with pytest.raises(InputError, match="has no page 5"):
        loader.load(document(path), 4, ctx)


def test_thumbnails_in_a_tiff_are_no_pages(tmp_path: Path, ctx: Context) -> None:
    from PIL import TiffImagePlugin

    thumbnail = TiffImagePlugin.ImageFileDirectory_v2()
    thumbnail[254] = 1
    path = tmp_path / "scan.tif"
    with TiffImagePlugin.AppendingTiffWriter(str(path), new=True) as writer:
        Image.new("L", (300, 400), 255).save(writer, "TIFF")
        writer.newFrame()
        Image.new("L", (30, 40), 255).save(writer, "TIFF", tiffinfo=thumbnail)
        writer.newFrame()
        Image.new("L", (301, 400), 255).save(writer, "TIFF")
    infos = ImageLoader().inspect(document(path), ctx)
    assert [(i.index, i.width) for i in infos] == [(0, 300), (1, 301)]
    assert ImageLoader().load(document(path), 1, ctx).width == 301


def test_an_animation_gives_its_first_frame_and_says_so(tmp_path: Path, ctx: Context) -> None:
    path = tmp_path / "moving.gif"
    frames = [Image.new("P", (20, 10), i) for i in (0, 1)]
    frames[0].putpalette([250, 250, 250, 0, 0, 0])
    frames[1].putpalette([250, 250, 250, 0, 0, 0])
    frames[0].save(path, save_all=True, append_images=frames[1:])
    told: list[Message] = []
    ctx.send = told.append
    assert len(ImageLoader().inspect(document(path), ctx)) == 1
    assert [m["code"] for m in told] == ["first-frame-only"]
    page = ImageLoader().load(document(path), 0, ctx)
    assert gray(open_image(page, ctx)).getpixel((0, 0)) == 250


@pytest.mark.parametrize(("saved", "told"), [(300, 300), (72, 72), (3, None), (None, None)])
def test_resolution(saved: int | None, told: float | None, tmp_path: Path, ctx: Context) -> None:
    path = tmp_path / "page.png"
    extra = {"dpi": (saved, saved)} if saved else {}
    Image.new("L", (10, 10)).save(path, **extra)
    (info,) = ImageLoader().inspect(document(path), ctx)
    assert info.dpi == (pytest.approx(told, abs=0.1) if told else None)
    assert ImageLoader().load(document(path), 0, ctx).dpi == info.dpi


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_a_fax_gets_square_pixels(
    mode: str, orientation: int, tmp_path: Path, ctx: Context
) -> None:
    path = tmp_path / "fax.tif"
    image = Image.new("L", (200, 100), 255)
    image.paste(0, (100, 50, 200, 100))
    image.convert(mode).save(path, dpi=(200, 100), tiffinfo={274: orientation})
    (info,) = ImageLoader().inspect(document(path), ctx)
    page = ImageLoader().load(document(path), 0, ctx)
    assert (info.width, info.height, info.dpi) == (page.width, page.height, page.dpi)
    assert (page.width, page.height, page.dpi) == (200, 200, 200)
    shown = np.asarray(gray(open_image(page, ctx)))
    black = shown[120:, 120:] if orientation == 1 else shown[120:, :80]
    assert black.max() < 10
    assert (shown < 128).mean() == pytest.approx(0.25, abs=0.01)


def huge_png(side: int) -> bytes:
    """A valid PNG header that promises ``side × side`` pixels, with hardly any behind it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 100_000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path, ctx: Context) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(huge_png(60_000))
    assert path.stat().st_size < 2000
    for act in (ImageLoader().inspect, lambda d, c: ImageLoader().load(d, 0, c)):
        with pytest.raises(LimitExceeded, match="60000 × 60000 pixels"):
            act(document(path), ctx)
    assert not list(ctx.workspace.iterdir())


def test_the_limit_is_the_users(tmp_path: Path, ctx: Context) -> None:
    path = tmp_path / "page.png"
    Image.new("L", (100, 100)).save(path)
    ctx.limits = Limits(max_pixels=9_999)
    with pytest.raises(LimitExceeded):
        ImageLoader().load(document(path), 0, ctx)
    ctx.limits = Limits(max_pixels=10_000)
    assert ImageLoader().load(document(path), 0, ctx).width == 100


@pytest.mark.parametrize("name", ["page.png", "page.jpg", "page.tif", "page.gif", "page.bmp",
                                  "page.webp", "page.ppm"])  # fmt: skip
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9])
def test_a_truncated_file_is_an_input_error(
    name: str, part: float, tmp_path: Path, ctx: Context
) -> None:
    path = tmp_path / name
    noise = np.random.default_rng(1).integers(0, 255, (50, 70, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(InputError) as caught:
        ImageLoader().inspect(document(path), ctx)
        ImageLoader().load(document(path), 0, ctx)
    assert "\n" not in str(caught.value)
    assert not list(ctx.workspace.iterdir())


def test_damaged_exif_does_not_cost_the_picture(tmp_path: Path, ctx: Context) -> None:
    path = tmp_path / "photo.jpg"
    gradient().save(path, exif=b"Exif\0\0MM\0*\0\0\xff\xff garbage")
    page = ImageLoader().load(document(path), 0, ctx)
    assert open_image(page, ctx).size == (60, 40)


def test_the_input_is_copied_never_shared(tmp_path: Path, ctx: Context) -> None:
    path = tmp_path / "page.png"
    gradient().save(path)
    before = path.read_bytes()
    page = ImageLoader().load(document(path), 0, ctx)
    page.image.write_bytes(b"written in place")
    assert path.read_bytes() == before


@settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), format=st.sampled_from(["PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP", "PPM"]))
def test_any_damage_is_survived_or_a_typed_error(
    data: st.DataObject, format: str, tmp_path: Path, ctx: Context
) -> None:
    stream = io.BytesIO()
    extra = {"compression": "tiff_lzw"} if format == "TIFF" else {}
    gradient(20, 16).save(stream, format, **extra)
    content = bytearray(stream.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged"
    path.write_bytes(bytes(content))
    ctx.limits = Limits(max_pixels=1_000_000)
    loader = ImageLoader()
    try:
        for info in loader.inspect(document(path), ctx):
            page = loader.load(document(path), info.index, ctx)
            assert open_image(page, ctx).size == (page.width, page.height)
    except EnsembleError as error:
        assert str(error)
        assert "\n" not in str(error)


@pytest.mark.skipif(os.name != "posix", reason="needs resource limits")
@pytest.mark.parametrize("name", ["page.png", "page.bmp"])  # copied; decoded and written anew
def test_a_full_disk_is_an_output_error(name: str, tmp_path: Path) -> None:
    """Files may not grow beyond 1,000 bytes, which a full disk feels like."""
    noise = np.random.default_rng(1).integers(0, 255, (50, 70, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    code = """
        import resource, signal, sys
        from pathlib import Path
        from ensemble_core.builtin.images import ImageLoader
        from ensemble_core.model import Context, Document, OutputError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        path = Path(sys.argv[1])
        try:
            ImageLoader().load(Document(path, path.name, "", "", 0), 0, Context(path.parent / "w"))
        except OutputError as error:
            print(error)
    """
    (tmp_path / "w").mkdir()
    shown = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), tmp_path / name],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "into the workspace: File too large" in shown.stdout
