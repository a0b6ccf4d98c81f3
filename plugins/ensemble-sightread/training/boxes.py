"""Kinds and boxes of the symbols in an SVG that Verovio engraved.

Verovio names each glyph by its SMuFL code point. (For MuseScore see ``musescore.py``.)
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
from lxml import etree
from outlines import Bounds, bounds, box_of, contours, letters, record_of, sign_of
from smufl import GLYPHS, IGNORE, LETTERS, OCTAVE_CLEFS, OUTSIDE, SMALL

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"


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
    """All of a page: staff space in the SVG's units, the symbols."""

    space: float
    boxes: tuple[Box, ...]


def numbers(text: str) -> list[float]:
    """The numbers in an attribute's text."""
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]


def parsed(svg: str) -> Any:
    """The root element of an SVG."""
    return etree.fromstring(svg.encode(), etree.XMLParser(huge_tree=True))


def css_class(node: Any) -> str:
    """The first class of an element."""
    return str(node.get("class", "")).split(" ")[0]


def octave_sign(parts: list[Bounds], place: str) -> Bounds | None:
    """Box of the small 8 of a clef glyph (y upwards): outlines apart from the biggest."""
    body = max(parts, key=lambda c: (c[2] - c[0]) * (c[3] - c[1]))
    middle = (body[1] + body[3]) / 2
    height = body[3] - body[1]
    far = []
    for c in parts:
        y = (c[1] + c[3]) / 2
        away = (y - middle) if place == "above" else (middle - y)
        if c is not body and away > 0.36 * height:
            far.append(c)
    if not far:
        return None
    xs1, ys1, xs2, ys2 = zip(*far, strict=True)
    return min(xs1), min(ys1), max(xs2), max(ys2)


def small(kind: str) -> str:
    """The kind of a glyph drawn clearly smaller than usual."""
    return {
        "head-black": "head-small-black", "head-half": "head-small-half",
        "head-whole": IGNORE, "head-x": IGNORE,
    }.get(kind, kind)  # fmt: skip


def verovio(svg: str, font: str = "") -> Boxes:
    """The symbols of a page that Verovio engraved (option ``svgViewBox``) in a font.

    Coordinates are those of the outer picture: the inner view box is resolved.
    """
    root = parsed(svg)
    outer = numbers(root.get("viewBox"))
    inner = next(n for n in root.iter(f"{SVG}svg") if n.get("class") == "definition-scale")
    ratio = outer[2] / numbers(inner.get("viewBox"))[2]
    margin = next(n for n in root.iter(f"{SVG}g") if n.get("class") == "page-margin")
    dx, dy = numbers(margin.get("transform"))[:2]
    spaces = []
    for staff in margin.iter(f"{SVG}g"):
        if css_class(staff) == "staff":
            ys = sorted(numbers(p.get("d"))[1] for p in staff.findall(f"{SVG}path"))
            spaces += [b - a for a, b in itertools.pairwise(ys) if b > a]
    space = float(np.median(spaces))
    found = [*_glyphs(root, margin, font), *_drawn(margin, space)]
    boxes = [
        Box(k, (a + dx) * ratio, (b + dy) * ratio, (c + dx) * ratio, (d + dy) * ratio)
        for k, a, b, c, d in found
    ]
    return Boxes(space * ratio, tuple(boxes))


Found = tuple[str, float, float, float, float]


def _glyphs(root: Any, margin: Any, font: str) -> list[Found]:
    defs = {g.get("id"): g[0].get("d") for g in root.iter(f"{SVG}g") if _is_glyph(g)}
    uses = list(margin.iter(f"{SVG}use"))
    scales = [numbers(use.get("transform"))[2] for use in uses]
    common = float(np.median(scales)) if scales else 1.0
    found: list[Found] = []
    for use in uses:
        x, y, sx, sy = numbers(use.get("transform"))
        name = use.get(HREF)[1:]
        if css_class(use.getparent()) == "arpeg":
            continue
        for kind, (x1, y1, x2, y2) in _glyph(name.split("-")[0], defs.get(name, ""), font):
            sized = small(kind) if sx < SMALL * common else kind
            found.append((sized, x + x1 * sx, y - y2 * sy, x + x2 * sx, y - y1 * sy))
    for group in margin.iter(f"{SVG}g"):
        if css_class(group) == "arpeg" and "rotate" in group.get("transform", ""):
            found += _arpeggio(group, defs)
    return found


