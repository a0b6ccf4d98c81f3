"""Crops for training: cut from stored pages, scaled, turned and worn on the fly."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from ensemble_sightread.symbols import KINDS

INDEX = {kind: number for number, kind in enumerate(KINDS)}
STRIDE = 4
CROP = 256
IGNORE = -1
# Learnt more slowly than their number suggests: like others, or read in many type faces.
HARD = ("time-", "tuplet-", "rest-whole", "rest-half", "head-whole", "head-breve", "head-x",
        "head-small-half", "fermata", "tenuto", "staccatissimo", "trill", "segno", "coda",
        "clef-percussion", "flag-3-up")  # fmt: skip


class Pages:
    """The pages of a folder, pixels left on disk until cut from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images: list[Path] = []
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
            self.images.append(path.with_suffix(".npy"))
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

    def pick(self, r: random.Random) -> tuple[int, float, float]:
        """(page, x, y) to cut around: a rare sign, any sign, or anywhere."""
        throw = r.random()
        if throw < 0.6:
            kind = r.choices(list(self.weights), list(self.weights.values()))[0]
            page, number = r.choice(self.places[kind])
        else:
            page = r.randrange(len(self.images))
            number = r.randrange(len(self.boxes[page]))
        left, top, right, bottom = self.boxes[page][number]
        if throw > 0.93:
            height, width = np.load(self.images[page], mmap_mode="r").shape
            return page, r.uniform(0, width), r.uniform(0, height)
        spread = 0.4 * CROP * 1.6
        return (
            page, (left + right) / 2 + r.uniform(-spread, spread),
            (top + bottom) / 2 + r.uniform(-spread, spread),
        )  # fmt: skip


def cut(
    pages: Pages, r: random.Random
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # image, kinds, boxes
    """One crop of CROP² pixels with the kinds and boxes of what is on it."""
    page, x, y = pages.pick(r)
    stored = np.load(pages.images[page], mmap_mode="r")
    scale = r.uniform(9.0, 11.3) / pages.spaces[page]
    angle = r.gauss(0, 0.6) if r.random() < 0.5 else 0.0
    angle = math.radians(max(-1.8, min(1.8, angle)))
    reach = int(CROP / scale * 0.75)
    left, top = int(x) - reach, int(y) - reach
    patch = np.full((2 * reach, 2 * reach), 255, np.uint8)
    x1, y1 = max(left, 0), max(top, 0)
    x2 = min(left + 2 * reach, stored.shape[1])
    y2 = min(top + 2 * reach, stored.shape[0])
    if x2 > x1 and y2 > y1:
        patch[y1 - top : y2 - top, x1 - left : x2 - left] = stored[y1:y2, x1:x2]
    patch = worn_print(patch, r)
    sigma = r.uniform(0.35, 0.75) / scale * 0.8
    patch = cv2.GaussianBlur(patch, (0, 0), sigma)
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    aspect = r.uniform(0.96, 1.04)
    matrix = np.array([[cos * aspect, -sin, 0], [sin, cos, 0]], np.float32)
    matrix[:, 2] = CROP / 2 - matrix[:, :2] @ np.array([reach, reach], np.float32)
    image = cv2.warpAffine(patch, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR, borderValue=255)
    box = pages.boxes[page] - np.array([left, top, left, top], np.float32)
    centre = np.stack([(box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2], 1)
    moved = centre @ matrix[:, :2].T + matrix[:, 2]
    size = np.stack([box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]], 1) * scale
    inside = ((moved >= 0) & (moved < CROP)).all(1)
    return (
        degrade(image, r), pages.kinds[page][inside],
        np.concatenate([moved[inside], size[inside]], 1),
    )  # fmt: skip


def worn_print(patch: np.ndarray, r: random.Random) -> np.ndarray:
    """Fatter or thinner ink, at the stored resolution."""
    throw = r.random()
    if throw < 0.18:
        return cv2.erode(patch, np.ones((2, 2) if throw < 0.12 else (3, 3), np.uint8))
    if throw < 0.28:
        return cv2.dilate(patch, np.ones((2, 2), np.uint8))
    return patch


def degrade(image: np.ndarray, r: random.Random) -> np.ndarray:
    """What printing, scanning and photographing do to a picture."""
    if r.random() < 0.25:
        return image
    noise = np.random.default_rng(r.getrandbits(32))
    if r.random() < 0.2:
        small = r.uniform(0.6, 0.9)
        image = cv2.resize(image, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, (CROP, CROP), interpolation=cv2.INTER_CUBIC)
    if r.random() < 0.35:
        image = cv2.GaussianBlur(image, (0, 0), r.uniform(0.3, 1.0))
    if r.random() < 0.15:
        amount = r.uniform(0.5, 1.5)
        blurred = cv2.GaussianBlur(image, (0, 0), 1.0)
        image = cv2.addWeighted(image, 1 + amount, blurred, -amount, 0)
    work = image.astype(np.float32)
    if r.random() < 0.5:
        ink, paper = r.uniform(0, 90), r.uniform(195, 255)
        work = ink + work * (paper - ink) / 255
    if r.random() < 0.2:
        ramp = np.linspace(r.uniform(-40, 0), r.uniform(-40, 0), CROP, dtype=np.float32)
        work += ramp[:, None] if r.random() < 0.5 else ramp
    if r.random() < 0.4:
        grain = noise.normal(0, r.uniform(3, 18), image.shape).astype(np.float32)
        work += cv2.GaussianBlur(grain, (0, 0), 0.8) * 2 if r.random() < 0.5 else grain
    if r.random() < 0.18:
        level = r.uniform(100, 190)
        work = np.where(work > level, 255, 0).astype(np.float32)
        if r.random() < 0.5:
            work[noise.random(image.shape) < r.uniform(0, 0.004)] = 0
    image = np.clip(work, 0, 255).astype(np.uint8)
    if r.random() < 0.2:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, r.randint(25, 90)])
        image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    return image


