"""Kinds and boxes of the symbols in an SVG that MuseScore 3 drew.

MuseScore writes bare outlines with the class of the element, so each outline is compared
with those of the font it was set in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from boxes import SVG, Box, Boxes, numbers, octave_sign, parsed, small
from outlines import (
    Bounds,
    FontShapes,
    Outline,
    Record,
    box_of,
    contours,
    letters,
    outline,
    pieces,
    record_of,
    sign_of,
)
from smufl import BY_CLASS, GLYPHS, IGNORE, LETTERS, OCTAVE_CLEFS, OUTSIDE, SMALL, TIME_DIGITS

LIKE = 0.25
"""Outlines nearer than this are the same glyph."""
MUST_KNOW = ("Note", "Rest", "Clef", "Articulation", "TimeSig", "Dynamic")
"""Classes whose unknown outlines nothing is learnt from, rather than that nothing is there."""


def musescore(svg: str, fonts: FontShapes) -> Boxes:
    """The symbols of a page that MuseScore 3 drew, set in the font of ``fonts``."""
    root = parsed(svg)
    lines = [numbers(n.get("points")) for n in root if n.get("class") == "StaffLines"]
    ys = np.array([n[1] for n in lines])
    gaps = np.diff(ys)
    space = float(np.median(gaps[gaps > 0]))
    found: list[Box] = []
    for node in root.iter(f"{SVG}path"):
        name = node.get("class", "")
        if name == "Bracket":
            box = _placed(node, record_of(node.get("d")))
            if box[3] - box[1] > 5 * space and box[2] - box[0] > 0.4 * space:
                found.append(Box("brace", *box))
        elif name == "Tremolo":
            found += _tremolo(node, space)
        elif name in BY_CLASS:
            found += _symbol(node, name, fonts, space, ys)
    found += [*_arpeggios(root), *_multi_rests(root, space), *_slashes(root)]
    return Boxes(space, tuple(found))


def matrix(node: Any) -> tuple[float, float, float, float, float, float]:
    """The transformation of an element."""
    text = node.get("transform")
    if not text:
        return 1.0, 0.0, 0.0, 1.0, 0.0, 0.0
    a, b, c, d, e, f = numbers(text)
    return a, b, c, d, e, f


def _placed(node: Any, record: Record) -> Bounds:
    """Bounds of a drawing in the page's units: left, top, right, bottom."""
    x1, y1, x2, y2 = box_of(record)
    a, b, c, d, e, f = matrix(node)
    xs = [a * x + c * y + e for x in (x1, x2) for y in (y1, y2)]
    ys = [b * x + d * y + f for x in (x1, x2) for y in (y1, y2)]
    return min(xs), min(ys), max(xs), max(ys)


def _tremolo(node: Any, space: float) -> list[Box]:
    """Strokes through one stem; those between two notes are long, and beams to us."""
    record = record_of(node.get("d"))
    box = _placed(node, record)
    strokes = len(contours(record))
    if box[2] - box[0] > 2.2 * space:
        return []
    return [Box(f"tremolo-{strokes}" if strokes in (1, 2, 3) else IGNORE, *box)]


def _arpeggios(root: Any) -> Iterator[Box]:
    """Pieces of one wave stand over one another."""
    waves: list[list[float]] = []
    for node in root.iter(f"{SVG}path"):
        if node.get("class") != "Arpeggio":
            continue
        box = _placed(node, record_of(node.get("d")))
        high = box[3] - box[1]
        for wave in waves:
            if abs(wave[0] - box[0]) < 1 and box[1] - high < wave[3] and wave[1] < box[3] + high:
                wave[:] = [wave[0], min(wave[1], box[1]), wave[2], max(wave[3], box[3])]
                break
        else:
            waves.append(list(box))
    for left, top, right, bottom in waves:
        yield Box("arpeggio", left, top, right, bottom)


def _multi_rests(root: Any, space: float) -> Iterator[Box]:
    """The thick bar of a rest of several bars."""
    for node in root.iter(f"{SVG}polyline"):
        if node.get("class") == "Rest":
            x1, y1, x2, y2 = numbers(node.get("points"))[:4]
            if x2 - x1 > space:
                yield Box("multi-rest", x1 - 0.4 * space, y1 - space, x2 + 0.4 * space, y2 + space)


