"""Ties and slurs: thin bows that are left when everything else is taken away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .lines import coarse, median
from .morphology import Mask, closed, dilated, low_runs, middles, opened, pieces, shown
from .normalise import FINE
from .symbols import SPACE, Beam, Curve, Stem
from .traces import Stroke, branches, branching, sharpest

UNIT = SPACE * FINE
THICKEST = 0.42
"""Staff spaces a bow is thick in its middle, at most."""
SHORTEST = 0.9
"""Staff spaces from end to end, at least."""
FORKED = 0.06
"""Share of a shape's columns with two strokes, from which on they are followed one by one."""
CUSP = 0.35
"""How much the slope changes where two bows meet, at least."""
FAINT = 8
"""Of 255: how sure the net is of a bow at least, where there is one."""

Floats = NDArray[np.float64]


def find_curves(
    ink: Mask,
    stems: Sequence[Stem],
    beams: Sequence[Beam],
    line: float,
    sure: Mask | None = None,
) -> tuple[Curve, ...]:
    """Bows whose middle is to one side of the line between their ends.

    Args:
        ink: The fine picture without staff lines.
        stems: What is left out.
        beams: What is left out.
        line: Thickness of a staff line, in fine pixels: bows have gaps where lines were.
        sure: The net's mask of bows; where it shows nothing, none is looked for.
    """
    thin = _thin(ink, stems, beams)
    bridge = round(line) + 3
    whole = closed(thin, bridge, 3)
    strokes = []
    shapes = pieces(whole, width=0.45 * UNIT)
    for piece in shapes if sure is None else shown(shapes, sure, FAINT):
        if piece.height > 0.9 * piece.width + 0.5 * UNIT:
            continue
        shape = piece.cut(whole)
        thickness = np.count_nonzero(shape) / (THICKEST * UNIT * piece.width)
        if thickness > 2:
            continue
        several = branching(shape)
        if thickness > 1 + several:
            continue
        if several > FORKED:
            strokes += _forked(shape, piece.left, piece.top)
            continue
        here = np.s_[piece.top : piece.top + piece.height, piece.left : piece.left + piece.width]
        strokes += _middle((shape & thin[here]) > 0, piece.left, piece.top)
    found = [curve for stroke in _linked(strokes) for curve in _curves(stroke)]
    return tuple(sorted(found, key=lambda curve: (curve.x1, curve.y1)))


def _forked(shape: Mask, left: int, top: int) -> list[Stroke]:
    """The smooth strokes of a shape in which several touch."""
    return [part for xs, ys in branches(shape) for part in _smooth(xs + left, ys + top)]


def _curves(stroke: Stroke) -> list[Curve]:
    """The curve that a stroke is, or the two that meet at a chord and so are one stroke."""
    whole = _curve(*stroke)
    if whole or len(stroke[0]) < 2 * SHORTEST * UNIT:
        return [whole] if whole else []
    place, turn = sharpest(stroke, int(0.8 * UNIT))
    xs, ys = stroke
    halves = [_curve(xs[:place], ys[:place]), _curve(xs[place:], ys[place:])]
    both = [curve for curve in halves if curve]
    if abs(turn) < CUSP or len(both) < 2 or any(curve.up != (turn < 0) for curve in both):
        return []
    return both


def _thin(ink: Mask, stems: Sequence[Stem], beams: Sequence[Beam]) -> Mask:
    """Ink of low vertical runs, away from heads, stems and beams."""
    thin = low_runs(ink, int(THICKEST * UNIT))
    thick = dilated(opened(ink, int(0.55 * UNIT), int(0.4 * UNIT)), 7, 9)
    thin[thick > 0] = 0
    for stem in stems:
        x, top, bottom = (int(v * FINE) for v in (stem.x, stem.top, stem.bottom))
        thin[max(0, top) : bottom + 2, max(0, x - 3) : x + 5] = 0
    for beam in beams:
        ends = [
            (int(beam.x1 * FINE), int(beam.y1 * FINE)),
            (int(beam.x2 * FINE), int(beam.y2 * FINE)),
        ]
        cv2.line(thin, ends[0], ends[1], 0, int(beam.thickness * FINE * 1.6))
    return thin


