"""What every enhancer keeps: the input, the way back to it, depth and colour; and limits."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ensemble_sharpen.deskew import turn
from ensemble_sharpen.plugin import ensemble_preprocessors
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from ensemble_core.imaging import gray, open_image
from ensemble_core.model import (
    Affine,
    Cancelled,
    Context,
    DeadlineExceeded,
    InputError,
    LimitExceeded,
    Limits,
    Page,
    Preprocessor,
)

MakePage = Callable[..., Page]
NAMES = [spec.name for spec in ensemble_preprocessors()]


def component(name: str, **options: Any) -> Preprocessor:
    (spec,) = [spec for spec in ensemble_preprocessors() if spec.name == name]
    made = []
    for target in (spec.target, spec.options):
        module, _, attribute = str(target).partition(":")
        made.append(getattr(importlib.import_module(module), attribute))
    result: Preprocessor = made[0](made[1](**options))
    return result


MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"]


def as_mode(image: Image.Image, mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    if mode in ("LA", "RGBA"):
        # Ink is opaque black, paper fully transparent black: on white it looks as before.
        alpha = image.point([255 - v for v in range(256)])
        clear = Image.new("L", image.size, 0)
        return Image.merge(mode, [clear] * (len(mode) - 1) + [alpha])
    return image.convert(mode)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_comes_out_looking_the_same(
    name: str, mode: str, small_music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    page = make_page(as_mode(small_music, mode))
    before = page.image.read_bytes()
    step = component(name)
    assert isinstance(step, Preprocessor)
    result = step.process(page, ctx)
    assert page.image.read_bytes() == before
    assert [s.component for s in result.history] == ["step"]
    shown = open_image(result, ctx)
    assert shown.size == (result.width, result.height)
    if name in ("deskew", "crop"):
        assert shown.mode == mode  # level and all page: nothing was to be done
    # Brought back to the source, it looks like it: ink where ink was, paper where paper was.
    back = gray(shown).resize(small_music.size, Image.Resampling.BOX)
    blurred = [np.asarray(i.reduce(4)).astype(int) for i in (back, small_music)]
    assert np.abs(blurred[0] - blurred[1]).mean() < 12
    assert np.median(blurred[0]) > 245


@pytest.mark.parametrize("name", NAMES)
def test_what_is_found_can_be_drawn_on_the_source(
    name: str, music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    """A blob on a turned photo: its place in the result maps back to its place in the photo."""
    photo = music.rotate(-4, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    table = Image.new("L", (photo.width + 300, photo.height + 200), 60)
    sheet = Image.new("L", music.size, 255).rotate(-4, expand=True, fillcolor=0)
    table.paste(photo, (200, 60), sheet)
    colour = table.convert("RGB")
    ImageDraw.Draw(colour).ellipse([(700 - 25, 400 - 25), (700 + 25, 400 + 25)], fill=(0, 0, 0))
    page = make_page(colour)
    result = component(name).process(page, ctx)
    dark = np.asarray(gray(open_image(result, ctx))) < 100
    to_result = result.to_source.inverse()
    for radius, wanted in ((19, 1.0), (40, 0.5)):
        # Inside the disc all is ink, in a ring around it there is paper too.
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        places = [to_result(700 + radius * np.cos(a), 400 + radius * np.sin(a)) for a in angles]
        hit = np.mean([dark[int(y), int(x)] for x, y in places])
        assert hit == 1.0 if wanted == 1.0 else hit < 0.9


@pytest.mark.parametrize("name", ["deskew", "crop"])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "I;16"])
def test_depth_and_colour_survive_turning(
    name: str, mode: str, small_music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    turned = small_music.rotate(-3, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    image = as_mode(turned, mode)
    if name == "crop":
        dark = as_mode(Image.new("L", (turned.width + 300, turned.height + 300), 40), mode)
        dark.paste(image, (150, 150))
        image = dark
    shown = open_image(component(name).process(make_page(image), ctx), ctx)
    assert shown.mode == mode
    assert np.median(np.asarray(gray(shown))) > 245
    if mode == "I;16":
        assert np.asarray(shown).max() > 60_000


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, 128, 255])
def test_bare_pages_stay_bare(name: str, value: int, make_page: MakePage, ctx: Context) -> None:
    rng = np.random.default_rng(0)
    noise = np.clip(rng.normal(value, 1.5, (600, 500)), 0, 255).astype(np.uint8)
    result = component(name).process(make_page(Image.fromarray(noise)), ctx)
    shown = np.asarray(gray(open_image(result, ctx))).astype(float)
    assert shown.std() < 15


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 2), (7, 5)])
def test_odd_sizes(name: str, size: tuple[int, int], make_page: MakePage, ctx: Context) -> None:
    result = component(name).process(make_page(Image.new("L", size, 200)), ctx)
    assert open_image(result, ctx).size == (result.width, result.height)


@pytest.mark.parametrize("name", NAMES)
def test_limits_cancelling_and_deadlines(
    name: str, small_music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    page = make_page(small_music)
    ctx.limits = Limits(max_pixels=100)
    with pytest.raises(LimitExceeded):
        component(name).process(page, ctx)
    ctx.limits = Limits()
    ctx.expires = 0.0
    with pytest.raises(DeadlineExceeded):
        component(name).process(page, ctx)
    ctx.cancel.cancel()
    with pytest.raises(Cancelled):
        component(name).process(page, ctx)
    assert not list(ctx.workspace.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_picture_is_an_input_error(
    name: str, small_music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    page = make_page(small_music)
    page.image.write_bytes(page.image.read_bytes()[:900])
    with pytest.raises(InputError, match="damaged"):
        component(name).process(page, ctx)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_page_gives_the_same_bytes(
    name: str, small_music: Image.Image, make_page: MakePage, ctx: Context
) -> None:
    page = make_page(small_music.rotate(-2, Image.Resampling.BICUBIC, fillcolor=255))
    first = component(name).process(page, ctx).image.read_bytes()
    assert component(name).process(page, ctx).image.read_bytes() == first


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    code = (
        "import sys, ensemble_sharpen.plugin as p; p.ensemble_preprocessors(); print(*sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"cv2", "PIL", "numpy"} & set(shown.stdout.split())


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(-44, 44))
def test_a_turned_canvas_holds_the_whole_page(width: int, height: int, angle: float) -> None:
    to_input, size = turn((width, height), angle)
    to_output = to_input.inverse()
    for x, y in ((0, 0), (width, 0), (0, height), (width, height)):
        u, v = to_output(x, y)
        assert -1e-3 <= u <= size[0] + 1e-3
        assert -1e-3 <= v <= size[1] + 1e-3
        assert to_input(u, v) == pytest.approx((x, y), abs=1e-3)


number = st.floats(-1000, 1000)


@given(number, number, number, number, number, number, number, number)
def test_affine_maps_go_there_and_back(
    a: float, b: float, c: float, d: float, e: float, f: float, x: float, y: float
) -> None:
    there = Affine(a, b, c, d, e, f)
    if abs(a * e - b * d) < 1.0:
        return
    assert there.inverse()(*there(x, y)) == pytest.approx((x, y), abs=0.1)
