"""Stems and beams: straight strokes on a page whose staff lines are gone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from .lines import coarse, median, staff_y, straight
from .morphology import (
    Mask,
    Piece,
    closed,
    eroded,
    low_runs,
    middles,
    opened,
    pieces,
    shown,
    without,
)
from .normalise import FINE
from .symbols import SPACE, Beam, Staff, Stem, System

UNIT = SPACE * FINE
THICKEST_STEM = (0.38, 0.48)
"""Staff spaces; where the net vouches for it."""
SHORTEST_STEM = 1.9
"""Staff spaces, head and beam included."""
BEAM_THICKNESS = (0.30, 0.85)
"""Staff spaces; half a space is usual, grace notes have less."""
CLEF = 2.4 * SPACE
"""Where a staff begins with a clef there are no stems."""
SHORTEST_BEAM = 0.65
"""Staff spaces: a hook."""
GAP = 0.45
"""Staff spaces between two beams, at most."""
LIGHTER = 40
"""How much lighter than the beams it is there, of 255, at least."""
HOOK_GAP = 0.2
"""Staff spaces between a hook and the stem it does not reach, at least."""

FILLED = 2
"""What the pixels of a shape are set to."""
FAINT = 8
"""Of 255: how sure the net is of a stem or a beam at least, where there is one."""


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


def find_beams(
    ink: Mask, fine: NDArray[np.uint8], stems: Sequence[Stem], sure: Mask | None = None
) -> tuple[Beam, ...]:
    """Thick strokes that stems hang on, one per level, hooks among them.

    Args:
        ink: The fine picture without staff lines.
        fine: The same in gray, with staff lines.
        stems: As :func:`stems_on` gives them.
        sure: The net's mask of beams; where it shows nothing, none is looked for.
    """
    low, high = (value * UNIT for value in BEAM_THICKNESS)
    ink = without(ink, _gaps(fine))
    bars = without(low_runs(ink, int(high)), low_runs(ink, int(np.ceil(low)) - 1))
    bars = opened(closed(bars, 1, 9), 3, 7)
    stems = sorted(stems, key=lambda stem: stem.x)
    places = [stem.x for stem in stems]
    found: list[tuple[Beam, int]] = []
    shapes = _near(pieces(bars, width=SHORTEST_BEAM * UNIT), stems)
    if sure is not None:
        shapes = shown(shapes, sure, FAINT)
    for shape, left, top in _bars(shapes, bars):
        beam = _straight(shape, left, top)
        if beam is not None:
            found += _hung(beam, stems, places)
    long = [beam.thickness for beam, held in found if held > 1 and beam.x2 - beam.x1 > 2 * SPACE]
    usual = float(np.median(long)) if long else 0.5 * SPACE
    found = [
        (beam, held)
        for beam, held in found
        if beam.x2 - beam.x1 > 2 * SPACE or 0.62 < beam.thickness / usual < 1.4
    ]
    return tuple(sorted(_with_parents(found), key=lambda beam: (beam.x1, beam.y1)))


def _gaps(fine: NDArray[np.uint8]) -> Mask:
    """Gray between two dark strokes that lie one above the other: beams that nearly touch."""
    upright = np.ones((int(GAP * UNIT) | 1, 1), np.uint8)
    lighter = cv2.morphologyEx(fine, cv2.MORPH_TOPHAT, upright)
    return np.asarray(lighter > LIGHTER, np.uint8)


def _apart_from_next(beam: Beam, near: list[float]) -> tuple[Beam, list[float]]:
    """A hook that nearly reaches the next stem, drawn back from it; other beams as they are.

    A beam ends in both its stems; a hook ends short of the next one.

    Args:
        beam: The stroke.
        near: x of the stems at it.
    """
    left, right = beam.x1 - min(near), max(near) - beam.x2
    gap, other = max(left, right), min(left, right)
    hook = gap > HOOK_GAP * SPACE and gap - other > 0.12 * SPACE
    if len(near) < 2 or beam.x2 - beam.x1 > 1.6 * SPACE or not hook:
        return beam, near
    if right > left:
        x, end = max(near), {"x2": max(near) - SPACE / 2}
    else:
        x, end = min(near), {"x1": min(near) + SPACE / 2}
    return attrs.evolve(beam, **end), [stem for stem in near if stem != x]


def _bars(shapes: Sequence[Piece], mask: Mask) -> Iterator[tuple[Mask, int, int]]:
    """Shapes (4-connected) that may be beams, with the left and the top of their boxes."""
    for piece in shapes:
        count, labels, stats, _ = cv2.connectedComponentsWithStats(piece.cut(mask), connectivity=4)
        for number in range(1, count):
            left, top, width, height, _ = stats[number].tolist()
            if width >= SHORTEST_BEAM * UNIT and height <= 1.3 * width + UNIT:
                shape = labels[top : top + height, left : left + width] == number
                for layer in _layers(shape.astype(np.uint8)):
                    yield layer, piece.left + left, piece.top + top


def _near(shapes: Sequence[Piece], stems: Sequence[Stem]) -> list[Piece]:
    """The shapes with a stem that may touch them.

    A beam is drawn out by less than a space to its stems, so it cannot rise much on the way.
    """
    if not shapes or not stems:
        return []
    left, top, wide, high = (
        np.array([(s.left, s.top, s.width, s.height) for s in shapes], np.float64).T / FINE
    )
    x, above, below = np.array([(stem.x, stem.top, stem.bottom) for stem in stems]).T
    reach = 0.5 * SPACE + 1
    first = np.searchsorted(x, left - reach)
    last = np.searchsorted(x, left + wide + reach, side="right")
    from_y, to_y = top - 2 * SPACE, top + high + 2 * SPACE
    kept = []
    for number, shape in enumerate(shapes):
        here = slice(first[number], last[number])
        if ((above[here] < to_y[number]) & (below[here] > from_y[number])).any():
            kept.append(shape)
    return kept


def _layers(shape: Mask) -> Iterator[Mask]:
    """A shape, or its layers where beams lie so near that they touch here and there."""
    if shape.shape[1] < 1.6 * UNIT:  # rather a flag
        yield shape
        return
    edges = np.diff(np.pad(shape.astype(np.int8), ((1, 1), (0, 0))), axis=0).T
    runs = (edges > 0).sum(axis=1)
    count = int(np.bincount(runs[runs > 0]).argmax())
    if count < 2:
        yield shape
        return
    columns = np.flatnonzero(runs == count)
    starts = np.nonzero(edges[columns] > 0)[1].reshape(-1, count)
    ends = np.nonzero(edges[columns] < 0)[1].reshape(-1, count)
    rows, across = np.arange(shape.shape[0])[:, None], np.arange(shape.shape[1])
    above = np.zeros(shape.shape, bool)
    for gap in range(count - 1):
        slope, offset = straight(columns, (ends[:, gap] + starts[:, gap + 1] - 1) / 2)
        here = rows < slope * across + offset
        yield shape * (here & ~above)
        above = here
    yield shape * ~above


def _with_parents(found: list[tuple[Beam, int]]) -> list[Beam]:
    """Drop strokes at one stem that are no hooks: a hook lies along a longer beam."""
    beams = [beam for beam, _ in found]
    return [
        beam for beam, held in found if held > 1 or any(_beside(beam, other) for other in beams)
    ]


def _beside(hook: Beam, other: Beam) -> bool:
    """Whether ``other`` is a longer beam over or under ``hook``."""
    if other is hook or other.x2 - other.x1 < hook.x2 - hook.x1:
        return False
    if hook.x1 < other.x1 - 0.4 * SPACE or hook.x2 > other.x2 + 0.4 * SPACE:
        return False
    slope = (other.y2 - other.y1) / max(1.0, other.x2 - other.x1)
    own = (hook.y2 - hook.y1) / max(1.0, hook.x2 - hook.x1)
    y = other.y1 + slope * ((hook.x1 + hook.x2) / 2 - other.x1)
    apart = abs((hook.y1 + hook.y2) / 2 - y)
    return 0.4 * SPACE < apart < 2.8 * SPACE and abs(slope - own) < 0.25


def _straight(shape: Mask, left: int, top: int) -> Beam | None:
    """The line through a shape, if it is a stroke of even thickness."""
    thickness, rows = middles(shape)
    columns = np.flatnonzero(thickness)
    thickness = thickness[columns]
    middle = rows[columns] / thickness
    typical = median(thickness)
    even = np.abs(thickness - typical) <= 0.2 * UNIT
    good = even
    slope = offset = 0.0
    for _ in range(3):
        if good.sum() < 0.6 * SHORTEST_BEAM * UNIT:
            return None
        slope, offset = straight(columns[good], middle[good])
        good = even & (np.abs(middle - slope * columns - offset) < 0.09 * UNIT)
    if good.mean() < 0.7 or abs(slope) > 1.3:
        return None
    used = columns[good]
    first, last = int(used[0]), int(used[-1])
    return Beam(
        x1=float(coarse(left + first)),
        y1=float(coarse(top + slope * first + offset)),
        x2=float(coarse(left + last)),
        y2=float(coarse(top + slope * last + offset)),
        thickness=typical / FINE,
    )


def _hung(beam: Beam, stems: Sequence[Stem], places: Sequence[float]) -> list[tuple[Beam, int]]:
    """The beam drawn out to the stems at its ends, and how many ends have one; else nothing.

    Args:
        beam: The stroke.
        stems: Left to right.
        places: Their x.
    """
    first = bisect_left(places, beam.x1 - 0.4 * SPACE)
    last = bisect_right(places, beam.x2 + 0.4 * SPACE)
    slope = (beam.y2 - beam.y1) / max(1.0, beam.x2 - beam.x1)

    def touches(stem: Stem) -> bool:
        y = beam.y1 + slope * (stem.x - beam.x1)
        return stem.top - 0.45 * SPACE <= y <= stem.bottom + 0.45 * SPACE

    near = [stem.x for stem in stems[first:last] if touches(stem)]
    if not near:
        return []
    beam, near = _apart_from_next(beam, near)
    starts, ends = min(near) - beam.x1 < 0.5 * SPACE, beam.x2 - max(near) < 0.5 * SPACE
    apart = max(near) - min(near)
    held = int(starts and ends and apart > 0.5 * SPACE) + int(starts or ends)
    length = beam.x2 - beam.x1
    if held == 0 or (length > 2.6 * SPACE and apart < 0.4 * length):
        return []  # strokes through one stem are a tremolo; rests and text touch none at all
    x1 = min(near) if starts else beam.x1
    x2 = max(near) if ends else beam.x2
    if held == 1 and starts and ends:
        return []
    hung = attrs.evolve(
        beam, x1=x1, x2=x2, y1=beam.y1 + slope * (x1 - beam.x1), y2=beam.y1 + slope * (x2 - beam.x1)
    )
    return [(hung, held)] if x2 - x1 >= 0.5 * SPACE else []
