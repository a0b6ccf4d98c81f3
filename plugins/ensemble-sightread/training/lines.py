"""Synthetic lines of text as they look on pages of music, and what is no text.

Lines (``sayings.py``) are set in the fonts of the machine (``fc-list``), worn, and cut out as
``ensemble_sightread.letters.strip`` cuts lines out of pages. Several stand in one row.
"""

from __future__ import annotations

import random
import subprocess
from functools import lru_cache

import attrs
import cv2
import numpy as np
from ensemble_sightread.letters import ALPHABET, STRIDE, X_HEIGHT, strip
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Gray = NDArray[np.uint8]
ROW = 512
"""Pixels of a row of the training batches."""

FAMILIES = {
    "Nimbus Roman": 10, "C059": 6, "P052": 4, "FreeSerif": 8, "EB Garamond": 6, "CMU Serif": 4,
    "Linux Libertine O": 5, "TeX Gyre Schola": 5, "TeX Gyre Pagella": 3, "TeX Gyre Termes": 5,
    "TeX Gyre Bonum": 2, "Gentium": 3, "Old Standard TT": 5, "Junicode Two Beta": 3, "Caladea": 2,
    "Liberation Serif": 5, "URW Bookman": 3, "DejaVu Serif": 3, "LM Roman 10": 3, "GFS Didot": 3,
    "GFS Artemisia": 2, "Nimbus Sans": 2, "Liberation Sans": 2, "DejaVu Sans": 2, "Open Sans": 1,
    "FreeSans": 1, "Lato": 1, "Linux Biolinum O": 1, "Carlito": 1, "TeX Gyre Heros": 1,
    "Nimbus Sans Narrow": 1, "Liberation Sans Narrow": 1, "CMU Sans Serif": 1,
}  # fmt: skip
"""Typefaces and how often each is drawn."""

LIGATURES = {"ffi": "ﬃ", "ffl": "ﬄ", "ff": "ﬀ", "fi": "ﬁ", "fl": "ﬂ"}


@attrs.frozen
class Face:
    """A font file and how its letters are cut."""

    path: str
    italic: bool
    bold: bool


@lru_cache(maxsize=1)
def faces() -> dict[str, list[Face]]:
    """The font files of each family that this machine has."""
    listed = subprocess.run(
        ["fc-list", "--format", "%{family}|%{slant}|%{weight}|%{file}\n"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found: dict[str, list[Face]] = {}
    for line in sorted(listed.splitlines()):
        family, slant, weight, path = line.split("|")
        if not path.endswith((".otf", ".ttf")) or "Caps" in path or "Condensed" in family:
            continue
        for name in family.split(","):
            if name in FAMILIES and weight.isdigit() and int(weight) >= 50:
                face = Face(path, int(slant) > 0, int(weight) > 150)
                found.setdefault(name, []).append(face)
                break
    return found


@lru_cache(maxsize=3000)
def font(path: str, size: int) -> ImageFont.FreeTypeFont:
    """A font at a size in pixels."""
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=500)
def shape(path: str) -> tuple[frozenset[int], float]:
    """Which characters a font has, and its x-height as a part of its size."""
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=0, lazy=True) as file:
        known = frozenset(file.getBestCmap())
    top, bottom = font(path, 200).getbbox("x", anchor="ls")[1::2]
    return known, (bottom - top) / 200


@attrs.frozen(eq=False)
class Line:
    """A line cut out: its pixels, what it says, and where.

    Attributes:
        pixels: Shape (HEIGHT, width), 255 is ink.
        text: Its characters without gaps at the ends.
        places: Left and right of each character in pixels, shape (len(text), 2).
        italic, bold: How it is set.
    """

    pixels: Gray
    text: str
    places: NDArray[np.float32]
    italic: bool
    bold: bool


