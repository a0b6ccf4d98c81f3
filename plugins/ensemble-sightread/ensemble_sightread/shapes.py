"""Shapes of ink that may be letters: what neither crosses a staff nor holds a stem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from .lines import coarse, fine, staff_y
from .morphology import Mask
from .normalise import FINE
from .symbols import SPACE, Beam, Curve, Hairpin, Seen, Staff, Stem, Symbol

UNIT = SPACE * FINE
TALLEST = 4.6
"""Staff spaces of the tallest letter."""
JOINED = 12.0
"""Staff spaces of the widest shape: letters that touch."""
NAME = 1.6
"""Staff spaces that names beside a staff reach below it, at most."""
SIGNS = ("accent", "marcato", "fermata", "up-bow", "down-bow", "trill")
"""What is never a letter nor a mark at one, if it is seen clearly; letters of dynamics too."""
TEXT = 0.6
"""How sure the page's net is of text, 0 to 1, where there surely is some."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@attrs.frozen(eq=False)
class Shapes:
    """Connected pieces of ink, in fine pixels, ascending by their left.

    Attributes:
        left, top, right, bottom: Their boxes, shape (n,).
        outlines: Their outer outlines.
        bend: How much lower the page is at each than it is on average, shape (n,).
        slope: Of the page there, shape (n,).
        claimed: What covers them, shape (n,): 0 nothing, 1 a symbol, 2 a sign.
        text: How sure the page's net is of text there, 0 to 1; 1 if it says nothing.
        height, width: Of each, shape (n,).
        high, low: Top and bottom as they were if the page were straight, shape (n,).
    """

    left: Floats
    top: Floats
    right: Floats
    bottom: Floats
    outlines: list[NDArray[np.int32]]
    bend: Floats
    slope: Floats
    claimed: NDArray[np.int64]
    text: Floats

    height: Floats = attrs.field(init=False)
    width: Floats = attrs.field(init=False)
    high: Floats = attrs.field(init=False)
    low: Floats = attrs.field(init=False)

    @height.default
    def _tall(self) -> Floats:
        return self.bottom - self.top

    @width.default
    def _wide(self) -> Floats:
        return self.right - self.left

    @high.default
    def _flat_top(self) -> Floats:
        return self.top - self.bend

    @low.default
    def _flat_bottom(self) -> Floats:
        return self.bottom - self.bend


@attrs.frozen(eq=False)
class Outlines:
    """What is drawn around each connected piece of ink, without its holes.

    Attributes:
        lines: As OpenCV gives them.
        boxes: Left, top, width and height of each, shape (n, 4).
    """

    lines: list[Any]
    boxes: Floats