def _slashes(root: Any) -> Iterator[Box]:
    for node in root.iter(f"{SVG}polyline"):
        if node.get("class") == "StemSlash":
            x1, y1, x2, y2 = numbers(node.get("points"))[:4]
            yield Box("grace-slash", min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


def _whole_or_half(box: Bounds, lines: np.ndarray, space: float) -> int:
    """Bars of one shape in many fonts: a whole rest hangs from a line, a half rest sits."""

    def off(y: float) -> float:
        nearest = float(lines[np.abs(lines - y).argmin()])
        return abs((y - nearest) / space - round((y - nearest) / space))

    return 0xE4E3 if off(box[1]) < off(box[3]) else 0xE4E4


def _symbol(node: Any, name: str, fonts: FontShapes, space: float, lines: np.ndarray) -> list[Box]:
    record = record_of(node.get("d"))
    drawn = outline(record, flip=True)
    if drawn is None:
        return []
    box = _placed(node, record)
    code, distance, nominal = fonts.code(name, drawn)
    if distance > LIKE:
        return _spelled(node, name, record, fonts) or (
            [Box(IGNORE, *box)] if name in MUST_KNOW else []
        )
    if len(sign_of(code)) > 1:
        return _dynamic(sign_of(code), box, fonts)
    if code in (0xE4E3, 0xE4E4):
        code = _whole_or_half(box, lines, space)
    kind = IGNORE if code in OUTSIDE else GLYPHS.get(code)
    if kind is None:
        return [Box(IGNORE, *box)] if name in MUST_KNOW else []
    if (box[3] - box[1]) / space < SMALL * nominal:
        kind = small(kind)
    if code in OCTAVE_CLEFS:
        return _octave_clef(node, record, kind, box, OCTAVE_CLEFS[code])
    return [Box(kind, *box)]


def _spelled(node: Any, name: str, record: Record, fonts: FontShapes) -> list[Box]:
    """The digits of a number or letters of a dynamic drawn as one outline, if it is that."""
    codes = {"TimeSig": TIME_DIGITS, "Rest": TIME_DIGITS}.get(name, BY_CLASS.get(name, ()))
    if name not in ("TimeSig", "Rest", "Tuplet", "Dynamic"):
        return []
    found = []
    for part in pieces(record):
        drawn = outline(part, flip=True)
        if drawn is None:
            return []
        box = _placed(node, part)
        if name == "Dynamic":
            sign = _letters_like(drawn, fonts)
            if not sign:
                return []
            found += _dynamic(sign, box, fonts)
            continue
        code, distance, _ = fonts.nearest(codes, drawn)
        if distance > LIKE:
            return []
        found.append(Box(GLYPHS.get(code, IGNORE), *box))
    return found


def _letters_like(drawn: Outline, fonts: FontShapes) -> str:
    """The letter of a dynamic; two or three f can be drawn in one stroke."""
    alike = [
        (float(np.abs(shape - drawn.shape).max()), letter)
        for letter, code in LETTERS.items()
        for shape, _ in fonts.known.get(code, ())
        if abs(shape[1] - drawn.shape[1]) < 0.01  # as many outlines
    ]
    distance, letter = min(alike, default=(9.0, ""))
    if distance < 1.4 * LIKE:
        return letter
    wide = (drawn.box[2] - drawn.box[0]) / (drawn.box[3] - drawn.box[1])
    return "ff" if 1.1 < wide < 1.5 else "fff" if 1.5 < wide < 2.1 else ""


def _dynamic(sign: str, box: Bounds, fonts: FontShapes) -> list[Box]:
    upwards = (box[0], -box[3], box[2], -box[1])
    placed = letters(sign, upwards, fonts.letters)
    return [
        Box(f"dynamic-{letter}", b[0], -b[3], b[2], -b[1])
        for letter, b in zip(sign, placed, strict=False)
    ]


def _octave_clef(node: Any, record: Record, kind: str, box: Bounds, place: str) -> list[Box]:
    a, _, _, d, e, f = matrix(node)
    parts = [box_of(c) for c in contours(record)]
    eight = octave_sign([(c[0], -c[3], c[2], -c[1]) for c in parts], place)
    if not eight:
        return [Box(kind, *box)]
    e8 = (eight[0] * a + e, -eight[3] * d + f, eight[2] * a + e, -eight[1] * d + f)
    top, bottom = box[1], box[3]
    if place == "below":
        bottom = max(e8[1], (top + bottom) / 2)
    else:
        top = min(e8[3], (top + bottom) / 2)
    return [Box(kind, box[0], top, box[2], bottom), Box("clef-8", *e8)]
