"""Which staves sound together, and the bar lines that divide them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise

import attrs
import numpy as np
from numpy.typing import NDArray

from .barlines import Stroke, group_strokes, strokes_of, thickness
from .leaning import vouched
from .lines import Band, between, fine, lean_of, median
from .morphology import Mask, dilated, share
from .normalise import FINE, Normalised
from .symbols import SPACE, Barline, Staff, System

UNIT = SPACE * FINE
OVERHANG = 0.35
"""Staff spaces a bar line may stick out of its system."""


def find_systems(
    page: Normalised,
    both: Sequence[tuple[Band, Band]],
    staves: Sequence[Staff],
    seen: NDArray[np.uint8] | None = None,
) -> tuple[System, ...]:
    """Staves joined by ink at their left or by common bar lines, with their bar lines.

    Args:
        page: The page.
        both: Each staff with and without its lines, as :func:`~.lines.bands` gives it.
        staves: As :func:`~.staves.find_staves` gives them.
        seen: The net's mask of bar lines.
    """
    bands = [cleared for _, cleared in both]
    strokes = [strokes_of(full, cleared) for full, cleared in both]
    if seen is not None:
        strokes = [vouched(row, staff, seen) for row, staff in zip(strokes, staves, strict=True)]
    thick = thickness(chain.from_iterable(strokes))
    systems = []
    for members in _grouped(page.ink, staves, strokes):
        bars = _barlines(
            page.ink,
            [strokes[i] for i in members],
            [staves[i] for i in members],
            [bands[i] for i in members],
            thick,
        )
        systems.append(System(tuple(members), bars, _braces(page.ink, staves, members)))
    return tuple(systems)


def _grouped(
    ink: Mask, staves: Sequence[Staff], strokes: Sequence[Sequence[Stroke]]
) -> list[list[int]]:
    groups: list[list[int]] = []
    for number, staff in enumerate(staves):
        for group in reversed(groups[-3:]):
            last = group[-1]
            if _joined(ink, staves[last], staff, strokes[last], strokes[number]):
                group.append(number)
                break
        else:
            groups.append([number])
    return groups


def _joined(
    ink: Mask, upper: Staff, lower: Staff, above: Sequence[Stroke], below: Sequence[Stroke]
) -> bool:
    """Whether a line at the left, or a bar line, runs from one staff down to the next."""
    overlap = min(upper.right, lower.right) - max(upper.left, lower.left)
    if overlap < 0.6 * min(upper.right - upper.left, lower.right - lower.left):
        return False
    if abs(upper.left - lower.left) < 3 * SPACE:
        # Of a staff that begins with a C clef the lines may be seen behind its heavy bar only.
        for left in (float(fine(upper.left)), float(fine(lower.left))):
            columns = np.arange(int(left - 0.8 * UNIT), int(left + 0.6 * UNIT))
            if _solid(between(ink, upper, lower, columns)).max() > 0.95:
                return True
    for stroke in above:
        if any(abs(stroke.x - other.x) < 0.5 * SPACE for other in below):
            middle = float(fine(stroke.x))
            columns = np.arange(int(middle - 0.3 * UNIT), int(middle + 0.3 * UNIT) + 1)
            if _solid(between(ink, upper, lower, columns)).max() > 0.95:
                return True
    return False


def _solid(piece: Mask) -> NDArray[np.float64]:
    """Share of each column that is ink, a pixel to either side forgiven."""
    return share(dilated(piece, 1, 3))


def _linked(
    ink: Mask, upper: Staff, lower: Staff, places: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """At which places (x of the normalised page) ink runs all the way between two staves."""
    middle = fine(places).astype(np.int64)
    columns, back = np.unique(middle[:, None] + np.arange(-6, 7), return_inverse=True)
    if not columns.size:
        return np.zeros(0, bool)
    solid = _solid(between(ink, upper, lower, columns))
    # The outermost columns have strangers for neighbours.
    near = solid[back.reshape(len(places), -1)][:, 1:-1]
    return np.asarray(near.max(axis=1) > 0.93)


def _barlines(
    ink: Mask,
    strokes: Sequence[Sequence[Stroke]],
    staves: Sequence[Staff],
    bands: Sequence[Band],
    thick: float,
) -> tuple[Barline, ...]:
    """The bar lines that all staves of the system agree on.

    On a skewed page a bar line leans: places are compared as if seen from the first staff.
    """
    drift = _drift(staves)
    upright = [
        [attrs.evolve(stroke, x=stroke.x + by) for stroke in row]
        for row, by in zip(strokes, drift, strict=True)
    ]
    left = max(staff.left + by for staff, by in zip(staves, drift, strict=True))
    together = sorted((s for row in upright for s in row), key=lambda s: s.x)
    together = [stroke for stroke in together if stroke.x >= left + 0.6 * SPACE]
    places = np.array([stroke.x for stroke in together])
    links = [
        _linked(ink, upper, lower, places - (above + below) / 2)
        for (upper, above), (lower, below) in pairwise(zip(staves, drift, strict=True))
    ]
    agreed: list[Stroke] = []
    for number, stroke in enumerate(together):
        if agreed and abs(stroke.x - agreed[-1].x) < 0.3 * SPACE:
            continue
        here = [_nearest(row, stroke.x) for row in upright]
        if _is_barline(here, [bool(link[number]) for link in links]):
            present = [s for s in here if s is not None]
            agreed.append(
                Stroke(
                    x=float(np.median([s.x for s in present])),
                    width=float(np.median([s.width for s in present])),
                    clean=True,
                )
            )
    shifted = [
        attrs.evolve(b, left=b.left + round(by * FINE)) for b, by in zip(bands, drift, strict=True)
    ]
    middle = (drift[0] + drift[-1]) / 2
    bars = group_strokes(agreed, shifted, thick)
    return tuple(attrs.evolve(bar, x=bar.x - middle) for bar in bars)


def _drift(staves: Sequence[Staff]) -> list[float]:
    """How far left of its place in the first staff an upright stands in each staff."""
    lean = float(np.mean([lean_of(staff) for staff in staves]))
    heights = [median(staff.bottom) for staff in staves]
    return [lean * (height - heights[0]) for height in heights]


def _nearest(row: Sequence[Stroke], x: float) -> Stroke | None:
    near = [stroke for stroke in row if abs(stroke.x - x) < 0.45 * SPACE]
    return min(near, key=lambda stroke: abs(stroke.x - x)) if near else None


def _is_barline(here: Sequence[Stroke | None], linked: Sequence[bool]) -> bool:
    """One staff alone must show a clean stroke; several vouch for each other."""
    present = [stroke for stroke in here if stroke is not None]
    first, last = here[0], here[-1]
    if (first and first.above > OVERHANG) or (last and last.below > OVERHANG):
        return False
    clean = sum(stroke.clean for stroke in present)
    if len(here) == 1:
        return clean == 1
    if len(present) < len(here) - (len(here) > 3):
        return False
    return any(linked) or clean >= max(2, (len(here) + 1) // 2)


def _braces(
    ink: Mask, staves: Sequence[Staff], members: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """Runs of staves with curved ink left of them; a bracket is straight and does not count."""
    runs: list[tuple[int, int]] = []
    for upper, lower in pairwise(members):
        if _brace_between(ink, staves[upper], staves[lower]):
            if runs and runs[-1][1] == upper:
                runs[-1] = (runs[-1][0], lower)
            else:
                runs.append((upper, lower))
    return tuple(runs)


def _brace_between(ink: Mask, upper: Staff, lower: Staff) -> bool:
    left = float(fine(min(upper.left, lower.left)))
    columns = np.arange(max(0, int(left - 3.2 * UNIT)), max(1, int(left - 0.12 * UNIT)))
    # Over both staves a bracket is straight and a brace is not; between them it must be there.
    whole = _solid(between(ink, upper, lower, columns, staves_too=True)) > 0.95
    straight = dilated(whole.astype(np.uint8)[None, :], 1, 7)
    curved = np.where(straight > 0, 0, between(ink, upper, lower, columns)).astype(np.uint8)
    return float((curved.max(axis=1) > 0).mean()) > 0.85
