"""What the tests share: a context, and a page as a loader would give it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ensemble_core.model import Context, Page

MakePage = Callable[[Image.Image], Page]


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    workspace = tmp_path / "work"
    workspace.mkdir()
    return Context(workspace, component="step")


@pytest.fixture
def make_page(tmp_path: Path) -> MakePage:
    """A page with this picture, beside the workspace so that writes into it show."""

    def make(image: Image.Image, **extra: Any) -> Page:
        path = tmp_path / f"source{'.tif' if image.mode in ('CMYK', 'F') else '.png'}"
        image.save(path, **extra)
        return Page(0, path, image.width, image.height)

    return make


def draw_music(width: int = 1200, height: int = 1600, paper: int = 255) -> Image.Image:
    image = Image.new("L", (width, height), paper)
    draw = ImageDraw.Draw(image)
    rng = np.random.default_rng(5)
    for top in range(150, height - 200, 190):
        for line in range(5):
            draw.line([(100, top + 14 * line), (width - 100, top + 14 * line)], fill=0, width=2)
        for x in range(140, width - 120, 50):
            y = top + int(rng.integers(-14, 60))
            draw.ellipse([(x, y), (x + 16, y + 12)], fill=0)
            draw.line([(x + 16, y + 6), (x + 16, y - 44)], fill=0, width=2)
    return image


@pytest.fixture
def music() -> Image.Image:
    """Staves and notes on white, level."""
    return draw_music()


@pytest.fixture
def small_music() -> Image.Image:
    """The same, small: for what has to be tried many times."""
    return draw_music(600, 800)