def outlined(cleared: Mask) -> Outlines:
    """The outlines of the fine black-and-white picture without staff lines."""
    lines, nesting = cv2.findContours(cleared, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    inside = nesting[0, :, 3].tolist() if lines else ()
    outer = [line for line, hole in zip(lines, inside, strict=True) if hole < 0]
    boxes = np.array([cv2.boundingRect(line) for line in outer], np.float64).reshape(-1, 4)
    return Outlines(outer, boxes)


def find_shapes(
    outlines: Outlines, seen: Seen, areas: Mask | None = None
) -> tuple[Shapes, list[NDArray[np.int64]]]:
    """Shapes that may belong to words, and for each space between staves which lie there.

    Args:
        outlines: As :func:`outlined` gives them.
        seen: What else is on the page.
        areas: How sure it is that text is there, at half the page's size, 255 is sure.
    """
    boxes = outlines.boxes
    keep = (boxes[:, 3] <= TALLEST * UNIT) & (boxes[:, 2] <= JOINED * UNIT)
    keep &= (boxes[:, 2] >= 2) & (boxes[:, 3] >= 2) & (boxes[:, 2] * boxes[:, 3] >= 6)
    where = np.flatnonzero(keep)
    where = where[np.argsort(boxes[where, 0], kind="stable")]
    left, top, wide, high = boxes[where].T
    edges = np.stack([left, top, left + wide, top + high])
    x, y = coarse(left + wide / 2), coarse(top + high / 2)
    row, music, bend, slope = _beside(edges, x, y, seen.staves)
    music |= _held(edges, seen.stems, seen.beams)
    music |= _bowed(edges, seen.curves)
    music |= _opening(edges, seen.hairpins)
    claimed = _claimed(x, y, wide / FINE, high / FINE, seen.symbols)
    covered = np.flatnonzero(claimed)
    claimed[covered[_framed(edges, edges[:, covered])]] = 0
    text = np.ones(len(x))
    if areas is not None:
        text = _covered(areas, x, y, wide / FINE, high / FINE)
        claimed[(text > TEXT) & (claimed == 1)] = 0
    kept = np.flatnonzero(~music)
    left, top, right, bottom = edges[:, kept]
    own = [np.asarray(outlines.lines[i], dtype=np.int32) for i in where[kept]]
    shapes = Shapes(
        left, top, right, bottom, own, bend[kept], slope[kept], claimed[kept], text[kept]
    )  # fmt: skip
    row = row[kept]
    return shapes, [np.flatnonzero(row == number) for number in range(len(seen.staves) + 1)]


def _beside(
    edges: Floats, x: Floats, y: Floats, staves: Sequence[Staff]
) -> tuple[NDArray[np.int64], Flags, Floats, Floats]:
    """Of each shape: staves above it, whether it touches one, bend and slope of the nearest."""
    row = np.zeros(len(x), np.int64)
    touching = np.zeros(len(x), bool)
    nearest = np.full(len(x), np.inf)
    bend, slope = np.zeros(len(x)), np.zeros(len(x))
    for staff in staves:
        high, low = staff_y(staff, 8.0, x), staff_y(staff, 0.0, x)
        inside = (staff.left - 0.3 * SPACE < x) & (x < staff.right + 0.3 * SPACE)
        row += y > np.where(x < staff.left, low + NAME * SPACE, (high + low) / 2)
        touching |= inside & (coarse(edges[3]) > high - 1) & (coarse(edges[1]) < low + 1)
        away = np.abs(y - (high + low) / 2)
        close = away < nearest
        nearest[close] = away[close]
        bend[close] = FINE * (low - float(staff.bottom.mean()))[close]
        slope[close] = _slope(staff, x)[close]
    return row, touching, bend, slope


def _slope(staff: Staff, x: Floats) -> Floats:
    reach = 8 * SPACE
    ends = np.interp(x + reach, staff.xs, staff.bottom) - np.interp(
        x - reach, staff.xs, staff.bottom
    )
    return np.asarray(ends / (2 * reach))


def _held(boxes: Floats, stems: Sequence[Stem], beams: Sequence[Beam]) -> Flags:
    """Which shapes have a stem or beam in them."""
    left, top, right, bottom = boxes
    held = np.zeros(len(left), bool)
    for x, high, low in fine([(s.x, s.top, s.bottom) for s in stems]).reshape(-1, 3).tolist():
        near = slice(*np.searchsorted(left, (x - JOINED * UNIT - 3, x + 3)).tolist())
        shared = np.minimum(bottom[near], low) - np.maximum(top[near], high)
        held[near] |= (
            (left[near] - 2 <= x)
            & (x <= right[near] + 2)
            & (shared > 0.5 * np.minimum(bottom[near] - top[near], low - high))
        )
    for beam in beams:
        x, y = float(fine((beam.x1 + beam.x2) / 2)), float(fine((beam.y1 + beam.y2) / 2))
        held |= (left <= x) & (x <= right) & (top - 2 <= y) & (y <= bottom + 2)
    return held


def _bowed(boxes: Floats, curves: Sequence[Curve]) -> Flags:
    """Which shapes are slurs or ties."""
    left, top, right, bottom = boxes
    found = np.zeros(len(left), bool)
    flat = right - left > 1.5 * (bottom - top)  # a round letter may look like a bow
    for curve in curves:
        x1, x2, y1, y2 = (float(v) for v in fine((curve.x1, curve.x2, curve.y1, curve.y2)))
        near = (np.abs(left - x1) < 0.6 * UNIT) & (np.abs(right - x2) < 0.6 * UNIT)
        found |= flat & near & (top - 4 < min(y1, y2)) & (max(y1, y2) < bottom + 4)
    return found


def _opening(boxes: Floats, hairpins: Sequence[Hairpin]) -> Flags:
    """Which shapes are hairpins or lines of them."""
    left, top, right, bottom = boxes
    found = np.zeros(len(left), bool)
    for pin in hairpins:
        x1, x2, y = (float(v) for v in fine((pin.x1, pin.x2, pin.y)))
        shared = np.minimum(right, x2) - np.maximum(left, x1)
        found |= (
            (shared > 0.7 * (right - left))
            & (shared > 0.4 * (x2 - x1))
            & (top - UNIT < y)
            & (y < bottom + UNIT)
        )
    return found


def surrounds(outer: Floats, inner: Floats) -> Flags:
    """Which boxes lie close around which; left, top, right, bottom each.

    Args:
        outer: Shape (4, m).
        inner: Shape (4, n).

    Returns:
        Shape (m, n).
    """
    around = (outer[3] - outer[1])[:, None] < 2.6 * (inner[3] - inner[1])
    for edge, other, sign in zip(outer, inner, (1, 1, -1, -1), strict=True):
        around &= sign * edge[:, None] < sign * other - 2
    return np.asarray(around)


def _framed(edges: Floats, inner: Floats) -> Flags:
    """Which boxes stand in the middle of a frame, as rehearsal marks do, shape (n,)."""
    wide, tall = edges[2] - edges[0], edges[3] - edges[1]
    amid = np.abs((edges[0] + edges[2])[:, None] - (inner[0] + inner[2])) < 0.4 * wide[:, None]
    amid &= np.abs((edges[1] + edges[3])[:, None] - (inner[1] + inner[3])) < 0.4 * tall[:, None]
    return np.asarray((surrounds(edges, inner) & amid & (wide < 2.5 * tall)[:, None]).any(0))


def _covered(areas: Mask, x: Floats, y: Floats, wide: Floats, high: Floats) -> Floats:
    """How sure it is, 0 to 1, that there is text where boxes of the page are."""
    total = cv2.integral(areas)
    rows, columns = areas.shape

    def cells(v: Floats, most: int) -> NDArray[np.int64]:
        return np.clip(np.rint(v / 2), 0, most).astype(np.int64)

    x1, y1 = cells(x - wide / 2, columns - 1), cells(y - high / 2, rows - 1)
    x2 = np.maximum(cells(x + wide / 2, columns), x1 + 1)
    y2 = np.maximum(cells(y + high / 2, rows), y1 + 1)
    inside = total[y2, x2] - total[y1, x2] - total[y2, x1] + total[y1, x1]
    return np.asarray(inside / (255.0 * (x2 - x1) * (y2 - y1)))


def _claimed(
    x: Floats, y: Floats, wide: Floats, high: Floats, symbols: Sequence[Symbol]
) -> NDArray[np.int64]:
    """What covers each shape: 0 nothing, 1 a symbol, 2 a sign; they ascend by their left."""
    claimed = np.zeros(len(x), np.int64)
    left, right, top, bottom = x - wide / 2, x + wide / 2, y - high / 2, y + high / 2
    least = 0.5 * wide * high
    for s in symbols:
        # More than half of a shape is covered: it is not twice as wide as the symbol.
        begin = s.left - 2 * (s.right - s.left) - 1
        near = slice(*np.searchsorted(left, (begin, s.right + 1)).tolist())
        across = np.minimum(s.right, right[near]) - np.maximum(s.left, left[near])
        down = np.minimum(s.bottom, bottom[near]) - np.maximum(s.top, top[near])
        covered = across.clip(0) * down.clip(0) > least[near]
        sign = s.kind.startswith("dynamic-") or (s.kind in SIGNS and s.confidence > 0.6)
        claimed[near][covered] = np.maximum(claimed[near][covered], 2 if sign else 1)
    return claimed
