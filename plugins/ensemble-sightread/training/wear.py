"""What printing, scanning and photographing do to a page, on a crop of it.

``printed`` works at the resolution the pages are stored in, where ink spreads and breaks;
``captured`` at that of the normalised page. A ``Way`` says how much of it: a third of all
crops stay clean.
"""

from __future__ import annotations

import math
import random
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]
CLEAN, SCAN, PHOTO = "clean", "scan", "photo"


def way(r: random.Random) -> str:
    """How a crop came about: exported, scanned or photographed."""
    return r.choices((CLEAN, SCAN, PHOTO), (0.35, 0.45, 0.20))[0]


# ---------------------------------------------------------------- geometry


class Bend:
    """Where the pixels of a flat crop come from: turned, scaled, curled, seen at a slant."""

    def __init__(self, r: random.Random, how: str, side: int) -> None:
        steep = {SCAN: 0.012, PHOTO: 0.035}.get(how, 0.0)
        self.side = side
        self.waves: list[tuple[float, float, float, float, float]] = []
        if steep and r.random() < 0.6:
            for _ in range(2):
                length, angle = r.uniform(0.8, 3.0) * side, r.uniform(0, math.tau)
                height = r.uniform(0, steep) * length / math.tau
                k = math.tau / length
                self.waves.append(
                    (k * math.cos(angle), k * math.sin(angle), r.uniform(0, math.tau),
                     height * 0.4, height)
                )  # fmt: skip
        tilt = {SCAN: 0.004, PHOTO: 0.025}.get(how, 0.0)
        self.slant = (r.gauss(0, tilt) / side, r.gauss(0, tilt) / side)

    def shift(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """How far from a place on the crop its ink lay when flat."""
        u, v = x - self.side / 2, y - self.side / 2
        lean = self.slant[0] * u + self.slant[1] * v
        dx, dy = u * lean, v * lean
        for kx, ky, phase, wide, high in self.waves:
            wave = np.sin(kx * x + ky * y + phase)
            dx, dy = dx + wide * wave, dy + high * wave
        return dx.astype(np.float32), dy.astype(np.float32)

    def place(self, points: Floats) -> Floats:
        """Where points of the flat crop, shape (n, 2), are seen (by iteration)."""
        seen = points.copy()
        for _ in range(4):
            dx, dy = self.shift(seen[:, 0], seen[:, 1])
            seen = points - np.stack([dx, dy], 1)
        return seen


# ---------------------------------------------------------------- noise


@lru_cache(maxsize=8)
def _bank(grain: float) -> Floats:
    """A big picture of noise with a grain size in pixels, mean 0 and deviation 1."""
    size = 768
    shrink = max(1, round(grain / 3))
    noise = np.random.default_rng(int(grain * 10)).normal(size=(size // shrink,) * 2)
    blurred = cv2.GaussianBlur(noise.astype(np.float32), (0, 0), max(grain / shrink, 0.01))
    full = cv2.resize(blurred, (size, size), interpolation=cv2.INTER_CUBIC)
    scaled: Floats = ((full - full.mean()) / full.std()).astype(np.float32)
    return scaled


def noise(r: random.Random, shape: tuple[int, ...], grain: float) -> Floats:
    """Noise of one of a few grains (0, 1, 4, 16, 48), cut at random from a big picture."""
    bank = _bank(grain)
    height, width = shape
    if height > bank.shape[0] or width > bank.shape[1]:
        mirrored = np.block([[bank, bank[:, ::-1]], [bank[::-1], bank[::-1, ::-1]]])
        bank = np.tile(mirrored, (-(-height // len(mirrored)), -(-width // len(mirrored))))
    top, left = r.randint(0, bank.shape[0] - height), r.randint(0, bank.shape[1] - width)
    cut = bank[top : top + height, left : left + width]
    return cut[:: r.choice((1, -1)), :: r.choice((1, -1))]


# ---------------------------------------------------------------- ink


def printed(patch: Gray, r: random.Random, how: str) -> Gray:
    """Fatter, thinner, uneven or broken ink; now and then in black and white alone."""
    if how != CLEAN and r.random() < 0.45:
        return _two_tone(patch, r)
    throw = r.random()
    if throw < 0.14:
        patch = cv2.erode(patch, np.ones((2, 2) if throw < 0.1 else (3, 3), np.uint8))
    elif throw < 0.24:
        patch = cv2.dilate(patch, np.ones((2, 2), np.uint8))
    if how != CLEAN and r.random() < 0.4:
        fade = r.uniform(0.05, 0.3) * noise(r, patch.shape, r.choice((4, 16)))
        ink = (255.0 - patch) * np.clip(0.9 - np.abs(fade), 0.2, 1.0)
        patch = (255.0 - ink).astype(np.uint8)
    return patch


def _two_tone(patch: Gray, r: random.Random) -> Gray:
    """Black and white: blurred, roughened and cut at a level, so that ink spreads or breaks."""
    work = cv2.GaussianBlur(patch, (0, 0), r.uniform(0.6, 1.7)).astype(np.float32)
    work += r.uniform(0, 16) * noise(r, patch.shape, 1)
    work += r.uniform(0, 26) * noise(r, patch.shape, r.choice((4, 16)))
    black = work < r.uniform(115, 200)
    if r.random() < 0.3:
        rough = noise(r, patch.shape, 0)
        black |= rough > r.uniform(2.6, 4.0)
        black &= rough > -r.uniform(2.4, 4.0)
    return np.where(black, np.uint8(0), np.uint8(255))


# ---------------------------------------------------------------- capture


def captured(image: Gray, r: random.Random, how: str, other: Gray | None = None) -> Gray:
    """Light, paper, lens and file; ``other`` is what shines through from the back."""
    if how == CLEAN:
        return _file(image, r) if r.random() < 0.3 else image
    work = image.astype(np.float32)
    if r.random() < 0.5:
        ink, paper = r.uniform(0, 90), r.uniform(190, 255)
        work = ink + work * (paper - ink) / 255
    if other is not None and r.random() < 0.35:
        back = cv2.GaussianBlur(255 - other[:, ::-1], (0, 0), r.uniform(0.6, 2.5))
        work -= r.uniform(0.05, 0.3) * back
    strong = 1.5 if how == PHOTO else 1.0
    if r.random() < 0.3 * strong:
        ramp = np.linspace(r.uniform(-45, 0), r.uniform(-45, 0), len(image), dtype=np.float32)
        work += strong * (ramp[:, None] if r.random() < 0.5 else ramp)
    if r.random() < 0.25 * strong:
        work -= r.uniform(5, 18) * strong * np.abs(noise(r, image.shape, 48))
    if r.random() < 0.12:
        stain = noise(r, image.shape, r.choice((16, 48)))
        work = np.where(stain > r.uniform(1.2, 2.0), work - r.uniform(10, 60), work)
    if r.random() < 0.12 * strong:
        work += _moire(r, image.shape)
    if r.random() < 0.45:
        work += r.uniform(2, 14) * noise(r, image.shape, r.choice((0, 0, 1)))
    out: Gray = np.clip(work, 0, 255).astype(np.uint8)
    if r.random() < 0.35:
        out = cv2.GaussianBlur(out, (0, 0), r.uniform(0.3, 0.8 + 0.4 * (how == PHOTO)))
    if how == PHOTO and r.random() < 0.15:
        out = _shaken(out, r)
    if r.random() < 0.08:
        out = np.where(out > r.uniform(100, 180), np.uint8(255), np.uint8(0))
    if r.random() < 0.08:
        salt = noise(r, image.shape, 0)
        out = np.where(salt > 3.0, np.uint8(0), np.where(salt < -3.0, np.uint8(255), out))
    return _flattened(_file(out, r)) if r.random() < 0.6 else _file(out, r)


def _flattened(image: Gray) -> Gray:
    """Divided by the brightness of the paper around, as pages are before they are read."""
    few = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    paper = cv2.blur(cv2.dilate(few, np.ones((9, 9), np.uint8)), (9, 9))
    paper = cv2.resize(paper, image.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.divide(image, np.maximum(paper, 1), scale=255)


def _moire(r: random.Random, shape: tuple[int, ...]) -> Floats:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle, k = r.uniform(0, math.pi), math.tau / r.uniform(2.3, 7)
    wave: Floats = r.uniform(3, 12) * np.sin(k * (x * math.cos(angle) + y * math.sin(angle)))
    return wave


def _shaken(image: Gray, r: random.Random) -> Gray:
    """Blur along one direction."""
    kernel = np.zeros((5, 5), np.float32)
    angle = r.uniform(0, math.pi)
    for step in np.linspace(-2, 2, 9) * r.uniform(0.3, 0.8):
        kernel[round(2 + step * math.sin(angle)), round(2 + step * math.cos(angle))] += 1
    return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def _file(image: Gray, r: random.Random) -> Gray:
    """Fewer pixels, sharpening, JPEG."""
    high, wide = image.shape
    if r.random() < 0.2:
        less = r.uniform(0.5, 0.9)
        image = cv2.resize(image, None, fx=less, fy=less, interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, (wide, high), interpolation=cv2.INTER_CUBIC)
    if r.random() < 0.15:
        amount = r.uniform(0.5, 1.5)
        blurred = cv2.GaussianBlur(image, (0, 0), 1.0)
        image = cv2.addWeighted(image, 1 + amount, blurred, -amount, 0)
    if r.random() < 0.25:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, r.randint(20, 90)])
        image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    return image
