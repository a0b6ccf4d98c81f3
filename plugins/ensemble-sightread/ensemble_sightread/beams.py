"""Beams: thick strokes between stems, on a page whose staff lines are gone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from .lines import coarse, median, straight
from .morphology import Mask, Piece, closed, low_runs, middles, opened, pieces, shown, without
from .normalise import FINE
from .symbols import SPACE, Beam, Stem

UNIT = SPACE * FINE
BEAM_THICKNESS = (0.30, 0.85)
"""Staff spaces; half a space is usual, grace notes have less."""
SHORTEST_BEAM = 0.65
"""Staff spaces: a hook."""
GAP = 0.45
"""Staff spaces between two beams, at most."""
LIGHTER = 40
"""How much lighter than the beams it is there, of 255, at least."""
HOOK_GAP = 0.2
"""Staff spaces between a hook and the stem it does not reach, at least."""
FAINT = 8
"""Of 255: how sure the net is of a beam at least, where there is one."""


def find_beams(
    ink: Mask, gaps: Mask, stems: Sequence[Stem], sure: Mask | None = None
) -> tuple[Beam, ...]:
    """Thick strokes that stems hang on, one per level, hooks among them.

    Args:
        ink: The fine picture without staff lines.
        gaps: As :func:`gaps_of` gives them.
        stems: As :func:`stems_on` gives them.
        sure: The net's mask of beams; where it shows nothing, none is looked for.
    """
    low, high = (value * UNIT for value in BEAM_THICKNESS)
    ink = without(ink, gaps)
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


def gaps_of(fine: NDArray[np.uint8]) -> Mask:
    """Gray between two dark strokes that lie one above the other: beams that nearly touch.

    Args:
        fine: The fine picture in gray, with staff lines.
    """
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