def _arpeggio(group: Any, defs: dict[str, str]) -> list[Found]:
    angle, cx, cy = numbers(group.get("transform"))
    boxes = []
    for use in group.findall(f"{SVG}use"):
        x, y, sx, sy = numbers(use.get("transform"))
        box = bounds(defs.get(use.get(HREF)[1:], "M0 0"))
        if box:
            boxes.append((x + box[0] * sx, y - box[3] * sy, x + box[2] * sx, y - box[1] * sy))
    if not boxes or abs(abs(angle) - 90) > 1:
        return []
    x1, y1 = min(b[0] for b in boxes), min(b[1] for b in boxes)
    x2, y2 = max(b[2] for b in boxes), max(b[3] for b in boxes)
    turn = math.copysign(1, angle)
    ends = [(cx - turn * (y - cy), cy + turn * (x - cx)) for x, y in ((x1, y1), (x2, y2))]
    xs, ys = sorted(p[0] for p in ends), sorted(p[1] for p in ends)
    return [("arpeggio", xs[0], ys[0], xs[1], ys[1])]


def _drawn(margin: Any, space: float) -> list[Found]:
    """Symbols that are no glyphs: dots, braces, slashes of grace notes, long rests."""
    found: list[Found] = []
    for dot in margin.iter(f"{SVG}ellipse"):
        x, y, r = (float(dot.get(k)) for k in ("cx", "cy", "rx"))
        if r < 0.31 * space:  # bigger ones are enclosures
            found.append(("dot", x - r, y - r, x + r, y + r))
    for group in margin.iter(f"{SVG}g"):
        name = css_class(group)
        if name == "grpSym":
            for path in group.findall(f"{SVG}path"):
                box = bounds(path.get("d")) if "C" in path.get("d").upper() else None
                if box:
                    found.append(("brace", *box))
        elif name == "stem":
            for path in group.findall(f"{SVG}path"):
                x1, y1, x2, y2 = numbers(path.get("d"))[:4]
                if abs(x1 - x2) > 0.3 * space:
                    found.append(
                        ("grace-slash", min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
                    )
        elif name == "multiRest":
            sides = [
                [float(rect.get(k)) for k in ("x", "y", "width", "height")]
                for rect in group.findall(f"{SVG}rect")
            ]
            if sides:
                found.append((
                    "multi-rest", min(s[0] for s in sides), min(s[1] for s in sides),
                    max(s[0] + s[2] for s in sides), max(s[1] + s[3] for s in sides),
                ))  # fmt: skip
    return found


def _is_glyph(group: Any) -> bool:
    return bool(len(group)) and bool(re.match(r"[0-9A-F]{4}-", group.get("id", "")))


@lru_cache(maxsize=64)
def _letters_of(font: str) -> dict[str, tuple[Bounds, float]]:
    """Bounds and advance of the dynamic letters of one of Verovio's fonts."""
    import verovio as engraver

    folder = Path(engraver.__file__).parent / "data" / (font or "Leipzig")
    found = {}
    for letter, code in LETTERS.items():
        text = (folder / f"{code:04X}.xml").read_text()
        d = re.search(r'<path[^>]* d="([^"]*)"', text)
        box = bounds(d.group(1)) if d else None
        listed = (folder.parent / f"{folder.name}.xml").read_text()
        advance = re.search(rf'c="{code:04X}"[^>]*h-a-x="([\d.]+)"', listed)
        if box:
            found[letter] = (box, float(advance.group(1)) if advance else box[2])
    return found


@lru_cache(maxsize=4096)
def _glyph(code_text: str, d: str, font: str) -> tuple[tuple[str, Bounds], ...]:
    code = int(code_text, 16)
    box = bounds(d) if d else None
    sign = sign_of(code)
    if box and len(sign) > 1:
        placed = letters(sign, box, _letters_of(font))
        return tuple((f"dynamic-{k}", b) for k, b in zip(sign, placed, strict=True))
    kind = IGNORE if code in OUTSIDE else GLYPHS.get(code)
    if kind is None or box is None:
        return ()
    if code in OCTAVE_CLEFS:
        eight = octave_sign([box_of(c) for c in contours(record_of(d))], OCTAVE_CLEFS[code])
        if eight:
            x1, y1, x2, y2 = box
            if OCTAVE_CLEFS[code] == "below":
                y1 = min(eight[3], (y1 + y2) / 2)
            else:
                y2 = max(eight[1], (y1 + y2) / 2)
            return ((kind, (x1, y1, x2, y2)), ("clef-8", eight))
    return ((kind, box),)
