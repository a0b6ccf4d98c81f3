"""Kinds and boxes of the symbols in an engraved SVG, of Verovio and of MuseScore 3.

Verovio names each glyph by its SMuFL code point
(https://w3c.github.io/smufl/latest/tables/). MuseScore writes bare outlines with the class
of the element, so each outline is compared with those of the font it was set in.
"""

from __future__ import annotations

import itertools
import math
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from fontTools.pens.basePen import BasePen
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.recordingPen import DecomposingRecordingPen, RecordingPen
from fontTools.svgLib.path import parse_path
from fontTools.ttLib import TTFont
from lxml import etree

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
IGNORE = "?"
"""Kind of a box in which nothing is learnt: drawn, but outside the vocabulary."""

GLYPHS: dict[int, str] = {
    0xE0A0: "head-breve", 0xE0A1: "head-breve", 0xE0A2: "head-whole", 0xE0A3: "head-half",
    0xE0A4: "head-black", 0xE0A7: "head-x", 0xE0A8: "head-x", 0xE0A9: "head-x",
    0xE4E3: "rest-whole", 0xE4E4: "rest-half", 0xE4E5: "rest-quarter", 0xE4E6: "rest-8",
    0xE4E7: "rest-16", 0xE4E8: "rest-32", 0xE4E9: "rest-64",
    0xE4F4: "rest-whole", 0xE4F5: "rest-half",
    0xE240: "flag-1-up", 0xE241: "flag-1-down", 0xE242: "flag-2-up", 0xE243: "flag-2-down",
    0xE244: "flag-3-up", 0xE245: "flag-3-down", 0xE246: "flag-4-up", 0xE247: "flag-4-down",
    0xE260: "flat", 0xE261: "natural", 0xE262: "sharp", 0xE263: "double-sharp",
    0xE264: "double-flat", 0xE050: "clef-g", 0xE051: "clef-g", 0xE052: "clef-g",
    0xE053: "clef-g", 0xE054: "clef-g", 0xE056: "clef-g", 0xE057: "clef-g",
    0xE062: "clef-f", 0xE063: "clef-f", 0xE064: "clef-f", 0xE065: "clef-f", 0xE066: "clef-f",
    0xE05C: "clef-c", 0xE05D: "clef-c", 0xE07A: "clef-g", 0xE07B: "clef-c", 0xE07C: "clef-f",
    0xE069: "clef-percussion", 0xE06A: "clef-percussion", 0xE07D: "clef-8",
    0xE08A: "time-common", 0xE08B: "time-cut", 0xE4C0: "fermata", 0xE4C1: "fermata",
    0xE1E7: "dot", 0xE044: "dot", 0xE4A2: "dot", 0xE4A3: "dot",
    0xE4A0: "accent", 0xE4A1: "accent", 0xE4A4: "tenuto", 0xE4A5: "tenuto",
    0xE4AC: "marcato", 0xE4AD: "marcato", 0xE566: "trill", 0xE047: "segno", 0xE048: "coda",
    **dict.fromkeys(range(58534, 58540), "staccatissimo"),
    **{0xE080 + digit: f"time-{digit}" for digit in range(10)},
    **{0xE880 + digit: f"tuplet-{digit}" for digit in range(2, 8)},
}  # fmt: skip
OCTAVE_CLEFS = {0xE052: "below", 0xE064: "below", 0xE053: "above", 0xE065: "above",
                0xE056: "below", 0xE057: "below", 0xE05D: "below"}  # fmt: skip
# Drawn near or like ours, but not ours: heads of other shapes, shorter rests, two-sign marks.
OUTSIDE = {0xE0D8, 0xE0D9, 0xE0DB, 0xE0DC, 0xE0B3, 0xE0F5, 0xE0F6, 0xE4E1, 0xE4E2, 0xE4EA,
           0xE889, 0xE881, 0xE888, 0xE248, 0xE249}  # fmt: skip
SMALL = 0.87


@attrs.frozen
class Box:
    """A symbol: kind and box, in the units of the SVG."""

    kind: str
    left: float
    top: float
    right: float
    bottom: float


@attrs.frozen
class Boxes:
    """All of a page: staff space in the SVG's units, the symbols, and whether trusted."""

    space: float
    boxes: tuple[Box, ...]


def numbers(text: str) -> list[float]:
    """The numbers in an attribute's text."""
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]


def _bounds(d: str) -> tuple[float, float, float, float] | None:
    pen = BoundsPen(None)
    parse_path(d, pen)
    return pen.bounds


