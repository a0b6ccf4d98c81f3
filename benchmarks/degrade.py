"""Scans and photos of clean pages, for measuring; the same seed gives the same picture.

A scan has 200 dpi, is a little askew, blurred and noisy, with ink that is thick here and
thin there, and is now and then black and white only. A photo is taken at an angle, in
uneven light, by a hand that is not quite still, and kept as JPEG. Neither is made by the
code that makes training pages, nor with its numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

Gray = np.ndarray[Any, np.dtype[np.float32]]
SCAN_DPI = 200


def read_gray(path: Path) -> Gray:
    """A picture on white paper, 0 (ink) to 255, height × width."""
    from PIL import Image

    with Image.open(path) as picture:
        colours = picture.convert("RGBA")
    paper = Image.new("RGBA", colours.size, "white")
    return np.asarray(Image.alpha_composite(paper, colours).convert("L"), dtype=np.float32)


def clouds(shape: tuple[int, int], grain: int, r: np.random.Generator) -> Gray:
    """Smooth noise, mean 0 and deviation 1, whose spots are ``grain`` pixels wide."""
    small = (shape[0] // grain + 3, shape[1] // grain + 3)
    field = cv2.resize(
        r.standard_normal(small).astype(np.float32), (shape[1], shape[0]),
        interpolation=cv2.INTER_CUBIC,
    )  # fmt: skip
    return (field - field.mean()) / (field.std() + 1e-6)


def uneven_ink(page: Gray, strength: float, r: np.random.Generator) -> Gray:
    """Ink that spreads in some places and is thin in others; staff lines stay visible.

    The level is nearer to paper than to ink: after the blur a staff line of two pixels is
    only half dark.
    """
    soft = cv2.GaussianBlur(page, (0, 0), 1.0)
    level = 168 + strength * clouds(page.shape, 160, r) + 0.6 * strength * clouds(page.shape, 9, r)
    return np.clip((soft - level) * 1.8 + 128, 0, 255).astype(np.float32)


def skew(page: Gray, degrees: float) -> Gray:
    """Turned about its middle, on paper."""
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=255)
    return np.clip(turned, 0, 255).astype(np.float32)


def scan(page: Gray, seed: int, dpi: int = 300) -> np.ndarray[Any, Any]:
    """A scan of a page at ``dpi``; gives uint8, only 0 and 255 for one in four."""
    r = np.random.default_rng([seed, 1])
    inked = uneven_ink(page, r.uniform(6, 18), r)
    turned = skew(inked, r.uniform(0.2, 1.5) * r.choice([-1, 1]))
    size = (round(page.shape[1] * SCAN_DPI / dpi), round(page.shape[0] * SCAN_DPI / dpi))
    small = cv2.resize(turned, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), r.uniform(0.4, 0.8))
    black, white = r.uniform(15, 60), r.uniform(215, 245)
    toned = black + small * (white - black) / 255 + r.uniform(2, 6) * clouds(small.shape, 300, r)
    noisy = toned + r.normal(0, r.uniform(3, 9), small.shape)
    if r.random() < 0.25:
        return np.where(noisy > r.uniform(150, 195), 255, 0).astype(np.uint8)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def photo(page: Gray, seed: int) -> np.ndarray[Any, Any]:
    """A photo of a page; gives uint8 BGR. The whole page is in the picture."""
    r = np.random.default_rng([seed, 2])
    height, width = page.shape
    inked = uneven_ink(page, r.uniform(3, 10), r)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    away = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32)
    moved = corners + away * r.uniform(0.005, 0.055, (4, 2)) * [width, height]
    bend = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    desk = r.uniform(40, 110)
    seen = cv2.warpPerspective(
        inked * 0.9 + 15, bend, (width, height), flags=cv2.INTER_LINEAR, borderValue=desk
    )
    seen = cv2.GaussianBlur(seen, (0, 0), r.uniform(0.8, 1.7))
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    angle = r.uniform(0, 2 * np.pi)
    slope = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
    light = 1 - r.uniform(0.2, 0.5) * (slope + 0.5) + 0.04 * clouds(page.shape, 700, r)
    lit = seen * np.clip(light, 0.25, 1.1) + r.normal(0, r.uniform(2, 6), page.shape)
    warm = np.array([r.uniform(0.8, 0.95), r.uniform(0.93, 0.99), 1.0], np.float32)
    return np.clip(lit[:, :, None] * warm, 0, 255).astype(np.uint8)


def write_scan(page: Path, out: Path, seed: int) -> None:
    """Make the scan of a page of 300 dpi: PNG, 200 dpi."""
    from PIL import Image

    picture = Image.fromarray(scan(read_gray(page), seed))
    if set(picture.getextrema()) == {0, 255} and len(picture.getcolors(256) or []) == 2:
        picture = picture.convert("1", dither=Image.Dither.NONE)
    picture.save(out, format="PNG", dpi=(SCAN_DPI, SCAN_DPI))


def write_photo(page: Path, out: Path, seed: int) -> None:
    """Make the photo of a page: JPEG."""
    from PIL import Image

    quality = int(np.random.default_rng([seed, 3]).integers(55, 86))
    picture = photo(read_gray(page), seed)[:, :, ::-1]
    Image.fromarray(np.ascontiguousarray(picture)).save(out, format="JPEG", quality=quality)
