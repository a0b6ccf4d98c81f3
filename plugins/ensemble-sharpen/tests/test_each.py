"""What each enhancer is for."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from ensemble_sharpen.binarize import Binarize
from ensemble_sharpen.crop import Crop
from ensemble_sharpen.deskew import Deskew
from ensemble_sharpen.enhance import Enhance
from ensemble_sharpen.flatten import Flatten
from ensemble_sharpen.options import (
    BinarizeOptions,
    CropOptions,
    DeskewOptions,
    EnhanceOptions,
    FlattenOptions,
    SharpenOptions,
)
from ensemble_sharpen.sharpen import Sharpen
from ensemble_sharpen.skew import slope
from PIL import Image

from ensemble_core.imaging import gray, open_image
from ensemble_core.model import Context, Message, Page

MakePage = Callable[..., Page]


@pytest.mark.parametrize(
    ("width", "expected"), [(600, 900), (1500, 1800), (1800, 1800), (2400, 2400)]
)
def test_sharpen_magnifies_small_pages_only(
    width: int, expected: int, make_page: MakePage, ctx: Context
) -> None:
    page = make_page(Image.new("RGB", (width, 500), "white"))
    result = Sharpen(SharpenOptions()).process(page, ctx)
    assert (result.width, result.height) == (expected, round(500 * expected / width))
    assert open_image(result, ctx).mode == "L"
    assert result.to_source(result.width, result.height) == pytest.approx((width, 500))


def test_sharpen_makes_faint_ink_black_and_edges_steeper(
    music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    faint = Image.fromarray(cv2.GaussianBlur(np.asarray(music), (0, 0), 1.0) // 3 + 140)
    result = Sharpen(SharpenOptions(max_scale=1.0)).process(make_page(faint), ctx)
    shown = np.asarray(open_image(result, ctx)).astype(int)
    assert np.percentile(shown, 1) < 30
    assert np.percentile(shown, 90) > 240
    plain = Sharpen(SharpenOptions(max_scale=1.0, sigma=0.0)).process(make_page(faint), ctx)
    steps = [np.abs(np.diff(s.astype(int), axis=0)).mean() for s in (shown, _array(plain, ctx))]
    assert steps[0] > 1.1 * steps[1]


def _array(page: Page, ctx: Context) -> np.ndarray:
    return np.asarray(gray(open_image(page, ctx)))


def test_enhance_fits_and_enriches(make_page: MakePage, ctx: Context) -> None:
    result = Enhance(EnhanceOptions()).process(
        make_page(Image.new("RGB", (3000, 1500), (120, 100, 80))), ctx
    )
    assert (result.width, result.height) == (2000, 1000)
    red, green, blue = open_image(result, ctx).getpixel((500, 500))
    assert red > 1.05 * 120  # brighter
    assert (red - blue) > 1.15 * (120 - 80)  # and richer
    assert red > green > blue


@pytest.mark.parametrize("angle", [-11.3, -2.0, -0.37, 0.11, 0.52, 1.7, 7.9])
def test_deskew_finds_the_angle_to_a_tenth_of_a_degree(
    angle: float, music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    turned = music.rotate(-angle, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert slope(turned, 15.0, lambda: None) == pytest.approx(angle, abs=0.05)
    result = Deskew(DeskewOptions()).process(make_page(turned), ctx)
    again = slope(open_image(result, ctx), 15.0, lambda: None)
    assert again == pytest.approx(0.0, abs=0.05)


def test_deskew_reads_through_noise_and_shadow(
    music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    turned = np.asarray(music.rotate(-3.3, Image.Resampling.BICUBIC, expand=True, fillcolor=255))
    shade = np.linspace(0.35, 1.0, turned.shape[1])[None, :]
    noisy = turned * shade + np.random.default_rng(1).normal(0, 8, turned.shape)
    image = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    assert slope(image, 15.0, lambda: None) == pytest.approx(3.3, abs=0.1)


def test_deskew_leaves_a_level_page_byte_for_byte(
    music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    page = make_page(music)
    result = Deskew(DeskewOptions()).process(page, ctx)
    assert result.image == page.image
    assert result.to_source == page.to_source


def test_deskew_says_when_there_is_nothing_to_go_by(make_page: MakePage, ctx: Context) -> None:
    told: list[Message] = []
    ctx.send = told.append
    grain = np.random.default_rng(0).integers(0, 255, (800, 600), np.uint8)
    page = make_page(Image.fromarray(grain))
    assert Deskew(DeskewOptions()).process(page, ctx).image == page.image
    assert [m["code"] for m in told if m["type"] == "diagnostic"] == ["no-slope"]


@pytest.mark.parametrize("depth", [8, 16])
def test_flatten_removes_a_shadow(
    depth: int, music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    y, x = np.mgrid[0 : music.height, 0 : music.width]
    shade = 0.4 + 0.6 * (x / music.width) * (0.5 + 0.5 * y / music.height)
    lit = np.asarray(music) * shade
    page = make_page(
        Image.fromarray((lit * 257).astype(np.uint16) if depth == 16 else lit.astype(np.uint8))
    )
    result = Flatten(FlattenOptions()).process(page, ctx)
    assert open_image(result, ctx).mode == ("I;16" if depth == 16 else "L")
    flat = _array(result, ctx)
    paper, ink = flat[np.asarray(music) == 255], flat[np.asarray(music) == 0]
    assert np.percentile(paper, 5) > 235
    assert np.percentile(ink, 95) < 40


def test_flatten_takes_the_colour_cast_away(
    music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    yellow = (np.asarray(music)[..., None] * np.array([0.9, 0.8, 0.5])).astype(np.uint8)
    result = Flatten(FlattenOptions()).process(make_page(Image.fromarray(yellow)), ctx)
    paper = np.median(np.asarray(open_image(result, ctx)).reshape(-1, 3), axis=0)
    assert paper.min() > 250


@pytest.mark.parametrize(("method", "limit"), [("sauvola", 0.01), ("otsu", 0.01)])
def test_binarize_separates_ink_from_paper(
    method: str, limit: float, music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    soft = cv2.GaussianBlur(np.asarray(music), (0, 0), 0.7).astype(float) * 0.6 + 60
    soft += np.random.default_rng(2).normal(0, 4, soft.shape)
    page = make_page(Image.fromarray(soft.clip(0, 255).astype(np.uint8)))
    result = Binarize(BinarizeOptions(method=method)).process(page, ctx)
    shown = open_image(result, ctx)
    assert shown.mode == "1"
    assert (np.asarray(shown) != (np.asarray(music) > 127)).mean() < limit


def test_sauvola_reads_what_one_threshold_cannot(
    music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    shade = np.linspace(0.25, 1.0, music.width)[None, :]
    page = make_page(Image.fromarray((np.asarray(music) * shade * 0.8 + 20).astype(np.uint8)))
    truth = np.asarray(music) > 127
    wrong = {
        method: (np.asarray(open_image(Binarize(BinarizeOptions(method=method)).process(page, ctx), ctx))
                 != truth).mean()
        for method in ("sauvola", "otsu")
    }  # fmt: skip
    assert wrong["sauvola"] < 0.02 < wrong["otsu"]


def photograph(
    music: Image.Image, corners: list[tuple[float, float]], size: tuple[int, int]
) -> Image.Image:
    """A sheet seen in perspective on a dark table; corners clockwise from top left."""
    width, height = music.size
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, np.array(corners, np.float32))
    table = (
        np.random.default_rng(4).normal(70, 10, (size[1], size[0])).clip(0, 255).astype(np.uint8)
    )
    sheet = cv2.warpPerspective(np.asarray(music), matrix, size, flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size)
    return Image.fromarray(np.where(mask > 127, sheet, table))


def test_crop_cuts_a_turned_sheet_out_and_turns_it_upright(
    music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    turn = np.radians(5)
    cos, sin = np.cos(turn), np.sin(turn)
    corners = [
        (300 + x * cos - y * sin, 150 + x * sin + y * cos)
        for x, y in ((0, 0), (1200, 0), (1200, 1600), (0, 1600))
    ]
    photo = photograph(music, corners, (1800, 2000))
    told: list[Message] = []
    ctx.send = told.append
    result = Crop(CropOptions()).process(make_page(photo), ctx)
    assert (result.width, result.height) == (pytest.approx(1200, abs=8), pytest.approx(1600, abs=8))
    assert result.to_source(0, 0) == (pytest.approx(300, abs=6), pytest.approx(150, abs=6))
    assert abs(slope(open_image(result, ctx), 15.0, lambda: None) or 0.0) < 0.3
    assert not [m for m in told if m["type"] == "diagnostic"]
    # No table is left, not even in the corners.
    assert (np.asarray(gray(open_image(result, ctx)))[:8].mean()) > 240


def test_crop_says_that_perspective_stays(
    music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    corners = [(400.0, 200.0), (1300.0, 200.0), (1550.0, 1800.0), (150.0, 1800.0)]
    told: list[Message] = []
    ctx.send = told.append
    result = Crop(CropOptions()).process(make_page(photograph(music, corners, (1700, 2000))), ctx)
    assert [m["code"] for m in told if m["type"] == "diagnostic"] == ["perspective-left"]
    assert result.width == pytest.approx(1400, abs=10)


def test_crop_leaves_a_scan_alone(music: Image.Image, make_page: MakePage, ctx: Context) -> None:
    page = make_page(music)
    assert Crop(CropOptions()).process(page, ctx).image == page.image


def test_steps_add_up(music: Image.Image, make_page: MakePage, ctx: Context) -> None:
    """After a crop, a turn and a magnification a place still leads back to the photo."""
    photo = Image.new("L", (1700, 2100), 50)
    photo.paste(music.rotate(-2, Image.Resampling.BICUBIC, fillcolor=255), (250, 300))
    page = make_page(photo)
    result = page
    for name, step in (
        ("crop", Crop(CropOptions())),
        ("deskew", Deskew(DeskewOptions())),
        ("sharpen", Sharpen(SharpenOptions())),
    ):
        ctx.component = name
        result = step.process(result, ctx)
    assert [s.component for s in result.history] == ["crop", "deskew", "sharpen"]
    x, y = result.to_source.inverse()(850, 1100)
    around = open_image(result, ctx).crop((int(x) - 60, int(y) - 60, int(x) + 60, int(y) + 60))
    matrix = result.to_source
    drawn = photo.transform(
        (result.width, result.height), Image.Transform.AFFINE,
        (matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f), Image.Resampling.BICUBIC,
    )  # fmt: skip
    expected = drawn.crop((int(x) - 60, int(y) - 60, int(x) + 60, int(y) + 60))
    both = [cv2.GaussianBlur(np.asarray(i).astype(float), (0, 0), 1) for i in (around, expected)]
    assert np.corrcoef(both[0].ravel(), both[1].ravel())[0, 1] > 0.95