def _contours(d: str) -> list[tuple[float, float, float, float]]:
    """Bounds of each closed outline of a path."""
    record = RecordingPen()
    parse_path(d, record)
    found = []
    pen = BoundsPen(None)
    for name, points in record.value:
        if name == "moveTo" and pen.bounds:
            found.append(pen.bounds)
            pen = BoundsPen(None)
        getattr(pen, name)(*points)
    if pen.bounds:
        found.append(pen.bounds)
    return found


def _octave_sign(
    contours: list[tuple[float, float, float, float]], place: str
) -> tuple[float, float, float, float] | None:
    """Box of the small 8 of a clef glyph (y upwards): outlines apart from the biggest."""
    body = max(contours, key=lambda c: (c[2] - c[0]) * (c[3] - c[1]))
    middle = (body[1] + body[3]) / 2
    height = body[3] - body[1]
    far = []
    for c in contours:
        y = (c[1] + c[3]) / 2
        away = (y - middle) if place == "above" else (middle - y)
        if c is not body and away > 0.36 * height:
            far.append(c)
    if not far:
        return None
    xs1, ys1, xs2, ys2 = zip(*far, strict=True)
    return min(xs1), min(ys1), max(xs2), max(ys2)


def verovio(svg: str) -> Boxes:
    """The symbols of a page that Verovio engraved (option ``svgViewBox``).

    Coordinates are those of the outer picture: the inner view box is resolved.
    """
    root = etree.fromstring(svg.encode(), etree.XMLParser(huge_tree=True))
    outer = numbers(root.get("viewBox"))
    inner = next(n for n in root.iter(f"{SVG}svg") if n.get("class") == "definition-scale")
    ratio = outer[2] / numbers(inner.get("viewBox"))[2]
    margin = next(n for n in root.iter(f"{SVG}g") if n.get("class") == "page-margin")
    dx, dy = numbers(margin.get("transform"))[:2]
    defs = {g.get("id"): g[0].get("d") for g in root.iter(f"{SVG}g") if _is_glyph(g)}
    spaces = []
    for staff in margin.iter(f"{SVG}g"):
        if str(staff.get("class", "")).split(" ")[0] == "staff":
            ys = sorted(numbers(p.get("d"))[1] for p in staff.findall(f"{SVG}path"))
            spaces += [b - a for a, b in itertools.pairwise(ys) if b > a]
    space = float(np.median(spaces))
    found: list[tuple[str, float, float, float, float]] = []
    uses = list(margin.iter(f"{SVG}use"))
    scales = [numbers(use.get("transform"))[2] for use in uses]
    common = float(np.median(scales)) if scales else 1.0
    for use in uses:
        x, y, sx, sy = numbers(use.get("transform"))
        name = use.get(HREF)[1:]
        for kind, (x1, y1, x2, y2) in _verovio_glyph(name.split("-")[0], defs.get(name, "")):
            small = _small(kind) if sx < SMALL * common else kind
            found.append((small, x + x1 * sx, y - y2 * sy, x + x2 * sx, y - y1 * sy))
    for dot in margin.iter(f"{SVG}ellipse"):
        x, y, r = (float(dot.get(k)) for k in ("cx", "cy", "rx"))
        if r < 0.31 * space:  # bigger ones are enclosures
            found.append(("dot", x - r, y - r, x + r, y + r))
    for group in margin.iter(f"{SVG}g"):
        if group.get("class") == "grpSym":
            for path in group.findall(f"{SVG}path"):
                box = _bounds(path.get("d")) if "C" in path.get("d").upper() else None
                if box:
                    found.append(("brace", *box))
    boxes = [
        Box(k, (a + dx) * ratio, (b + dy) * ratio, (c + dx) * ratio, (d + dy) * ratio)
        for k, a, b, c, d in found
    ]
    return Boxes(space * ratio, tuple(boxes))


def _is_glyph(group: Any) -> bool:
    return bool(len(group)) and bool(re.match(r"[0-9A-F]{4}-", group.get("id", "")))


@lru_cache(maxsize=4096)
def _verovio_glyph(
    code_text: str, d: str
) -> tuple[tuple[str, tuple[float, float, float, float]], ...]:
    code = int(code_text, 16)
    kind = IGNORE if code in OUTSIDE else GLYPHS.get(code)
    box = _bounds(d) if d and kind else None
    if kind is None or box is None:
        return ()
    if code in OCTAVE_CLEFS:
        eight = _octave_sign(_contours(d), OCTAVE_CLEFS[code])
        if eight:
            x1, y1, x2, y2 = box
            if OCTAVE_CLEFS[code] == "below":
                y1 = min(eight[3], (y1 + y2) / 2)
            else:
                y2 = max(eight[1], (y1 + y2) / 2)
            return ((kind, (x1, y1, x2, y2)), ("clef-8", eight))
    return ((kind, box),)


