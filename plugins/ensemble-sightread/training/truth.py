"""Perfect :class:`Seen` pages, taken from the SVG that Verovio engraves.

For development and tests: with symbols that are right by construction, what the later
stages get wrong is theirs alone. Glyphs are told by their SMuFL code points
(https://w3c.github.io/smufl/latest/tables/), the rest by Verovio's SVG classes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from ensemble_sightread.symbols import (
    SPACE,
    Barline,
    Beam,
    Curve,
    Seen,
    Staff,
    Stem,
    Symbol,
    System,
)  # fmt: skip
from lxml import etree

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
GLYPHS = {
    0xE0A0: "head-breve", 0xE0A2: "head-whole", 0xE0A3: "head-half", 0xE0A4: "head-black",
    0xE0A9: "head-x", 0xE4E3: "rest-whole", 0xE4E4: "rest-half", 0xE4E5: "rest-quarter",
    0xE4E6: "rest-8", 0xE4E7: "rest-16", 0xE4E8: "rest-32", 0xE4E9: "rest-64",
    0xE240: "flag-1-up", 0xE241: "flag-1-down", 0xE242: "flag-2-up", 0xE243: "flag-2-down",
    0xE244: "flag-3-up", 0xE245: "flag-3-down", 0xE246: "flag-4-up", 0xE247: "flag-4-down",
    0xE260: "flat", 0xE261: "natural", 0xE262: "sharp", 0xE263: "double-sharp",
    0xE264: "double-flat", 0xE050: "clef-g", 0xE052: "clef-g", 0xE053: "clef-g",
    0xE062: "clef-f", 0xE064: "clef-f", 0xE065: "clef-f", 0xE05C: "clef-c",
    0xE07A: "clef-g", 0xE07B: "clef-c", 0xE07C: "clef-f", 0xE069: "clef-percussion",
    0xE08A: "time-common", 0xE08B: "time-cut", 0xE4C0: "fermata", 0xE4C1: "fermata",
    0xE1E7: "dot", 0xE044: "dot", 0xE4A2: "dot", 0xE4A3: "dot",
    0xE4A0: "accent", 0xE4A1: "accent", 0xE4A4: "tenuto", 0xE4A5: "tenuto",
    0xE4A6: "staccatissimo", 0xE4A7: "staccatissimo", 0xE4AC: "marcato", 0xE4AD: "marcato",
    0xE566: "trill",
    **{0xE080 + digit: f"time-{digit}" for digit in range(10)},
    **{0xE880 + digit: f"tuplet-{digit}" for digit in range(2, 8)},
}  # fmt: skip
WITH_8 = {0xE052: -1, 0xE053: 1, 0xE064: -1, 0xE065: 1}
SMALL = 0.85


def seen(svg: str) -> Seen:
    """Read one page of Verovio's SVG (any units) as if it had been seen perfectly."""
    root = etree.fromstring(svg.encode(), etree.XMLParser(huge_tree=True))
    return _Page(root).read()