def set_line(said: str, r: random.Random) -> Line | None:
    """Set a line in a font by chance, wear it and cut it out."""
    family = r.choices(list(FAMILIES), list(FAMILIES.values()))[0]
    cuts = faces().get(family)
    if not cuts:
        return None
    face = r.choice(cuts)
    known, ratio = shape(face.path)
    if any(ord(c) not in known for c in said if c not in "\t _-‿♩♪𝅗♭♯♮" and c.isprintable()):
        return None
    height = r.uniform(6, 15) if r.random() < 0.35 else r.uniform(13, 24)
    size = max(8, round(height / ratio))
    height = size * ratio
    canvas, text, places = _typeset(said, font(face.path, size), known, height, r)
    base = canvas.shape[0] * 0.6
    worn = wear(neighbours(canvas, base, height, r), height, r)
    capitals = not any(c.islower() for c in text) and r.random() < 0.6
    taken = height * float(np.exp(r.gauss(0, 0.08))) * (r.uniform(1.2, 1.5) if capitals else 1.0)
    lower = base + r.gauss(0, 0.07) * height
    slope = r.gauss(0, 0.004)
    margin = r.uniform(0.1, 0.5) * height
    left, right = places[0, 0] - margin, places[-1, 1] + margin
    pixels = strip(worn, left, right, (lower - slope * (left + right) / 2, slope), taken)
    scale = X_HEIGHT / taken
    return Line(pixels, text, (places - left) * scale, face.italic, face.bold)


def _typeset(
    said: str, type_: ImageFont.FreeTypeFont, known: frozenset[int], height: float, r: random.Random
) -> tuple[Gray, str, NDArray[np.float32]]:
    """The line in black on white with its baseline at 0.6 of the height, and its places."""
    tall = int(height * 8)
    base = tall * 0.6
    spacing = r.uniform(0.02, 0.25) * height if r.random() < 0.12 else 0.0
    wide_space = r.uniform(0.5, 1.4) if r.random() < 0.75 else r.uniform(1.4, 4.0)
    shrink = r.uniform(0.88, 1.1) if r.random() < 0.3 else 1.0
    x, text, places, drawn = 2 * height, "", [], []
    ligatures = r.random() < 0.5
    at = 0
    while at < len(said):
        char = said[at]
        part = next(
            (k for k in LIGATURES if ligatures and not spacing and said.startswith(k, at)
             and ord(LIGATURES[k]) in known), char,
        )  # fmt: skip
        at += len(part)
        before = x
        if char in "\t ":
            x += type_.getlength(" ") * wide_space if char == " " else r.uniform(0.4, 3) * height
            if text and text[-1] != " ":
                text, places = text + " ", [*places, (before, x)]
            elif places:
                places[-1] = (places[-1][0], x)
            continue
        glyph = LIGATURES.get(part, part)
        drawn.append((x, glyph))
        x += _width(glyph, type_, height) + spacing
        if at < len(said) and not spacing and glyph.isalpha() and said[at].isalpha():
            x += (
                type_.getlength(glyph + said[at])
                - type_.getlength(glyph)
                - type_.getlength(said[at])
            )
        step = (x - before) / len(part)
        text += part
        places += [(before + i * step, before + (i + 1) * step) for i in range(len(part))]
    canvas = Image.new("L", (int(x + 2 * height), tall), 255)
    pen = ImageDraw.Draw(canvas)
    drawn_lines = r.random() < 0.6
    for left, glyph in drawn:
        _draw(pen, glyph, left, base, type_, height, drawn_lines, r)
    pixels = np.asarray(canvas)
    where = np.array(places, np.float32)
    if shrink != 1.0:
        pixels = cv2.resize(pixels, None, fx=shrink, fy=1.0, interpolation=cv2.INTER_AREA)
        where *= shrink
    if text.endswith(" "):
        text, where = text[:-1], where[:-1]
    return np.asarray(pixels, dtype=np.uint8), text, where