def _middle(shape: NDArray[np.bool_], left: int, top: int) -> list[Stroke]:
    """The middle line of a piece, if it is a smooth stroke, or two that meet in a point."""
    amount, rows = middles(shape)
    columns = np.flatnonzero(amount)
    if len(columns) < 0.4 * UNIT:
        return []
    ys = rows[columns] / amount[columns]
    return _smooth((columns + left).astype(np.float64), ys + top)


def _smooth(xs: Floats, ys: Floats, *, whole: bool = False) -> list[Stroke]:
    """A stroke that runs as a bow does; the two parts of one that turns sharply at a place."""
    if len(xs) < 0.4 * UNIT:
        return []
    degree = 2 if len(xs) < 6 * UNIT else 4
    if len(xs) == xs[-1] - xs[0] + 1:
        basis = _basis(len(xs), degree)
        fit = basis @ (basis.T @ ys)
    else:
        middle = xs - xs.mean()
        fit = np.polyval(np.polyfit(middle, ys, degree), middle)
    if float(np.abs(ys - fit).mean()) <= 0.1 * UNIT:
        return [(xs, ys)]
    place, turn = sharpest((xs, ys), int(0.8 * UNIT))
    if whole or abs(turn) < CUSP:
        return []
    halves = ((xs[:place], ys[:place]), (xs[place:], ys[place:]))
    return [part for half in halves for part in _smooth(*half, whole=True)]


@lru_cache(maxsize=1024)
def _basis(count: int, degree: int) -> Floats:
    """Orthonormal polynomials over so many columns: to fit them is to project on them."""
    table = np.vander(np.linspace(-1.0, 1.0, count), degree + 1)
    return np.asarray(np.linalg.qr(table)[0], dtype=np.float64)


def _linked(pieces: list[Stroke]) -> list[Stroke]:
    """Pieces that go on where another ends (a staff line was between them) become one."""
    rows: list[Stroke] = []
    ends = np.zeros((4, len(pieces)))  # of each row: x, y, slope, length
    for piece in sorted(pieces, key=lambda piece: float(piece[0][0])):
        xs, ys = piece
        end_x, end_y, end_slope, length = ends[:, : len(rows)]
        gap, rise, slope = xs[0] - end_x, ys[0] - end_y, _slope(xs[:16], ys[:16])
        near = (gap >= -2) & (gap < 1.6 * UNIT) & (np.abs(rise) <= 1.5 * UNIT)
        long = np.minimum(length, xs[-1] - xs[0]) > UNIT  # no stroke of an accidental
        turn = 0.35 + 0.4 * long * np.maximum(np.abs(end_slope), abs(slope))
        near &= np.abs(end_slope - slope) < turn
        miss = np.where(near, np.abs(rise - gap * (end_slope + slope) / 2), np.inf)
        place = int(miss.argmin()) if rows and miss.min() < 0.2 * UNIT else len(rows)
        if place < len(rows):
            before_xs, before_ys = rows[place]
            xs, ys = np.concatenate([before_xs, xs]), np.concatenate([before_ys, ys])
        rows[place : place + 1] = [(xs, ys)]
        ends[:, place] = xs[-1], ys[-1], _slope(xs[-16:], ys[-16:]), xs[-1] - xs[0]
    return rows


def _slope(xs: Floats, ys: Floats) -> float:
    """Rise of a short piece: between the means of its two halves."""
    half = len(xs) // 2
    if half == 0:
        return 0.0
    across = xs[-half:].sum() - xs[:half].sum()
    return float((ys[-half:].sum() - ys[:half].sum()) / across)


def _curve(xs: Floats, ys: Floats) -> Curve | None:
    """A curve, if the stroke is long enough and bows to one side."""
    length = float(xs[-1] - xs[0])
    if length < SHORTEST * UNIT:
        return None
    count = max(2, len(xs) // 12)
    x1, x2 = float(xs[0]), float(xs[-1])
    y1, y2 = median(ys[:count]), median(ys[-count:])
    away = ys - (y1 + (y2 - y1) * (xs - x1) / length)
    bow = median(away[len(xs) // 3 : 2 * len(xs) // 3 + 1])
    if abs(bow) < max(0.1 * UNIT, 0.02 * min(length, 10 * UNIT)):
        return None
    if float((np.sign(away) == np.sign(bow)).mean()) < 0.75:
        return None
    return Curve(
        x1=float(coarse(x1)),
        y1=float(coarse(ys[0])),
        x2=float(coarse(x2)),
        y2=float(coarse(ys[-1])),
        up=bow < 0,
    )