def _small(kind: str) -> str:
    return {
        "head-black": "head-small-black", "head-half": "head-small-half",
        "head-whole": IGNORE, "head-x": IGNORE,
    }.get(kind, kind)  # fmt: skip


# ---------------------------------------------------------------- MuseScore

DIGITS = range(10)
BY_CLASS: dict[str, tuple[int, ...]] = {
    "Note": (0xE0A0, 0xE0A1, 0xE0A2, 0xE0A3, 0xE0A4, 0xE0A7, 0xE0A8, 0xE0A9, 0xE0D8, 0xE0D9,
             0xE0DB),
    "Rest": (*range(0xE4E1, 0xE4EB), 0xE4F4, 0xE4F5),
    "Accidental": (0xE260, 0xE261, 0xE262, 0xE263, 0xE264),
    "KeySig": (0xE260, 0xE261, 0xE262),
    "Clef": (0xE050, 0xE051, 0xE052, 0xE053, 0xE054, 0xE05C, 0xE05D, 0xE062, 0xE063, 0xE064,
             0xE065, 0xE066, 0xE069, 0xE06A, 0xE07A, 0xE07B, 0xE07C, 0xE07D),
    "TimeSig": tuple(range(0xE080, 0xE08C)),
    "Hook": tuple(range(0xE240, 0xE24A)),
    "NoteDot": (0xE1E7,), "BarLine": (0xE044,),
    "Articulation": (*range(0xE4A0, 0xE4BC), 0xE566, 0xE567, 0xE568, 0xE56C, 0xE56D,
                     0xE610, 0xE612, 0xE4C0, 0xE4C1),
    "Fermata": (0xE4C0, 0xE4C1), "Trill": (0xE566, 0xEAA4, 0xEAA0), "Ornament": (0xE566,),
    "TrillSegment": (0xE566, 0xEAA4, 0xEAA0), "Marker": (0xE047, 0xE048),
    "Tuplet": tuple(range(0xE880, 0xE88A)),
}  # fmt: skip


@attrs.frozen
class Outline:
    """An outline reduced to what survives moving and scaling."""

    shape: np.ndarray
    box: tuple[float, float, float, float]


class _OnCurve(BasePen):  # type: ignore[misc]
    """Collects the points that lie on the outline, curves cut into cubic pieces."""

    def __init__(self) -> None:
        super().__init__(None)
        self.points: list[tuple[float, float]] = []
        self.contours = 0

    def _moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self.contours += 1
        self._lineTo(point)

    def _lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        if not self.points or math.dist(self.points[-1], point) > 1e-6:
            self.points.append(point)

    def _curveToOne(self, _1: Any, _2: Any, point: tuple[float, float]) -> None:  # noqa: N802
        self._lineTo(point)


def _outline(record: list[tuple[str, tuple[Any, ...]]], flip: bool) -> Outline | None:
    """Describe on-curve points relative to the box; None for an empty path."""
    pen, seen = BoundsPen(None), _OnCurve()
    for name, args in record:
        getattr(pen, name)(*args)
        getattr(seen, name)(*args)
    if pen.bounds is None:
        return None
    x1, y1, x2, y2 = pen.bounds
    xy = np.asarray(seen.points, float)
    w, h = max(x2 - x1, 1e-6), max(y2 - y1, 1e-6)
    u, v = (xy[:, 0] - x1) / w, (xy[:, 1] - y1) / h
    if flip:
        v = 1 - v
    shape = np.array([
        2 * math.log(w / h), 0.3 * min(seen.contours, 6), 3 * u.mean(), 3 * v.mean(),
        3 * u.std(), 3 * v.std(), 3 * (u * v).mean(), 0.5 * math.log(len(xy)),
    ])  # fmt: skip
    return Outline(shape, (x1, y1, x2, y2))


