"""Crops for training: cut from stored pages, scaled, bent and worn on the fly."""

from __future__ import annotations

import math
import os
import random
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import attrs
import cv2
import numpy as np
import torch
import wear
from ensemble_sightread.symbols import KINDS, MASKS, SPACE
from numpy.typing import NDArray

INDEX = {kind: number for number, kind in enumerate(KINDS)}
BITS = np.array([[255 * (byte >> bit & 1) for bit in range(8)] for byte in range(256)], np.uint8)
"""The classes of a byte of a mask, shape (256, 8): 255 where it belongs to one."""
STRIDE = 4
IGNORE = -1
PLAIN = "plain"
# Learnt more slowly than their number suggests: like others, or read in many type faces.
HARD = ("time-", "tuplet-", "rest-whole", "rest-half", "head-whole", "head-breve", "head-x",
        "head-small-half", "fermata", "tenuto", "staccatissimo", "trill", "segno", "coda",
        "clef-percussion", "flag-3-up")  # fmt: skip
# A line of one pixel stays whole; beams, that lie close, stay apart.
LEVELS = np.array([128 if name == "beam" else 60 for name in MASKS], np.uint8)
Gray = NDArray[np.uint8]


class Pages:
    """The pages of a folder; decoded once, the pixels stay on disk until cut from."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache = folder, folder / "cache"
        self.cache.mkdir(exist_ok=True)
        self.names: list[str] = []
        self.kinds: list[np.ndarray] = []
        self.boxes: list[np.ndarray] = []
        self.spaces: list[float] = []
        self.seen: set[str] = set()
        self.refresh()

    def refresh(self) -> None:
        """Take in pages that were added since."""
        for path in sorted(self.folder.glob("*.npz")):
            if path.name in self.seen or path.name.endswith(".tmp.npz"):
                continue
            self.seen.add(path.name)
            data = np.load(path)
            kinds = np.array([INDEX.get(str(k), IGNORE) for k in data["kind"]])
            box, space = data["box"].astype(np.float32), float(data["space"])
            good = (box[:, 2] > box[:, 0]) & (box[:, 3] > box[:, 1])
            self.names.append(path.stem)
            self.kinds.append(kinds[good])
            self.boxes.append(box[good])
            self.spaces.append(space)
        self.places: dict[int, list[tuple[int, int]]] = {}
        for page, kinds in enumerate(self.kinds):
            for number, kind in enumerate(kinds):
                if kind >= 0:
                    self.places.setdefault(int(kind), []).append((page, number))
        self.weights = {
            k: (3 if KINDS[k].startswith(HARD) else 1) / math.sqrt(len(v) + 5)
            for k, v in self.places.items()
        }

    def counts(self) -> Counter[str]:
        """How many of each kind."""
        return Counter({KINDS[k]: len(v) for k, v in self.places.items()})

    def pixels(self, page: int, suffix: str = ".webp") -> Gray:
        """The picture of a page, or with ``.mask.webp`` its masks."""
        name = self.names[page]
        decoded = self.cache / f"{name}{suffix}.npy"
        if not decoded.exists():
            image = cv2.imread(str(self.folder / f"{name}{suffix}"), cv2.IMREAD_GRAYSCALE)
            part = self.cache / f"{name}{suffix}.{os.getpid()}.npy"
            np.save(part, image)
            part.replace(decoded)
        stored: Gray = np.load(decoded, mmap_mode="r")
        return stored

    def pick(self, r: random.Random, spread: float) -> tuple[int, float, float]:
        """(page, x, y) to cut around: a rare sign, any sign, or anywhere."""
        throw = r.random()
        if throw < 0.6:
            kind = r.choices(list(self.weights), list(self.weights.values()))[0]
            page, number = r.choice(self.places[kind])
        else:
            page = r.randrange(len(self.names))
            number = r.randrange(len(self.boxes[page]))
        if throw > 0.93:
            height, width = self.pixels(page).shape
            return page, r.uniform(0, width), r.uniform(0, height)
        left, top, right, bottom = self.boxes[page][number]
        return (
            page, (left + right) / 2 + r.uniform(-spread, spread),
            (top + bottom) / 2 + r.uniform(-spread, spread),
        )  # fmt: skip


@attrs.frozen(eq=False)
class Crop:
    """A crop as it is seen.

    Attributes:
        image: (side, side) gray.
        masks: (side / 2, side / 2), a bit per class.
        kinds: (n,) indices of kinds, or IGNORE.
        boxes: (n, 4) centre x, y, width, height in pixels.
    """

    image: Gray
    masks: Gray
    kinds: np.ndarray
    boxes: np.ndarray


def cut(pages: Pages, r: random.Random, side: int, how: str = "") -> Crop:
    """One crop of ``side``² pixels around a place drawn at random."""
    page, x, y = pages.pick(r, 0.4 * side * 1.6)
    space = r.triangular(8.6, 11.6, 10.0)
    return view(pages, r, page, (x, y), side, how or wear.way(r), space)


def view(
    pages: Pages, r: random.Random, page: int, centre: tuple[float, float], side: int, how: str,
    space: float = SPACE,
) -> Crop:  # fmt: skip
    """A square of a page as it is seen.

    Args:
        pages: The pages.
        r: Where chance comes from.
        page: Which page.
        centre: The middle of the square, in pixels of the stored page.
        side: Pixels of its sides, a multiple of 4.
        how: The way it came about (see ``wear``), or ``PLAIN``: as it is stored.
        space: Staff space wanted, in pixels.
    """
    stored, thin = pages.pixels(page), pages.pixels(page, ".mask.webp")
    scale, here = space / pages.spaces[page], np.array(centre, np.float32)
    matrix = _turned(r, scale) if how != PLAIN else np.eye(2, dtype=np.float32) * scale
    bend = wear.Bend(r, how, side)
    u, v = _grid(side)
    dx, dy = bend.shift(u, v)
    back = np.linalg.inv(matrix).astype(np.float32)
    flat = np.dstack([u + (dx - side / 2), v + (dy - side / 2)])
    source = cv2.transform(flat, np.concatenate([back, here[:, None]], 1))
    left, top, right, bottom = _around(source, 8)
    patch = _window(stored, left, top, right, bottom, 255)
    if how != PLAIN:
        patch = wear.printed(patch, r, how)
    patch = cv2.GaussianBlur(patch, (0, 0), r.uniform(0.35, 0.75) / scale * 0.8)
    image = cv2.remap(
        patch, source - np.array([left, top], np.float32), None, cv2.INTER_LINEAR, borderValue=255
    )
    if how != PLAIN:
        other = _back(pages, r, side) if how != wear.CLEAN and r.random() < 0.4 else None
        image = wear.captured(image, r, how, other)
    box = pages.boxes[page]
    middle = (box[:, :2] + box[:, 2:]) / 2 - here
    moved = bend.place((middle @ matrix.T + side / 2).astype(np.float32))
    inside = ((moved >= 0) & (moved < side)).all(1)
    size = (box[:, 2:] - box[:, :2]) * scale
    return Crop(
        image, _thin(thin, stored, source), pages.kinds[page][inside],
        np.concatenate([moved[inside], size[inside]], 1),
    )  # fmt: skip


@lru_cache(maxsize=2)
def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """The x and y of each pixel of a square."""
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    return x, y


def _turned(r: random.Random, scale: float) -> np.ndarray:
    """A scaling with a little turn and stretch."""
    angle = r.gauss(0, 0.6) if r.random() < 0.5 else 0.0
    angle = math.radians(max(-1.8, min(1.8, angle)))
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    return np.array([[cos * r.uniform(0.97, 1.03), -sin], [sin, cos]], np.float32)


def _around(places: np.ndarray, margin: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of places (h, w, 2); bent crops are widest at their edges."""
    edges = np.concatenate([places[0], places[-1], places[:, 0], places[:, -1]])
    low, high = edges.min(0), edges.max(0)
    return (
        int(low[0]) - margin, int(low[1]) - margin, int(high[0]) + margin, int(high[1]) + margin
    )  # fmt: skip


