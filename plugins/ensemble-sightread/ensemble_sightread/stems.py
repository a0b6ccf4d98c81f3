"""Stems: thin upright strokes on a page whose staff lines are gone."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from .lines import coarse, staff_y
from .morphology import Mask, Piece, eroded, opened, pieces, shown, without
from .normalise import FINE
from .symbols import SPACE, Staff, Stem, System

UNIT = SPACE * FINE
THICKEST_STEM = (0.38, 0.48)
"""Staff spaces; where the net vouches for it."""
SHORTEST_STEM = 1.9
"""Staff spaces, head and beam included."""
CLEF = 2.4 * SPACE
"""Where a staff begins with a clef there are no stems."""
FILLED = 2
"""What the pixels of a shape are set to."""
FAINT = 8
"""Of 255: how sure the net is of a stem at least, where there is one."""


@attrs.frozen
class _Upright:
    """A stem in fine pixels; ``free`` of its length stands alone, ``width`` wide."""

    x: float
    top: float
    bottom: float
    free: float
    width: float

    @property
    def length(self) -> float:
        return self.bottom - self.top


def find_uprights(ink: Mask, sure: Mask | None = None) -> list[Stem]:
    """Thin upright strokes that may be stems: bar lines are among them, but no accidentals.

    Args:
        ink: The fine picture without staff lines.
        sure: The net's mask of stems; where it shows nothing, none is looked for.

    Returns:
        As long as their ink: through the heads at one end, the beams at the other.
    """
    tall = opened(ink, int(1.3 * UNIT), 1)
    broad = opened(tall, 1, int(THICKEST_STEM[sure is not None] * UNIT))
    thin = without(tall, broad)
    shapes = pieces(thin, height=0.5 * UNIT)
    if sure is not None:
        shapes = shown(shapes, sure, FAINT)
    found = _together(_free_parts(shapes, thin, tall))
    found = [s for s in found if s.length >= SHORTEST_STEM * UNIT and s.free >= UNIT]
    usual = float(np.median([s.width for s in found])) if found else 0.0
    found = [s for s in found if s.width <= max(0.2 * UNIT, 1.6 * usual)]
    found = _without_accidentals(found, ink)
    return [Stem(float(coarse(s.x)), float(coarse(s.top)), float(coarse(s.bottom))) for s in found]


def _free_parts(shapes: Sequence[Piece], thin: Mask, tall: Mask) -> list[_Upright]:
    """Each piece that is thin, prolonged through whatever thick ink it runs into."""
    found = []
    for piece in shapes:
        left, top, width, height = piece.left, piece.top, piece.width, piece.height
        if width > 0.45 * UNIT + 0.06 * height:
            continue
        across = piece.cut(thin).sum(axis=0, dtype=np.int64)
        area = int(across.sum())
        x = left + float(across @ np.arange(width)) / area
        upper = _prolonged(tall, left, left + width, top, -1)
        lower = _prolonged(tall, left, left + width, top + height - 1, 1)
        found.append(_Upright(x, float(upper), float(lower), height, area / height))
    return found


def _prolonged(tall: Mask, left: int, right: int, row: int, step: int) -> int:
    """The last row of upright ink from ``row`` on."""
    reach = int(14 * UNIT)
    if step > 0:
        part = tall[row : row + reach, left:right]
    else:
        part = tall[max(0, row - reach) : row + 1, left:right][::-1]
    # The column that goes on longest decides; a stem may lean by a pixel.
    columns = (part[:, column].tobytes() + b"\0" for column in range(part.shape[1]))
    return row + step * max(0, max(column.index(b"\0") for column in columns) - 1)


def _together(strokes: list[_Upright]) -> list[_Upright]:
    """Pieces of one stem, parted by heads or beams, become one."""
    merged: list[_Upright] = []
    columns: dict[int, list[int]] = {}
    near = 0.2 * UNIT
    for stroke in sorted(strokes, key=lambda s: s.top):
        column = int(stroke.x / near)
        for place in sorted(n for c in (-1, 0, 1) for n in columns.get(column + c, ())):
            other = merged[place]
            if abs(other.x - stroke.x) < near and stroke.top <= other.bottom + 2:
                weight = other.length / max(1.0, other.length + stroke.length)
                columns[int(other.x / near)].remove(place)
                merged[place] = _Upright(
                    x=other.x * weight + stroke.x * (1 - weight),
                    top=min(other.top, stroke.top),
                    bottom=max(other.bottom, stroke.bottom),
                    free=other.free + stroke.free,
                    width=min(other.width, stroke.width),
                )
                break
        else:
            place = len(merged)
            merged.append(stroke)
        columns.setdefault(int(merged[place].x / near), []).append(place)
    return merged


def _without_accidentals(strokes: list[_Upright], ink: Mask) -> list[_Upright]:
    """Drop the uprights of sharps, naturals and flats: small shapes with no solid head."""
    solid = eroded(ink, 9, 9)
    kept = [stroke for stroke in strokes if not _accidental(stroke, ink, solid)]
    if not kept:
        return kept
    x, top, bottom = np.array([(s.x, s.top, s.bottom) for s in kept]).T
    length = bottom - top
    apart = x[:, None] - x[None, :]
    shared = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    twins = (np.abs(apart) > 0.35 * UNIT) & (np.abs(apart) < 0.85 * UNIT)
    twins &= np.maximum(length[:, None], length) < 3.1 * UNIT
    twins &= shared > 0.55 * length[:, None]
    single = ~twins.any(axis=1)
    # The upright end of a flag stands right of its stem and has no head of its own.
    flags = (apart > 0.4 * UNIT) & (apart < 1.3 * UNIT) & (shared >= 0.5 * length[:, None])
    flags &= (length <= 2.7 * UNIT)[:, None] & single[None, :]
    flag = flags.any(axis=1)
    return [
        stroke
        for number, stroke in enumerate(kept)
        if single[number] and not (flag[number] and _headless(stroke, solid))
    ]


def _accidental(stroke: _Upright, ink: Mask, solid: Mask) -> bool:
    """Whether a stroke is in a small shape without a solid head that is no hollow note."""
    if stroke.length >= 3.4 * UNIT:
        return False
    tall, wide = int(3.4 * UNIT) + 2, int(1.5 * UNIT) + 4
    row, column = int((stroke.top + stroke.bottom) / 2), int(stroke.x)
    first, left = max(0, row - tall), max(0, column - wide)
    area = np.s_[first : row + tall, left : column + wide]
    around = ink[area].copy()
    x = y = width = height = 0
    for at in range(max(0, column - 2 - left), column + 4 - left):
        if at < around.shape[1] and around[row - first, at] == 1:
            _, _, _, (x, y, width, height) = cv2.floodFill(
                around, None, (at, row - first), FILLED, flags=8
            )
    if height >= 3.4 * UNIT or not 0.4 * UNIT < width < 1.5 * UNIT:
        return False
    box = np.s_[y : y + height, x : x + width]
    if solid[area][box].any():
        return False
    return not _hollow_note(around[box] == FILLED, stroke.x - left - x)


def _hollow_note(shape: NDArray[np.bool_], x: float) -> bool:
    """Whether a small shape is a stem with a hollow head: at its foot left, or at its top right."""
    rest = shape.copy()
    rest[:, max(0, int(x) - 2) : int(x) + 4] = False
    total = int(rest.sum())
    head = int(1.3 * UNIT)
    if x > 0.7 * shape.shape[1]:
        return total > 0 and int(rest[-head:].sum()) > 0.95 * total
    if x < 0.3 * shape.shape[1]:
        return total > 0 and int(rest[:head].sum()) > 0.95 * total
    return False


def _headless(stroke: _Upright, solid: Mask) -> bool:
    """Whether there is no head at the top right nor at the bottom left of a stroke."""
    near = int(0.6 * UNIT)
    x, top, bottom = int(stroke.x), int(stroke.top), int(stroke.bottom)
    right = solid[max(0, top - near) : top + near, x + 5 : x + int(0.9 * UNIT)]
    left = solid[max(0, bottom - near) : bottom + near, max(0, x - int(0.9 * UNIT)) : max(0, x - 4)]
    return not right.any() and not left.any()


def stems_on(
    staves: Sequence[Staff], systems: Sequence[System], uprights: Sequence[Stem]
) -> tuple[Stem, ...]:
    """The strokes that are near a staff and no bar line of it, left to right.

    Args:
        staves: The staves of the page.
        systems: With their bar lines, which are left out.
        uprights: As :func:`find_uprights` gives them.
    """
    stems = sorted(uprights, key=lambda stem: (stem.x, stem.top))
    if not stems:
        return ()
    x, top, bottom = np.array([(stem.x, stem.top, stem.bottom) for stem in stems]).T
    near = np.zeros(len(stems), bool)
    for staff in staves:
        inside = (staff.left + CLEF <= x) & (x <= staff.right + SPACE)
        near |= inside & (bottom > staff_y(staff, 19, x)) & (top < staff_y(staff, -11, x))
    bars = np.zeros(len(stems), bool)
    for system in systems:
        lines = np.zeros(len(stems), bool)
        for bar in system.barlines:
            lines |= np.abs(bar.x - x) < (0.3 if bar.style == "single" else 0.85) * SPACE
        for number in system.staves:
            staff = staves[number]
            high, low = staff_y(staff, 8, x), staff_y(staff, 0, x)
            shared = np.minimum(low, bottom) - np.maximum(high, top)
            # Between two staves of a system a bar line may be cut off from its staff.
            through = shared >= 0.8 * (low - high)
            bars |= through & (lines | (x < staff.left + 0.5 * SPACE))
    return tuple(stem for number, stem in enumerate(stems) if near[number] and not bars[number])
