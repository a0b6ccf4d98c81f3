"""Ties and slurs: thin bows that are left when everything else is taken away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .lines import coarse
from .morphology import Mask, closed, dilated, low_runs, middles, opened, pieces
from .normalise import FINE
from .symbols import SPACE, Beam, Curve, Stem

UNIT = SPACE * FINE
THICKEST = 0.42
"""Staff spaces a bow is thick in its middle, at most."""
SHORTEST = 0.9
"""Staff spaces from end to end, at least."""

Floats = NDArray[np.float64]


def find_curves(
    ink: Mask, stems: Sequence[Stem], beams: Sequence[Beam], line: float
) -> tuple[Curve, ...]:
    """Bows whose middle is to one side of the line between their ends.

    Args:
        ink: The fine picture without staff lines.
        stems: What is left out.
        beams: What is left out.
        line: Thickness of a staff line, in fine pixels: bows have gaps where lines were.
    """
    thin = _thin(ink, stems, beams)
    bridge = round(line) + 3
    whole = closed(thin, bridge, 3)
    strokes = []
    for piece in pieces(whole):
        if piece.width < 0.45 * UNIT or piece.height > 0.9 * piece.width + 0.5 * UNIT:
            continue
        shape = piece.cut(whole)
        if np.count_nonzero(shape) > THICKEST * UNIT * piece.width:
            continue
        here = np.s_[piece.top : piece.top + piece.height, piece.left : piece.left + piece.width]
        middle = _middle((shape & thin[here]) > 0, piece.left, piece.top)
        if middle is not None:
            strokes.append(middle)
    found = [_curve(xs, ys) for xs, ys in _linked(strokes)]
    return tuple(sorted((c for c in found if c), key=lambda curve: (curve.x1, curve.y1)))


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


def _middle(shape: NDArray[np.bool_], left: int, top: int) -> tuple[Floats, Floats] | None:
    """The middle line of a piece, if it is a smooth stroke."""
    amount, rows = middles(shape)
    columns = np.flatnonzero(amount)
    if len(columns) < 0.4 * UNIT:
        return None
    ys = rows[columns] / amount[columns]
    degree = 2 if len(columns) < 6 * UNIT else 4
    if len(columns) == columns[-1] - columns[0] + 1:
        basis = _basis(len(columns), degree)
        fit = basis @ (basis.T @ ys)
    else:
        fit = np.polyval(np.polyfit(columns, ys, degree), columns)
    if float(np.abs(ys - fit).mean()) > 0.1 * UNIT:
        return None
    return (columns + left).astype(np.float64), ys + top


@lru_cache(maxsize=1024)
def _basis(count: int, degree: int) -> Floats:
    """Orthonormal polynomials over so many columns: to fit them is to project on them."""
    table = np.vander(np.linspace(-1.0, 1.0, count), degree + 1)
    return np.asarray(np.linalg.qr(table)[0], dtype=np.float64)


def _linked(pieces: list[tuple[Floats, Floats]]) -> list[tuple[Floats, Floats]]:
    """Pieces that go on where another ends (a staff line was between them) become one."""
    rows: list[tuple[Floats, Floats]] = []
    ends = np.zeros((3, len(pieces)))  # of each row: x, y, slope
    for piece in sorted(pieces, key=lambda piece: float(piece[0][0])):
        xs, ys = piece
        end_x, end_y, end_slope = ends[:, : len(rows)]
        gap, rise, slope = xs[0] - end_x, ys[0] - end_y, _slope(xs[:12], ys[:12])
        near = (gap >= -2) & (gap < 1.6 * UNIT) & (np.abs(rise) <= 1.5 * UNIT)
        near &= np.abs(rise - gap * (end_slope + slope) / 2) < 0.2 * UNIT
        near &= np.abs(end_slope - slope) < 0.35
        place = int(near.argmax()) if near.any() else len(rows)
        if place < len(rows):
            before_xs, before_ys = rows[place]
            xs, ys = np.concatenate([before_xs, xs]), np.concatenate([before_ys, ys])
        rows[place : place + 1] = [(xs, ys)]
        ends[:, place] = xs[-1], ys[-1], _slope(xs[-12:], ys[-12:])
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
    y1, y2 = float(np.median(ys[:count])), float(np.median(ys[-count:]))
    away = ys - (y1 + (y2 - y1) * (xs - x1) / length)
    bow = float(np.median(away[len(xs) // 3 : 2 * len(xs) // 3 + 1]))
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
