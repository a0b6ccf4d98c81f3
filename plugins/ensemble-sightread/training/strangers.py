"""What stands near text and is none: signs of music, strokes, bits of lines, stains."""

from __future__ import annotations

import random
import re
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from ensemble_sightread.letters import strip
from lines import Gray, Line, neighbours, wear
from masks import FONTS

PER_SPACE = 20.0
"""Pixels of a staff space of the signs' pictures."""
DYNAMICS = tuple(range(0xE520, 0xE53E))
OTHERS = (
    *range(0xE260, 0xE265), *range(0xE4A0, 0xE4B0), 0xE4C0, 0xE4C1, *range(0xE566, 0xE56E),
    *range(0xE610, 0xE614), 0xE650, 0xE655, 0xE0A2, 0xE0A3, 0xE0A4, *range(0xE4E3, 0xE4E8),
    0xE4CE, 0xE047, 0xE048, 0xE050, 0xE05C, 0xE062, 0xE240, 0xE241, 0xE242,
)  # fmt: skip
"""SMuFL code points of signs that stand outside staves."""


def stranger(r: random.Random) -> Line:
    """Something that is no text: a sign of music, a bit of a line, a stain."""
    height = r.uniform(8, 22)
    canvas = np.full((int(height * 8), int(height * r.uniform(5, 9))), 255, np.uint8)
    base = canvas.shape[0] * 0.6
    if signs() and r.random() < 0.65:
        canvas = _sign(canvas, base, height, r)
    elif r.random() < 0.3:
        canvas = neighbours(canvas, base - height, height * 1.5, r)
    else:
        _strokes(canvas, base, height, r)
    worn = wear(canvas, height, r)
    inked = np.argwhere(worn < 128)
    if len(inked):
        (top, left), (bottom, right) = inked.min(0), inked.max(0)
        if r.random() < 0.7:
            height, base = (bottom - top + 1) / r.choice((1.0, 1.5, 2.0)), bottom + 1
        left, right = left - 0.3 * height, right + 0.3 * height
    else:
        left, right = 0.0, height
    pixels = strip(worn, left, min(right, left + 8 * height), (base, 0.0), max(4.0, height))
    return Line(pixels, "", np.zeros((0, 2), np.float32), False, False)


def _strokes(canvas: Gray, base: float, height: float, r: random.Random) -> None:
    """A hairpin, a bow, a bracket's corner, a bar of a beam, a stem with its head."""
    wide, thick = canvas.shape[1], max(1, round(height * r.uniform(0.08, 0.18)))
    x1, x2 = sorted((r.uniform(0.05, 0.4) * wide, r.uniform(0.5, 0.95) * wide))
    y, open_ = base - 0.5 * height, r.uniform(0.3, 1.0) * height
    kind = r.choice(("hairpin", "hairpin", "hairpin", "bow", "corner", "bar", "note"))
    if kind == "hairpin":
        x1, x2 = (x1, x2) if r.random() < 0.5 else (x2, x1)
        gap = 0.0 if r.random() < 0.8 else open_ * 0.3
        for side in (-1, 1):
            ends = (int(x1), int(y + side * gap)), (int(x2), int(y + side * open_))
            cv2.line(canvas, *ends, 0, thick, cv2.LINE_AA)
    elif kind == "bow":
        turn = r.choice((0, 180))
        size = (int((x2 - x1) / 2), int(open_))
        middle = (int((x1 + x2) / 2), int(y))
        cv2.ellipse(canvas, middle, size, r.uniform(-9, 9), turn, turn + 180, 0, thick, cv2.LINE_AA)
    elif kind == "corner":
        cv2.line(canvas, (int(x1), int(y)), (int(x2), int(y)), 0, thick)
        end = (int(r.choice((x1, x2))), int(y + r.choice((-1, 1)) * 2 * open_))
        cv2.line(canvas, (end[0], int(y)), end, 0, thick)
    elif kind == "bar":
        cv2.line(canvas, (int(x1), int(y)), (int(x2), int(y + r.gauss(0, 4))), 0, 4 * thick)
    else:
        size = (int(0.65 * height), int(0.5 * height))
        cv2.ellipse(canvas, (int(x1 + height), int(y)), size, -20, 0, 360, 0, r.choice((-1, thick)))
        if r.random() < 0.7:
            x = int(x1 + r.choice((0.45, 1.6)) * height)
            cv2.line(canvas, (x, int(y)), (x, int(y + r.choice((-1, 1)) * 3 * height)), 0, thick)


def _sign(canvas: Gray, base: float, height: float, r: random.Random) -> Gray:
    """A sign of music, at about its size beside text whose small letters are so high."""
    codes, pictures = signs()
    pool = DYNAMICS if r.random() < 0.45 else OTHERS
    picture = pictures[r.choice([code for code in codes if code[1] in pool])]
    scale = height / PER_SPACE * r.uniform(0.9, 2.0)
    sign = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    high, wide = min(sign.shape[0], canvas.shape[0]), min(sign.shape[1], canvas.shape[1])
    top = int(np.clip(base - high + 0.3 * height, 0, canvas.shape[0] - high))
    left = (canvas.shape[1] - wide) // 2
    canvas[top : top + high, left : left + wide] = sign[:high, :wide]
    return canvas


@lru_cache(maxsize=1)
def signs() -> tuple[list[tuple[str, int]], dict[tuple[str, int], Gray]]:
    """Pictures of signs of Verovio's fonts, by font and code point."""
    import resvg_py
    import verovio

    found: dict[tuple[str, int], Gray] = {}
    for font in FONTS:
        folder = Path(verovio.__file__).parent / "data" / font
        table = (folder.parent / f"{font}.xml").read_text()
        for code in (*DYNAMICS, *OTHERS):
            file = folder / f"{code:04X}.xml"
            number = '="([-.\\d]+)"'
            box = re.search(rf'<g c="{code:04X}" x{number} y{number} w{number} h{number}', table)
            if not box or not file.exists():
                continue
            x, y, w, h = (float(v) for v in box.groups())
            view = f'viewBox="{x - 20} {-y - h - 20} {w + 40} {h + 40}"'
            svg = f'<svg xmlns="http://www.w3.org/2000/svg" {view}>{file.read_text()}</svg>'
            width = max(2, round((w + 40) * PER_SPACE / 250))
            data = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width, background="white"))
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
            found[font, code] = np.asarray(picture, dtype=np.uint8)
    return sorted(found), found