def _width(glyph: str, type_: ImageFont.FreeTypeFont, height: float) -> float:
    if glyph in "♩♪𝅗":
        return 1.9 * height
    return {"_": 1.6 * height, "‿": 1.2 * height}.get(glyph) or type_.getlength(glyph)


def _draw(
    pen: ImageDraw.ImageDraw, glyph: str, x: float, base: float, type_: ImageFont.FreeTypeFont,
    height: float, ruled: bool, r: random.Random,
) -> None:  # fmt: skip
    """One glyph; hyphens and extenders often as programs of music draw them: as bars."""
    thick = max(1.0, height * 0.11)
    if glyph == "-" and ruled:
        y, long = base - height * 0.5, type_.getlength("-")
        pen.rectangle((x, y - thick, x + long * r.uniform(0.7, 1.0), y + thick * 0.4), fill=0)
    elif glyph == "_":
        pen.rectangle((x, base - thick / 2, x + 1.5 * height, base + thick / 3), fill=0)
    elif glyph == "‿":
        box = (x, base - height * 0.3, x + 1.2 * height, base + 0.4 * height)
        pen.arc(box, 20, 160, fill=0, width=max(1, round(thick)))
    elif glyph in "♩♪𝅗":
        _note(pen, glyph, x, base, height)
    else:
        pen.text((x, base), glyph, fill=0, font=type_, anchor="ls")


def _note(pen: ImageDraw.ImageDraw, glyph: str, x: float, base: float, height: float) -> None:
    """A small note with its stem up, as in metronome marks."""
    w, h = height * 1.15, height * 0.95
    points = []
    for step in np.linspace(0, 2 * np.pi, 24):
        u, v = np.cos(step) * w / 2, np.sin(step) * h * 0.42
        points.append((x + w / 2 + u, base - h / 2 + v - 0.3 * u))
    pen.polygon(points, fill=0)
    if glyph == "𝅗":
        inner = [
            (x + w / 2 + (px - x - w / 2) * 0.75, base - h / 2 + (py - base + h / 2) * 0.45)
            for px, py in points
        ]
        pen.polygon(inner, fill=255)
    thick = max(1.0, height * 0.1)
    right = x + w * 0.98
    pen.rectangle((right - thick, base - 3.2 * height, right, base - h * 0.55), fill=0)
    if glyph == "♪":
        flag = ((0, 3.2), (0.7, 1.9), (0.5, 1.3), (0.45, 1.9), (0, 2.4))
        pen.polygon([(right + x * height, base - y * height) for x, y in flag], fill=0)


def neighbours(canvas: Gray, base: float, height: float, r: random.Random) -> Gray:
    """Bits of slurs, stems, staff lines and other words around the line."""
    if r.random() < 0.65:
        return canvas
    canvas = canvas.copy()
    tall, wide = canvas.shape
    for _ in range(r.randint(1, 3)):
        kind, thick = (
            r.choice(("staff", "slur", "stem", "blob")),
            max(1, round(height * r.uniform(0.08, 0.2))),
        )
        above = r.random() < 0.6
        y = base - height * r.uniform(1.7, 3.2) if above else base + height * r.uniform(0.6, 1.5)
        x = r.randrange(wide)
        if kind == "staff":
            cv2.line(canvas, (0, int(y)), (wide, int(y)), 0, thick)
        elif kind == "slur":
            size = (int(r.uniform(2, 9) * height), int(r.uniform(0.5, 2) * height))
            angle = 180 if r.random() < 0.5 else 0
            cv2.ellipse(canvas, (x, int(y)), size, r.uniform(-8, 8), angle, angle + 180, 0, thick)
        elif kind == "stem":
            end = 0 if above else tall
            cv2.line(canvas, (x, int(y)), (x, end), 0, thick)
        else:
            cv2.ellipse(
                canvas, (x, int(y)), (int(height * 0.7), int(height * 0.5)), -20, 0, 360, 0, -1
            )
    return canvas


