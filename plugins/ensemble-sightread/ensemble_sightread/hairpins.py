"""Hairpins: pairs of straight thin lines that meet at one end.

Thin strokes that are straight are put together where a bar line, a stem or a letter cuts
them; then an upper and a lower one that run towards each other make a hairpin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from .lines import coarse, median, straight
from .morphology import Mask, Piece, low_runs, pieces, shown
from .normalise import FINE
from .symbols import SPACE, Hairpin, Symbol

UNIT = SPACE * FINE
THICKEST = 0.36
"""Staff spaces a stroke is thick; where its two strokes meet, a hairpin may be as thick."""
SHORTEST = 1.2
"""Staff spaces from end to end, at least."""
STROKE = 0.7
"""Staff spaces of the shortest stroke that others are added to."""
STEEPEST = 0.45
CROOKED = 0.09
"""Staff spaces a stroke may be off the straight line, on average."""
GAP = 2.6
"""Staff spaces of a line that may be hidden at a time."""
CLOSED, WIDEST, OPEN = 0.45, 3.2, 0.42
"""Staff spaces between the lines: at the closed end at most, at the open one at most and at
least."""

FAINT = 8
"""Of 255: how sure the net is of some line at least, where there is a hairpin."""

Floats = NDArray[np.float64]


@attrs.frozen(eq=False)
class _Line:
    """A straight stroke in fine pixels: y = slope · x + offset from x1 to x2."""

    x1: float
    x2: float
    slope: float
    offset: float
    inked: float

    def y(self, x: float) -> float:
        return self.slope * x + self.offset

    @property
    def length(self) -> float:
        return self.x2 - self.x1


def find_hairpins(
    ink: Mask, symbols: Sequence[Symbol], sure: Mask | None = None
) -> tuple[Hairpin, ...]:
    """The hairpins of a page.

    Args:
        ink: The fine picture without staff lines.
        symbols: What was found; accents are no hairpins.
        sure: The net's mask of thin lines; where it shows nothing, no hairpin is looked for.
    """
    thin = low_runs(ink, round(THICKEST * UNIT))
    strokes: list[_Line] = []
    shapes = pieces(thin, width=0.5 * UNIT + 1)
    for piece in shapes if sure is None else shown(shapes, sure, FAINT):
        if piece.height < min(3.5 * UNIT, 0.6 * piece.width + 0.3 * UNIT):
            strokes += _strokes(piece, thin)
    lines = [line for line in _joined(strokes) if line.length > SHORTEST * UNIT]
    lines = [line for line in lines if abs(line.slope) < STEEPEST and _is_inked(line)]
    accents = [s for s in symbols if s.kind in ("accent", "marcato")]
    found = []
    for hairpin in _pairs(lines):
        if hairpin.opens or not any(_covers(accent, hairpin) for accent in accents):
            found.append(hairpin)
    return tuple(sorted(found, key=lambda h: (h.x1, h.y)))


def _is_inked(line: _Line) -> bool:
    return line.inked > 0.55 * line.length


def _covers(symbol: Symbol, hairpin: Hairpin) -> bool:
    """Whether a hairpin is no more than a symbol is."""
    inside = symbol.left - 3 < hairpin.x1 and hairpin.x2 < symbol.right + 3
    return inside and symbol.top - 3 < hairpin.y < symbol.bottom + 3


def _strokes(piece: Piece, mask: Mask) -> Iterator[_Line]:
    """The upper and the lower edge of a shape, where they are straight strokes."""
    shape = piece.cut(mask) > 0
    columns = np.flatnonzero(shape.any(axis=0))
    upper = shape.argmax(axis=0)[columns].astype(np.float64)
    lower = (shape.shape[0] - 1 - shape[::-1].argmax(axis=0))[columns].astype(np.float64)
    xs = columns.astype(np.float64)
    amount = shape.sum(axis=0)[columns]
    apart = lower - upper + 1 > amount  # two strokes, one above the other
    if apart.mean() < 0.35:
        line = _line(xs + piece.left, (upper + lower) / 2 + piece.top)
        if line:
            yield line
        return
    half = median(amount[apart]) / 4
    both = [_line(xs + piece.left, edge + piece.top) for edge in (upper + half, lower - half)]
    yield from (line for line in both if line)


def _line(xs: Floats, ys: Floats) -> _Line | None:
    """The straight line through a stroke, save for a few points; None if it is crooked."""
    kept = np.ones(len(xs), np.bool_)
    slope, offset, away = 0.0, 0.0, np.zeros(len(xs))
    for _ in range(3):
        if kept.sum() < max(4, 0.85 * len(xs)):
            return None
        slope, offset = straight(xs[kept], ys[kept])
        away = np.abs(ys - slope * xs - offset)
        kept = away < max(2.5 * CROOKED * UNIT, median(away) * 3)
    if float(away[kept].mean()) > CROOKED * UNIT or kept.sum() < 0.85 * len(xs):
        return None
    used = xs[kept]
    return _Line(float(used[0]), float(used[-1]) + 1, slope, offset, float(len(used)))


def _joined(strokes: Sequence[_Line]) -> list[_Line]:
    """Strokes that go on in one another as one; the longest are followed first."""
    order = sorted((s for s in strokes if abs(s.slope) < 2 * STEEPEST), key=lambda s: -s.length)
    table = np.array([(s.x1, s.x2, s.slope, s.offset) for s in order]).reshape(-1, 4).T
    free = np.ones(len(order), np.bool_)
    found: list[_Line] = []
    for number, longest in enumerate(order):
        if not free[number] or longest.length < STROKE * UNIT:
            continue
        free[number], line = False, longest
        while True:
            gaps = np.where(free & _follow(line, table), _gaps(line, table), np.inf)
            if not np.isfinite(gaps.min()):
                break
            following = int(gaps.argmin())
            line = _sum(line, order[following])
            free[following] = False
        found.append(line)
    return found


def _gaps(line: _Line, table: Floats) -> Floats:
    """How far a line ends from where each other one begins, or the other way round."""
    return np.asarray(np.maximum(table[0] - line.x2, line.x1 - table[1]))


def _follow(line: _Line, table: Floats) -> NDArray[np.bool_]:
    """Which lines (x1, x2, slope, offset; shape (4, n)) go on where a line ends or begins."""
    x1, x2, slope, offset = table
    gap = _gaps(line, table)
    near = np.where(x1 > line.x1, x1, x2)
    away = np.zeros(len(x1))
    for x in (near, (x1 + x2) / 2):
        away = np.maximum(away, np.abs((line.slope - slope) * x + line.offset - offset))
    turn = np.abs(slope - line.slope) < 0.1 * UNIT / (x2 - x1) + 0.02
    reach = (gap > -0.2 * UNIT) & (gap < min(GAP * UNIT, line.length))
    return np.asarray(reach & (away < 0.12 * UNIT) & (turn | (x2 - x1 < UNIT)))


def _sum(a: _Line, b: _Line) -> _Line:
    """One line through both: each counts as much as it has ink."""
    xs = np.array([a.x1, a.x2, b.x1, b.x2])
    ys = np.array([a.y(a.x1), a.y(a.x2), b.y(b.x1), b.y(b.x2)])
    weights = np.array([a.inked, a.inked, b.inked, b.inked])
    slope, offset = np.polyfit(xs, ys, 1, w=np.sqrt(weights))
    return _Line(float(xs.min()), float(xs.max()), float(slope), float(offset), a.inked + b.inked)


def _pairs(lines: Sequence[_Line]) -> Iterator[Hairpin]:
    """Two lines that run together, each taken once, those that fit best first."""
    order = sorted(lines, key=lambda line: line.x1)
    fits = []
    for number, a in enumerate(order):
        for b in order[number + 1 :]:
            if b.x1 > a.x2:
                break
            upper, lower = (a, b) if a.y(b.x1) + a.y(b.x2) < b.y(b.x1) + b.y(b.x2) else (b, a)
            miss = _miss(upper, lower)
            if miss is not None:
                fits.append((miss, number, upper, lower))
    used: set[int] = set()
    for _, _, upper, lower in sorted(fits, key=lambda fit: fit[:2]):
        if id(upper) in used or id(lower) in used:
            continue
        used |= {id(upper), id(lower)}
        yield _hairpin(upper, lower)


def _miss(upper: _Line, lower: _Line) -> float | None:
    """How badly two lines fit together; None: they are no hairpin."""
    x1, x2 = min(upper.x1, lower.x1), max(upper.x2, lower.x2)
    uneven = abs(upper.x1 - lower.x1) + abs(upper.x2 - lower.x2)
    if uneven > 0.35 * (x2 - x1):
        return None
    left, right = lower.y(x1) - upper.y(x1), lower.y(x2) - upper.y(x2)
    closed, wide = sorted((left, right))
    if not -0.25 * UNIT < closed < max(CLOSED * UNIT, 0.6 * wide):
        return None
    if not OPEN * UNIT < wide < WIDEST * UNIT:
        return None
    lean = (upper.slope + lower.slope) / 2
    opening = abs(upper.slope - lower.slope) / 2
    if abs(lean) > max(0.06, 0.6 * opening):
        return None
    return uneven / UNIT + 2 * max(closed, 0) / UNIT + abs(lean) * 10


def _hairpin(upper: _Line, lower: _Line) -> Hairpin:
    x1, x2 = min(upper.x1, lower.x1), max(upper.x2, lower.x2)
    middle = (x1 + x2) / 2
    return Hairpin(
        float(coarse(x1)), float(coarse(x2)),
        float(coarse((upper.y(middle) + lower.y(middle)) / 2)),
        max(lower.y(x1) - upper.y(x1), 0.0) / FINE, max(lower.y(x2) - upper.y(x2), 0.0) / FINE,
    )  # fmt: skip