def _window(stored: Gray, left: int, top: int, right: int, bottom: int, empty: int) -> Gray:
    """A part of a picture that may reach over its edges."""
    patch = np.full((bottom - top, right - left), empty, np.uint8)
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(right, stored.shape[1]), min(bottom, stored.shape[0])
    if x2 > x1 and y2 > y1:
        patch[y1 - top : y2 - top, x1 - left : x2 - left] = stored[y1:y2, x1:x2]
    return patch


def _thin(thin: Gray, stored: Gray, source: np.ndarray) -> Gray:
    """The masks as seen, at half the size of the crop."""
    half = (source[::2, ::2] + source[1::2, 1::2]) / 2
    half = (half + 0.5) * (thin.shape[1] / stored.shape[1]) - 0.5
    left, top, right, bottom = _around(half, 3)
    patch = _window(thin, left, top, right, bottom, 0)
    # blurred, as the pixels wanted lie farther apart than lines are thick
    bits = cv2.blur(np.take(BITS, patch, axis=0), (3, 3))
    at = (half - np.array([left, top])).astype(np.float32)
    seen = np.concatenate(
        [cv2.remap(bits[..., :4], at, None, cv2.INTER_LINEAR),
         cv2.remap(bits[..., 4:], at, None, cv2.INTER_LINEAR)], axis=2,
    )  # fmt: skip
    weights = np.array([1 << i for i in range(8)], np.float32)[None]
    return cv2.transform((seen > LEVELS).view(np.uint8), weights)