def wear(page: Gray, height: float, r: random.Random) -> Gray:
    """What printing, scanning and binarising do to a line whose letters are ``height`` high."""
    if r.random() < 0.35:
        return page
    noise = np.random.default_rng(r.getrandbits(32))
    work = page
    if r.random() < 0.35:  # seen at a low resolution
        low = r.uniform(max(0.35, 5.0 / height), 1.0) if height > 6 else 1.0
        work = cv2.resize(work, None, fx=low, fy=low, interpolation=cv2.INTER_AREA)
        work = cv2.resize(work, page.shape[::-1], interpolation=cv2.INTER_CUBIC)
    soft = r.uniform(0.0, 0.09) * height
    if soft > 0.3:
        work = cv2.GaussianBlur(work, (0, 0), soft)
    throw = r.random()
    if throw < 0.45:  # black and white: ink spreads or breaks
        level = r.uniform(110, 195)
        grain = noise.normal(0, r.uniform(0, 28), (work.shape[0] // 2 + 1, work.shape[1] // 2 + 1))
        rough = cv2.resize(
            grain.astype(np.float32), page.shape[::-1], interpolation=cv2.INTER_CUBIC
        )
        work = np.where(work.astype(np.float32) + rough < level, 0, 255).astype(np.uint8)
        if r.random() < 0.5:
            work = cv2.GaussianBlur(work, (0, 0), r.uniform(0.4, 1.0))
    elif throw < 0.8:
        ink, paper = r.uniform(0, 110), r.uniform(220, 255)
        rough = ink + work.astype(np.float32) * ((paper - ink) / 255)
        rough += noise.normal(0, r.uniform(0, 14), work.shape).astype(np.float32)
        work = np.clip(rough, 0, 255).astype(np.uint8)
    if r.random() < 0.2:
        done, data = cv2.imencode(".jpg", work, [cv2.IMWRITE_JPEG_QUALITY, r.randint(25, 80)])
        if done:
            work = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    return np.asarray(work, dtype=np.uint8)


# ---------------------------------------------------------------- rows


def row(
    lines: list[Line], r: random.Random
) -> tuple[Gray, str, NDArray[np.int64], NDArray[np.float32]]:
    """Lines one after the other in a row of ROW pixels, as they fit.

    Returns:
        Pixels, shape (HEIGHT, ROW); the text; the class of each frame, -1 where it does not
        matter; italic and bold of each frame, shape (2, frames), -1 where nothing is.
    """
    pixels = np.zeros((lines[0].pixels.shape[0], ROW), np.uint8)
    frames = np.zeros(ROW // STRIDE, np.int64)
    style = np.full((2, ROW // STRIDE), -1, np.float32)
    x, text, before = r.randint(0, 12), "", 0.0
    for line in lines:
        wide = line.pixels.shape[1]
        if x + wide > ROW:
            continue
        pixels[:, x : x + wide] = line.pixels
        if line.text:
            first = x + line.places[0, 0]
            if text:
                _mark(frames, before, first, ALPHABET.index(" ") + 1)
                text += " "
            for char, (left, right) in zip(line.text, line.places, strict=True):
                _mark(frames, x + left, x + right, ALPHABET.index(char) + 1)
            text += line.text
            before = x + line.places[-1, 1]
            style[:, int(first) // STRIDE : int(before) // STRIDE] = [[line.italic], [line.bold]]
        x += wide + r.choice((r.randint(8, 40), r.randint(16, 24)))
    return pixels, text, frames, style


def _mark(frames: NDArray[np.int64], left: float, right: float, number: int) -> None:
    """The middle of a character's place is its own; the rest stays blank."""
    middle, half = (left + right) / 2, max(0.0, (right - left) * 0.28)
    first = round((middle - half) / STRIDE - 0.5)
    last = max(first, round((middle + half) / STRIDE - 0.5))
    frames[max(first, 0) : last + 1] = number
