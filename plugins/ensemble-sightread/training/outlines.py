"""Bounds and comparable shapes of outlines, and the outlines of a font by code point."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from fontTools.pens.basePen import BasePen
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.recordingPen import DecomposingRecordingPen, RecordingPen
from fontTools.svgLib.path import parse_path
from fontTools.ttLib import TTFont
from smufl import BY_CLASS, DIGITS, DYNAMICS, LETTERS

Bounds = tuple[float, float, float, float]
"""Left, lower y, right, higher y, whichever way y points."""
Record = list[tuple[str, tuple[Any, ...]]]


def bounds(d: str) -> Bounds | None:
    """Bounds of an SVG path."""
    pen = BoundsPen(None)
    parse_path(d, pen)
    found: Bounds | None = pen.bounds
    return found


def record_of(d: str) -> Record:
    """The drawing commands of an SVG path."""
    record = RecordingPen()
    parse_path(d, record)
    value: Record = record.value
    return value


def contours(record: Record) -> list[Record]:
    """A drawing cut into its closed outlines."""
    found: list[Record] = []
    for command in record:
        if command[0] == "moveTo" or not found:
            found.append([])
        found[-1].append(command)
    return [c for c in found if len(c) > 2]


def box_of(record: Record) -> Bounds:
    """Bounds of drawing commands."""
    pen = BoundsPen(None)
    for name, points in record:
        getattr(pen, name)(*points)
    x1, y1, x2, y2 = pen.bounds or (0.0, 0.0, 0.0, 0.0)
    return x1, y1, x2, y2


def pieces(record: Record) -> list[Record]:
    """A drawing cut into signs: outlines with the holes inside them, left to right."""
    parts = [(box_of(c), c) for c in contours(record)]
    parts.sort(key=lambda p: -(p[0][2] - p[0][0]) * (p[0][3] - p[0][1]))
    found: list[tuple[Bounds, Record]] = []
    for box, part in parts:
        home = next((f for f in found if _within(box, f[0])), None)
        if home:
            home[1].extend(part)
        else:
            found.append((box, list(part)))
    found.sort(key=lambda f: f[0][0] + f[0][2])
    return [record for _, record in found]


def _within(inner: Bounds, outer: Bounds) -> bool:
    return (
        outer[0] <= inner[0] and outer[1] <= inner[1]
        and outer[2] >= inner[2] and outer[3] >= inner[3]
    )  # fmt: skip


@attrs.frozen(eq=False)
class Outline:
    """An outline reduced to what survives moving and scaling."""

    shape: np.ndarray
    box: Bounds


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


def outline(record: Record, flip: bool) -> Outline | None:
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


def letters(sign: str, whole: Bounds, alone: dict[str, tuple[Bounds, float]]) -> list[Bounds]:
    """Boxes of the letters of a dynamic sign, set side by side and fitted to its bounds.

    Args:
        sign: Its letters.
        whole: Bounds of the sign, y upwards.
        alone: Bounds and advance of each letter by itself, in the same units.
    """
    if any(letter not in alone for letter in sign):
        return []
    at, found = 0.0, []
    for letter in sign:
        (x1, y1, x2, y2), advance = alone[letter]
        found.append((at + x1, y1, at + x2, y2))
        at += advance
    left, right = min(b[0] for b in found), max(b[2] for b in found)
    low, high = min(b[1] for b in found), max(b[3] for b in found)
    sx = (whole[2] - whole[0]) / (right - left)
    sy = (whole[3] - whole[1]) / (high - low)
    return [
        (whole[0] + (x1 - left) * sx, whole[1] + (y1 - low) * sy,
         whole[0] + (x2 - left) * sx, whole[1] + (y2 - low) * sy)
        for x1, y1, x2, y2 in found
    ]  # fmt: skip


class FontShapes:
    """Outlines of a SMuFL font (and of text fonts for tuplet digits) by code point."""

    def __init__(self, smufl: Path, text_fonts: tuple[Path, ...] = ()) -> None:
        self.known: dict[int, list[tuple[np.ndarray, float]]] = {}
        self.letters: dict[str, tuple[Bounds, float]] = {}
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
            drawn = outline(pen.value, flip=False)
            if drawn:
                height = (drawn.box[3] - drawn.box[1]) * 4 / em
                self.known.setdefault(code, []).append((drawn.shape, height))
                for letter in (k for k, v in LETTERS.items() if v == code):
                    self.letters[letter] = (drawn.box, float(glyphs[cmap[source]].width))

    def code(self, kind: str, drawn: Outline) -> tuple[int, float, float]:
        """(code point, distance, nominal height in spaces) of the nearest outline of a class."""
        return self.nearest(BY_CLASS.get(kind, ()), drawn)

    def nearest(self, codes: tuple[int, ...], drawn: Outline) -> tuple[int, float, float]:
        """(code point, distance, nominal height in spaces) of the nearest of some outlines."""
        best = (0, 9.0, 1.0)
        for code in codes:
            for shape, height in self.known.get(code, ()):
                distance = float(np.abs(shape - drawn.shape).max())
                if distance < best[1]:
                    best = (code, distance, height)
        return best


def sign_of(code: int) -> str:
    """The letters of a dynamic glyph, empty for others."""
    single = {v: k for k, v in LETTERS.items()}
    return DYNAMICS.get(code) or single.get(code, "")