def _back(pages: Pages, r: random.Random, side: int) -> Gray:
    """A piece of another page, roughly in scale."""
    page = r.randrange(len(pages.names))
    stored = pages.pixels(page)
    far = round(side * pages.spaces[page] / 10)
    top, left = (
        r.randrange(max(stored.shape[0] - far, 1)),
        r.randrange(max(stored.shape[1] - far, 1)),
    )
    patch = _window(stored, left, top, left + far, top + far, 255)
    return cv2.resize(patch, (side, side), interpolation=cv2.INTER_AREA)


def target(
    kinds: np.ndarray, boxes: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heat maps (K, h, w; 0 to 255), regression (4, h, w: offset x, y, log w, h), where (h, w).

    Boxes are centre x, y, width, height in pixels. ``where`` is 1 at a centre, -1 to ignore.
    """
    cells = side // STRIDE
    heat = np.zeros((len(KINDS), cells, cells), np.uint8)
    regress = np.zeros((4, cells, cells), np.float16)
    where = np.zeros((cells, cells), np.int8)
    order = np.argsort(-(boxes[:, 2] * boxes[:, 3])) if len(boxes) else []
    for number in order:
        x, y, w, h = boxes[number]
        if kinds[number] < 0:
            x1, y1 = int(max(x - w / 2, 0) / STRIDE), int(max(y - h / 2, 0) / STRIDE)
            where[y1 : int((y + h / 2) / STRIDE) + 1, x1 : int((x + w / 2) / STRIDE) + 1] = -1
            continue
        cx, cy = x / STRIDE, y / STRIDE
        ix, iy = min(int(cx), cells - 1), min(int(cy), cells - 1)
        sx = min(max(0.10 * w / STRIDE, 0.55), 1.2)
        sy = min(max(0.10 * h / STRIDE, 0.55), 1.2)
        x1, x2, y1, y2 = max(ix - 3, 0), min(ix + 4, cells), max(iy - 3, 0), min(iy + 4, cells)
        gx = np.exp(-((np.arange(x1, x2) - ix) ** 2) / (2 * sx * sx))
        gy = np.exp(-((np.arange(y1, y2) - iy) ** 2) / (2 * sy * sy))
        area = heat[kinds[number], y1:y2, x1:x2]
        np.maximum(area, (254 * gy[:, None] * gx).astype(np.uint8), out=area)
        heat[kinds[number], iy, ix] = 255
        regress[:, iy, ix] = cx - ix - 0.5, cy - iy - 0.5, math.log(w / 10), math.log(h / 10)
        where[iy, ix] = 1
    return heat, regress, where


class Crops(torch.utils.data.IterableDataset):  # type: ignore[type-arg]
    """Endless crops; looks for new pages now and then."""

    def __init__(self, folder: Path, seed: int, side: int) -> None:
        self.folder, self.seed, self.side = folder, seed, side

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        cv2.setNumThreads(1)
        info = torch.utils.data.get_worker_info()
        r = random.Random(self.seed * 31 + (info.id if info else 0))
        pages = Pages(self.folder)
        count = 0
        while True:
            count += 1
            if count % 1500 == 0:
                pages.refresh()
            crop = cut(pages, r, self.side)
            yield crop.image[None], crop.masks, *target(crop.kinds, crop.boxes, self.side)
