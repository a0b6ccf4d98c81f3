"""PDF documents become pages: counted, sized, sharp, within limits, and scans untouched."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from ensemble_pdf.loader import PdfLoader
from ensemble_pdf.options import PdfOptions
from ensemble_pdf.resolution import choose
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ensemble_core.imaging import gray, open_image
from ensemble_core.model import (
    Cancelled,
    ConfigError,
    Context,
    Document,
    InputError,
    LimitExceeded,
    Limits,
    Loader,
    Message,
)

Build = Callable[..., Document]
SQUARE = b"0 0 1 rg 72 72 144 144 re f"


def loader(**options: object) -> PdfLoader:
    return PdfLoader(PdfOptions(**options))  # type: ignore[arg-type]


def test_a_page_is_rendered_at_300_dpi(one_page: Build, ctx: Context) -> None:
    made = one_page(612, 792, SQUARE)
    assert isinstance(loader(), Loader)
    (info,) = loader().inspect(made, ctx)
    assert (info.width, info.height, info.dpi) == (2550, 3300, 300)
    page = loader().load(made, 0, ctx)
    assert (page.width, page.height, page.dpi) == (2550, 3300, 300)
    shown = open_image(page, ctx)
    assert shown.mode == "RGB"
    assert shown.getpixel((300 + 300, 3300 - 600)) == (0, 0, 255)
    assert shown.getpixel((10, 10)) == (255, 255, 255)


def test_gray_pages_are_stored_gray(one_page: Build, ctx: Context) -> None:
    page = loader().load(one_page(612, 792, b"0 g 72 72 144 144 re f"), 0, ctx)
    assert open_image(page, ctx).mode == "L"


@pytest.mark.parametrize(
    ("size", "options", "pixels", "dpi"),
    [
        ((612, 792), {"dpi": 100}, (850, 1100), 100),
        ((150, 200), {}, (1500, 2000), 720),
        ((150, 200), {"dpi": 72}, (150, 200), 72),
        ((14400, 7200), {}, (7200, 3600), 36),
    ],
)
def test_resolution_follows_size_and_option(
    size: tuple[int, int],
    options: dict[str, int],
    pixels: tuple[int, int],
    dpi: float,
    one_page: Build,
    ctx: Context,
) -> None:
    made = one_page(*size, SQUARE)
    (info,) = loader(**options).inspect(made, ctx)
    page = loader(**options).load(made, 0, ctx)
    assert (info.width, info.height) == (page.width, page.height) == pixels
    assert page.dpi == pytest.approx(dpi)


def test_the_limit_lowers_the_resolution_and_says_so(one_page: Build, ctx: Context) -> None:
    told: list[Message] = []
    ctx.send, ctx.limits = told.append, Limits(max_pixels=1_000_000)
    page = loader().load(one_page(612, 792, SQUARE), 0, ctx)
    assert 980_000 < page.width * page.height <= 1_000_000
    assert [(m["code"], m["page"]) for m in told] == [("resolution-lowered", 0)]


def test_a_limit_too_low_for_any_reading_is_an_error(one_page: Build, ctx: Context) -> None:
    ctx.limits = Limits(max_pixels=10_000)
    made = one_page(612, 792, SQUARE)
    for act in (loader().inspect, lambda d, c: loader().load(d, 0, c)):
        with pytest.raises(LimitExceeded, match="within 10,000 pixels"):
            act(made, ctx)


@given(
    st.floats(0.5, 14400), st.floats(0.5, 14400), st.integers(10_000, 300_000_000),
    st.none() | st.integers(36, 2400), st.none() | st.floats(1, 5000),
)  # fmt: skip
def test_no_page_ever_gets_more_pixels_than_allowed(
    width: float, height: float, most: int, fixed: int | None, scan: float | None
) -> None:
    limits = Limits(max_pixels=most)
    try:
        raster = choose((width, height), limits, "page", fixed=fixed, scan=scan)
    except LimitExceeded:
        return
    assert 1 <= raster.width * raster.height <= most
    assert raster.dpi <= raster.wanted


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "CMYK", "P"])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_scan_is_taken_as_it_is(
    mode: str, rotation: int, scan: Image.Image, tmp_path: Path, ctx: Context,
    document: Callable[[Path], Document],
) -> None:  # fmt: skip
    path = tmp_path / "scan.pdf"
    stored = scan.convert(mode)
    stored.save(path, resolution=100)
    turned = tmp_path / "turned.pdf"
    pdf = pypdfium2.PdfDocument(path)
    pdf[0].set_rotation(rotation)
    pdf.save(str(turned))
    pdf.close()
    made = document(turned)
    (info,) = loader().inspect(made, ctx)
    page = loader().load(made, 0, ctx)
    expected = np.asarray(gray(stored).rotate(-rotation, expand=True)).astype(int)
    assert (info.height, info.width) == (page.height, page.width) == expected.shape
    assert page.dpi == pytest.approx(100, abs=0.1)
    shown = np.asarray(gray(open_image(page, ctx))).astype(int)
    # One-bit and palette scans are lossless in the file; the others are JPEG there.
    assert np.abs(shown - expected).mean() < (1.0 if mode in ("L", "RGB", "CMYK") else 1e-9)
    if mode in ("L", "RGB") and rotation == 0:
        assert page.image.read_bytes() in turned.read_bytes()  # the very JPEG


def picture(
    image: Image.Image, colours: bytes = b"/ColorSpace/DeviceGray/BitsPerComponent 8"
) -> bytes:
    data = image.tobytes()
    return b"<</Type/XObject/Subtype/Image/Width %d/Height %d%s/Length %d>>stream\n%s\nendstream" % (
        image.width, image.height, colours, len(data), data,
    )  # fmt: skip


RESOURCES = (
    b"/Resources<</XObject<</I 5 0 R>>/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
)


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        (b"612 0 0 792 0 0 cm /I Do", True),
        # What OCR leaves: text that is not painted.
        (b"q 612 0 0 792 0 0 cm /I Do Q BT 3 Tr /F 12 Tf 100 100 Td (hi) Tj ET", True),
        # Text that is painted must not be lost.
        (b"q 612 0 0 792 0 0 cm /I Do Q BT /F 12 Tf 100 100 Td (hi) Tj ET", False),
        (b"q 612 0 0 792 0 0 cm /I Do Q 10 10 20 20 re f", False),
        # Half the page, and tilted.
        (b"306 0 0 792 0 0 cm /I Do", False),
        (b"610 20 -20 790 10 0 cm /I Do", False),
        # Reaching over the edge: what is cut off is not part of the page.
        (b"700 0 0 900 -50 -50 cm /I Do", False),
    ],
)
def test_only_a_scan_that_is_the_page_is_taken(
    content: bytes, taken: bool, one_page: Build, scan: Image.Image, ctx: Context
) -> None:
    made = one_page(612, 792, content, picture(scan), extra=RESOURCES)
    (info,) = loader().inspect(made, ctx)
    page = loader().load(made, 0, ctx)
    assert (info.width, info.height) == (page.width, page.height)
    same = page.width == 850 and np.array_equal(np.asarray(open_image(page, ctx)), np.asarray(scan))
    assert same == taken


def test_scans_can_be_rendered_instead(one_page: Build, scan: Image.Image, ctx: Context) -> None:
    made = one_page(612, 792, b"612 0 0 792 0 0 cm /I Do", picture(scan), extra=RESOURCES)
    page = loader(scans=False, dpi=200).load(made, 0, ctx)
    assert (page.width, page.height, page.dpi) == (1700, 2200, 200)


def test_a_page_of_strips_is_rendered_at_their_resolution(
    one_page: Build, scan: Image.Image, ctx: Context
) -> None:
    content = b"q 306 0 0 396 0 396 cm /I Do Q q 306 0 0 396 306 396 cm /I Do Q"
    page = loader().load(one_page(612, 792, content, picture(scan), extra=RESOURCES), 0, ctx)
    assert page.dpi == pytest.approx(200, abs=0.1)


def test_inverted_scans_come_out_as_shown(one_page: Build, scan: Image.Image, ctx: Context) -> None:
    """A decode array turns black to white; the stored samples alone would be a negative."""
    colours = b"/ColorSpace/DeviceGray/BitsPerComponent 8/Decode[1 0]"
    made = one_page(612, 792, b"612 0 0 792 0 0 cm /I Do", picture(scan, colours), extra=RESOURCES)
    shown = gray(open_image(loader().load(made, 0, ctx), ctx))
    assert shown.size == scan.size
    assert abs(np.asarray(shown).astype(int) - (255 - np.asarray(scan).astype(int))).mean() < 3


def test_a_huge_image_is_refused_before_it_is_decoded(one_page: Build, ctx: Context) -> None:
    bomb = (
        b"<</Type/XObject/Subtype/Image/Width 60000/Height 60000/ColorSpace/DeviceGray"
        b"/BitsPerComponent 8/Length 4>>stream\nabcd\nendstream"
    )
    made = one_page(612, 792, b"612 0 0 792 0 0 cm /I Do", bomb, extra=RESOURCES)
    with pytest.raises(LimitExceeded, match="60000 × 60000 pixels"):
        loader().load(made, 0, ctx)


PAGES = b"<</Type/Pages/Kids[%s]/Count %d>>"
BLANK = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"


def test_ten_thousand_pages_are_listed_quickly(build: Build, ctx: Context) -> None:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 10_003))
    made = build(CATALOG, PAGES % (kids, 10_000), *[BLANK] * 10_000)
    began = time.process_time()
    infos = loader().inspect(made, ctx)
    assert time.process_time() - began < 3
    assert [info.index for info in infos] == list(range(10_000))
    assert loader().load(made, 9_999, ctx).index == 9_999


def test_a_page_that_is_broken_leaves_the_others(build: Build, ctx: Context) -> None:
    made = build(CATALOG, PAGES % (b"3 0 R 4 0 R", 2), BLANK, b"null")
    infos = loader(dpi=36).inspect(made, ctx)
    assert len(infos) == 2
    assert loader(dpi=36).load(made, 0, ctx).width == infos[0].width
    with pytest.raises(InputError, match="page 2: the page is damaged"):
        loader(dpi=36).load(made, 1, ctx)
    with pytest.raises(InputError, match="has no page 3"):
        loader(dpi=36).load(made, 2, ctx)


@pytest.mark.parametrize("keep", [0.02, 0.2, 0.5])
def test_a_truncated_document_is_an_input_error(keep: float, build: Build, ctx: Context) -> None:
    made = build(CATALOG, PAGES % (b"3 0 R", 1), BLANK, keep=keep)
    with pytest.raises(InputError, match=r"made\.pdf: not a readable PDF document"):
        loader().inspect(made, ctx)


def test_a_document_without_pages(build: Build, ctx: Context) -> None:
    with pytest.raises(InputError, match="has no pages"):
        loader().inspect(build(CATALOG, PAGES % (b"", 0)), ctx)


def test_a_page_tree_that_bites_its_tail_ends(build: Build, ctx: Context) -> None:
    made = build(CATALOG, PAGES % (b"2 0 R", 1))
    with pytest.raises(InputError, match="damaged"):
        loader().inspect(made, ctx)


def test_a_form_that_draws_itself_ends(one_page: Build, ctx: Context) -> None:
    form = (
        b"<</Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</XObject<</I 5 0 R>>>>"
        b"/Length 5>>stream\n/I Do\nendstream"
    )
    made = one_page(300, 400, b"/I Do", form, extra=RESOURCES)
    assert loader(dpi=72).load(made, 0, ctx).width == 300


def test_passwords(document: Callable[[Path], Document], ctx: Context) -> None:
    locked = document(Path(__file__).parent / "data" / "locked.pdf")
    with pytest.raises(InputError, match=r"encrypted .*pdf\.password-file") as caught:
        loader().inspect(locked, ctx)
    assert caught.value.code == "input-encrypted"
    with pytest.raises(InputError, match="password does not open"):
        loader(password="wrong").load(locked, 0, ctx)
    assert loader(password="music", dpi=72).load(locked, 0, ctx).width == 300


def test_a_password_can_stay_in_a_file(
    document: Callable[[Path], Document], ctx: Context, tmp_path: Path
) -> None:
    locked = document(Path(__file__).parent / "data" / "locked.pdf")
    secret = tmp_path / "secret"
    secret.write_text("music\n")
    assert loader(password_file=str(secret), dpi=72).load(locked, 0, ctx).width == 300
    with pytest.raises(ConfigError, match=r"password file .* cannot be read"):
        loader(password_file=str(tmp_path / "none")).inspect(locked, ctx)


def test_cancelling_stops_the_listing(build: Build, ctx: Context) -> None:
    ctx.cancel.cancel()
    with pytest.raises(Cancelled):
        loader().inspect(build(CATALOG, PAGES % (b"3 0 R", 1), BLANK), ctx)


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    code = "import sys, ensemble_pdf.plugin as p; p.ensemble_loaders(); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pypdfium2", "PIL", "numpy"} & set(shown.stdout.split())


DATA = Path(os.environ.get("ENSEMBLE_DATA", Path(__file__).parents[4] / "shared" / "data")) / "pdf"


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="needs the data folder")
def test_a_real_part(document: Callable[[Path], Document], ctx: Context) -> None:
    made = document(DATA / "mozart-sq7070781-Part-Viola.pdf")
    (info,) = loader().inspect(made, ctx)
    page = loader().load(made, 0, ctx)
    assert (info.width, info.height) == (page.width, page.height) == (2481, 3508)
    dark = (np.asarray(gray(open_image(page, ctx))) < 128).mean()
    assert 0.01 < dark < 0.2