class FontShapes:
    """Outlines of a SMuFL font (and of text fonts for tuplet digits) by code point."""

    def __init__(self, smufl: Path, text_fonts: tuple[Path, ...] = ()) -> None:
        self.known: dict[int, list[tuple[np.ndarray, float]]] = {}
        font = TTFont(smufl)
        self._add(font, {c: c for codes in BY_CLASS.values() for c in codes})
        for path in text_fonts:
            self._add(TTFont(path), {ord(str(d)): 0xE880 + d for d in DIGITS})

    def _add(self, font: Any, codes: dict[int, int]) -> None:
        cmap, glyphs = font.getBestCmap(), font.getGlyphSet()
        em = font["head"].unitsPerEm
        for source, code in codes.items():
            if source not in cmap:
                continue
            pen = DecomposingRecordingPen(glyphs)
            glyphs[cmap[source]].draw(pen)
            outline = _outline(pen.value, flip=False)
            if outline:
                height = (outline.box[3] - outline.box[1]) * 4 / em
                self.known.setdefault(code, []).append((outline.shape, height))

    def code(self, kind: str, outline: Outline) -> tuple[int, float, float]:
        """(code point, distance, nominal height in spaces) of the nearest outline."""
        best = (0, 9.0, 1.0)
        for code in BY_CLASS.get(kind, ()):
            for shape, height in self.known.get(code, ()):
                distance = float(np.abs(shape - outline.shape).max())
                if distance < best[1]:
                    best = (code, distance, height)
        return best


def musescore(svg: str, fonts: FontShapes) -> Boxes:
    """The symbols of a page that MuseScore 3 drew, set in the font of ``fonts``."""
    root = etree.fromstring(svg.encode(), etree.XMLParser(huge_tree=True))
    lines = [numbers(n.get("points")) for n in root if n.get("class") == "StaffLines"]
    ys = np.array([n[1] for n in lines])
    gaps = np.diff(ys)
    space = float(np.median(gaps[gaps > 0]))
    boxes: list[Box] = []
    for node in root.iter(f"{SVG}path"):
        name = node.get("class", "")
        if name == "Bracket":
            box = _placed(node)
            if box and box[3] - box[1] > 5 * space and box[2] - box[0] > 0.4 * space:
                boxes.append(Box("brace", *box))
        elif name in BY_CLASS:
            boxes += _musescore_symbol(node, name, fonts, space, ys)
    return Boxes(space, tuple(boxes))


def _matrix(node: Any) -> tuple[float, float, float, float]:
    text = node.get("transform")
    if not text:
        return 1.0, 1.0, 0.0, 0.0
    a, _, _, d, e, f = numbers(text)
    return a, d, e, f


def _placed(node: Any) -> tuple[float, float, float, float] | None:
    box = _bounds(node.get("d"))
    if box is None:
        return None
    a, d, e, f = _matrix(node)
    return box[0] * a + e, box[1] * d + f, box[2] * a + e, box[3] * d + f


def _whole_or_half(box: tuple[float, float, float, float], lines: np.ndarray, space: float) -> int:
    """Bars of one shape in many fonts: a whole rest hangs from a line, a half rest sits."""

    def off(y: float) -> float:
        nearest = float(lines[np.abs(lines - y).argmin()])
        return abs((y - nearest) / space - round((y - nearest) / space))

    return 0xE4E3 if off(box[1]) < off(box[3]) else 0xE4E4


def _musescore_symbol(
    node: Any, name: str, fonts: FontShapes, space: float, lines: np.ndarray
) -> list[Box]:
    record = RecordingPen()
    parse_path(node.get("d"), record)
    outline = _outline(record.value, flip=True)
    box = _placed(node)
    if outline is None or box is None:
        return []
    code, distance, nominal = fonts.code(name, outline)
    if code in (0xE4E3, 0xE4E4):
        code = _whole_or_half(box, lines, space)
    if distance > 0.25:
        return [Box(IGNORE, *box)] if name in ("Note", "Rest", "Clef") else []
    kind = IGNORE if code in OUTSIDE else GLYPHS.get(code)
    if kind is None:
        return [Box(IGNORE, *box)] if name in ("Note", "Rest", "Clef", "Articulation") else []
    if (box[3] - box[1]) / space < SMALL * nominal:
        kind = _small(kind)
    if code in OCTAVE_CLEFS:
        a, d, e, f = _matrix(node)
        flipped = [(c[0], -c[3], c[2], -c[1]) for c in _contours(node.get("d"))]
        eight = _octave_sign(flipped, OCTAVE_CLEFS[code])
        if eight:
            e8 = (eight[0] * a + e, -eight[3] * d + f, eight[2] * a + e, -eight[1] * d + f)
            top, bottom = box[1], box[3]
            if OCTAVE_CLEFS[code] == "below":
                bottom = max(e8[1], (top + bottom) / 2)
            else:
                top = min(e8[3], (top + bottom) / 2)
            return [Box(kind, box[0], top, box[2], bottom), Box("clef-8", *e8)]
    return [Box(kind, *box)]