class _Page:
    def __init__(self, root: Any) -> None:
        self.root = root
        self.bounds: dict[str, tuple[float, float, float, float]] = {}
        self.page = next(node for node in root.iter(f"{SVG}g") if _class(node) == "page-margin")
        shift = re.findall(r"-?[\d.]+", self.page.get("transform", "0 0"))
        self.shift = (float(shift[0]), float(shift[1]))
        lines = self._staff_lines(next(_with(self.page, "staff")))
        self.unit = SPACE / ((lines[-1][1] - lines[0][1]) / 4)
        self.glyph_scale = self._common_scale()

    def read(self) -> Seen:
        staves: list[Staff] = []
        systems = []
        for node in _with(self.page, "system"):
            systems.append(self._system(node, staves))
        right = max(staff.right for staff in staves)
        return Seen(
            width=int(right + 60), height=int(staves[-1].bottom[0] + 120), scale=1 / self.unit,
            staves=tuple(staves), systems=tuple(systems), symbols=tuple(self._symbols()),
            stems=tuple(self._stems()), beams=tuple(self._beams()), curves=tuple(self._curves()),
        )  # fmt: skip

    def point(self, x: float, y: float) -> tuple[float, float]:
        return (x + self.shift[0]) * self.unit, (y + self.shift[1]) * self.unit

    def _staff_lines(self, node: Any) -> list[tuple[float, float, float]]:
        """(x1, y, x2) of each line, in the SVG's units, top to bottom."""
        lines = []
        for path in node.findall(f"{SVG}path"):
            x1, y1, x2, _ = _numbers(path.get("d"))
            lines.append((x1, y1, x2))
        return lines

    def _system(self, node: Any, staves: list[Staff]) -> System:
        spans: dict[int, list[tuple[float, float]]] = {}
        bottoms: list[float] = []
        barlines: list[Barline] = []
        for measure in _with(node, "measure"):
            for number, staff in enumerate(_with(measure, "staff")):
                lines = self._staff_lines(staff)
                if number == len(bottoms):
                    bottoms.append(self.point(0, lines[-1][1])[1])
                x1 = self.point(lines[0][0], 0)[0]
                x2 = self.point(lines[0][2], 0)[0]
                spans.setdefault(number, []).append((x1, x2))
            barlines += self._barline(measure)
        first = len(staves)
        for number, bottom in enumerate(bottoms):
            xs = np.array([min(x for x, _ in spans[number]), max(x for _, x in spans[number])])
            staves.append(Staff(xs, np.full(2, bottom), np.full(2, SPACE)))
        braces = []
        for brace in _with(node, "grpSym"):
            ys = [y for path in brace.iter(f"{SVG}path") for y in _numbers(path.get("d"))[1::2]]
            if not ys:
                continue
            low, high = self.point(0, min(ys))[1], self.point(0, max(ys))[1]
            inside = [i for i in range(first, len(staves)) if low < staves[i].y(4, 0) < high]
            if len(inside) > 1:
                braces.append((inside[0], inside[-1]))
        return System(
            tuple(range(first, len(staves))), tuple(sorted(barlines, key=lambda b: b.x)),
            tuple(braces),
        )  # fmt: skip

    def _barline(self, measure: Any) -> Iterator[Barline]:
        for node in _with(measure, "barLine"):
            strokes = sorted(
                {
                    (_numbers(path.get("d"))[0], float(path.get("stroke-width", 0)))
                    for path in node.iter(f"{SVG}path")
                }
            )
            if not strokes:
                continue
            x = self.point(sum(x for x, _ in strokes) / len(strokes), 0)[0]
            widths = [width * self.unit for _, width in strokes]
            style = "single" if len(widths) == 1 else "double"
            if len(widths) == 2 and max(widths) > 3:
                style = "final" if widths[1] > widths[0] else "heavy-light"
            yield Barline(x, style)

    def _bounds(self, name: str) -> tuple[float, float, float, float]:
        if name not in self.bounds:
            from fontTools.pens.boundsPen import ControlBoundsPen
            from fontTools.svgLib.path import parse_path

            pen = ControlBoundsPen(None)
            group = self.root.find(f".//{SVG}g[@id='{name}']")
            for path in group.iter(f"{SVG}path"):
                parse_path(path.get("d"), pen)
            x1, y1, x2, y2 = pen.bounds or (0, 0, 0, 0)
            self.bounds[name] = (x1, -y2, x2, -y1)
        return self.bounds[name]

    def _common_scale(self) -> float:
        scales = [self._use(use)[3] for use in self.page.iter(f"{SVG}use")]
        return float(np.median(scales))

    @staticmethod
    def _use(use: Any) -> tuple[str, float, float, float]:
        x, y, sx, _ = (float(n) for n in re.findall(r"-?[\d.]+", use.get("transform")))
        return use.get(HREF)[1:], x, y, sx

    def _symbols(self) -> Iterator[Symbol]:
        for use in self.page.iter(f"{SVG}use"):
            name, x, y, scale = self._use(use)
            code = int(name.split("-")[0], 16)
            kind = GLYPHS.get(code)
            if kind is None:
                continue
            if kind.startswith("head") and scale < SMALL * self.glyph_scale:
                kind = {"head-black": "head-small-black", "head-half": "head-small-half"}.get(
                    kind, kind
                )
            x1, y1, x2, y2 = (n * scale for n in self._bounds(name))
            left, top = self.point(x + x1, y + y1)
            right, bottom = self.point(x + x2, y + y2)
            if code in WITH_8:
                height = (bottom - top) * 0.12
                y8 = top if WITH_8[code] > 0 else bottom - height
                middle = (left + right) / 2
                yield Symbol("clef-8", middle - 4, y8, middle + 4, y8 + height)
            yield Symbol(kind, left, top, right, bottom)
        for dot in self.page.iter(f"{SVG}ellipse"):
            x, y = self.point(float(dot.get("cx")), float(dot.get("cy")))
            radius = float(dot.get("rx")) * self.unit
            yield Symbol("dot", x - radius, y - radius, x + radius, y + radius)

    def _stems(self) -> Iterator[Stem]:
        for node in _with(self.page, "stem"):
            for path in node.findall(f"{SVG}path"):
                x1, y1, _, y2 = _numbers(path.get("d"))
                x, top = self.point(x1, min(y1, y2))
                yield Stem(x, top, self.point(0, max(y1, y2))[1])

    def _beams(self) -> Iterator[Beam]:
        for node in (*_with(self.page, "beam"), *_with(self.page, "beamSpan")):
            for polygon in node.findall(f"{SVG}polygon"):
                numbers = _numbers(polygon.get("points"))
                points = [
                    self.point(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)
                ]
                left, right = min(x for x, _ in points), max(x for x, _ in points)
                ys1 = [y for x, y in points if abs(x - left) < 0.1]
                ys2 = [y for x, y in points if abs(x - right) < 0.1]
                yield Beam(
                    left, sum(ys1) / len(ys1), right, sum(ys2) / len(ys2), max(ys1) - min(ys1)
                )

    def _curves(self) -> Iterator[Curve]:
        for node in (*_with(self.page, "tie"), *_with(self.page, "slur")):
            for path in node.findall(f"{SVG}path"):
                n = _numbers(path.get("d"))
                x1, y1 = self.point(n[0], n[1])
                x2, y2 = self.point(n[6], n[7])
                middle = self.point(0, (n[3] + n[5]) / 2)[1]
                yield Curve(x1, y1, x2, y2, up=middle < (y1 + y2) / 2)


def _class(node: Any) -> str:
    return str(node.get("class", "")).split(" ")[0]


def _with(node: Any, name: str) -> Iterator[Any]:
    return (child for child in node.iter(f"{SVG}g") if _class(child) == name)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]