def target(kinds: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heat maps (K, h, w), regression (4, h, w: offset x, y, log w, log h) and its mask (h, w).

    Boxes are centre x, y, width, height in pixels. Mask values below 0 mean: ignore here.
    """
    side = CROP // STRIDE
    heat = np.zeros((len(KINDS), side, side), np.float32)
    regress = np.zeros((4, side, side), np.float32)
    mask = np.zeros((side, side), np.float32)
    order = np.argsort(-(boxes[:, 2] * boxes[:, 3])) if len(boxes) else []
    for number in order:
        x, y, w, h = boxes[number]
        if kinds[number] < 0:
            x1, y1 = int(max(x - w / 2, 0) / STRIDE), int(max(y - h / 2, 0) / STRIDE)
            mask[y1 : int((y + h / 2) / STRIDE) + 1, x1 : int((x + w / 2) / STRIDE) + 1] = -1
            continue
        cx, cy = x / STRIDE, y / STRIDE
        ix, iy = min(int(cx), side - 1), min(int(cy), side - 1)
        sx = min(max(0.10 * w / STRIDE, 0.55), 1.2)
        sy = min(max(0.10 * h / STRIDE, 0.55), 1.2)
        x1, x2, y1, y2 = max(ix - 3, 0), min(ix + 4, side), max(iy - 3, 0), min(iy + 4, side)
        gx = np.exp(-((np.arange(x1, x2) - ix) ** 2) / (2 * sx * sx))
        gy = np.exp(-((np.arange(y1, y2) - iy) ** 2) / (2 * sy * sy))
        area = heat[kinds[number], y1:y2, x1:x2]
        np.maximum(area, gy[:, None] * gx, out=area)
        regress[:, iy, ix] = cx - ix - 0.5, cy - iy - 0.5, math.log(w / 10), math.log(h / 10)
        mask[iy, ix] = 1
    return heat, regress, mask


class Crops(torch.utils.data.IterableDataset):  # type: ignore[type-arg]
    """Endless crops; looks for new pages now and then."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed

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
            image, kinds, boxes = cut(pages, r)
            heat, regress, mask = target(kinds, boxes)
            yield image[None], heat.astype(np.float16), regress, mask
