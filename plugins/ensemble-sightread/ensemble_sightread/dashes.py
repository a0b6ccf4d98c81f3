"""Rows of dashes beside the staves: where the net has a trace of a line, on the picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from .lines import coarse, fine, sample
from .morphology import Mask, closed, opened, pieces
from .normalise import FINE
from .symbols import SPACE, Seen, Staff

UNIT = SPACE * FINE
FAINT = 40
"""Of 255: how sure the net is of a line at least."""
HALF = 2
"""Pixels of the page per pixel of the net's masks."""
LONGEST, WIDEST = 1.7, 1.3
"""Staff spaces of a dash and of the gap between two, at most."""
BAND = 8
"""Fine pixels above and below a row of dashes that are looked at."""
FARTHEST = 13.0
"""Staff spaces a row is away from its staff, at most."""
BELOW = 2.5
"""How much more the distance of a row counts from a staff above it, where few stand."""
THICKEST = 8
"""Fine pixels."""
FEWEST = 3
"""Dashes of a row, at least."""
ALIKE = 0.6
"""Share of the dashes that are about as long as the others."""
SOLID = 3.0
"""Staff spaces of a row whose dashes run together in print, at least."""
HOOKED, INKED = 0.6, 0.6
"""Staff spaces from the dashes in which a hook is looked for, and how much of that is ink."""


@attrs.frozen
class Dashes:
    """A row of dashes, in pixels of the page.

    Attributes:
        staff: Index of the nearest staff.
        above: Whether it stands above that.
        x1, y1, x2, y2: Where it begins and ends.
        hook: 1 if a hook goes down from its end, -1 if up, 0 without.
        solid: It is one stroke.
    """

    staff: int
    above: bool
    x1: float
    y1: float
    x2: float
    y2: float
    hook: int
    solid: bool


def find_dashes(
    ink: Mask, sure: Mask, seen: Seen, places: Iterable[tuple[float, float]] = ()
) -> list[Dashes]:
    """The rows of dashes beside the staves.

    Args:
        ink: The fine picture without staff lines.
        sure: The net's mask of lines, at half the page's size.
        seen: The staves.
        places: Where else dashes may be.
    """
    found: list[Dashes] = []
    for x, y in [*_traces(sure), *places]:
        staff = _nearest(seen, x, y)
        if staff is None or any(r.x1 < x < r.x2 and abs(r.y1 - y) < SPACE for r in found):
            continue
        row = _row(ink, seen.staves[staff], staff, (x, y))
        if row:
            found.append(row)
    return found


def _traces(sure: Mask) -> Iterator[tuple[float, float]]:
    """Places where the net has a trace of a level line."""
    shown = closed((sure >= FAINT).astype(np.uint8), 1, 7)
    for piece in pieces(opened(shown, 1, 4)):
        if piece.height <= 4 + 0.06 * piece.width:
            yield (piece.left + piece.width / 2) * HALF, (piece.top + piece.height / 2) * HALF


def _nearest(seen: Seen, x: float, y: float) -> int | None:
    """The staff nearest to a place outside of all staves."""
    best: tuple[float, int] | None = None
    for number, staff in enumerate(seen.staves):
        if not staff.left - SPACE < x < staff.right + SPACE:
            continue
        step = staff.step(x, y)
        if -1 < step < 9:
            return None
        away = step - 8 if step > 4 else -step * BELOW
        if away < 2 * FARTHEST and (best is None or away < best[0]):
            best = away, number
    return best[1] if best else None


def _row(ink: Mask, staff: Staff, number: int, at: tuple[float, float]) -> Dashes | None:
    """The row of dashes through a place; None if there is no such row."""
    left, right = int(fine(staff.left) - UNIT), int(fine(staff.right) + UNIT)
    columns = np.arange(max(left, 0), min(right, ink.shape[1]))
    level = np.interp(coarse(columns), staff.xs, staff.bottom)
    level += at[1] - float(np.interp(at[0], staff.xs, staff.bottom))
    middle = fine(level)
    down = np.repeat(np.arange(-BAND, BAND + 1.0)[:, None], len(columns), axis=1)
    band = sample(ink, columns, middle, down, 0.0)
    x = int(fine(at[0])) - int(columns[0])
    near = band[:, max(0, x - round(4 * UNIT)) : x + round(4 * UNIT)]
    tall = near.sum(0) > THICKEST
    peak = int(np.where(tall, 0, near).sum(1).argmax())
    profile = band[max(0, peak - 2) : peak + 3].any(0) & (band.sum(0) <= THICKEST)
    runs = _chain(profile, x)
    if not runs:
        return None
    (first, _), (_, last) = runs[0], runs[-1]
    lengths = np.array([b - a for a, b in runs])
    solid = lengths.max() > SOLID * UNIT
    if not solid:
        usual = float(np.median(lengths))
        alike = np.abs(lengths - usual) <= 0.35 * usual + 2
        if len(runs) < FEWEST or usual > LONGEST * UNIT or alike.mean() < ALIKE:
            return None
    ys = middle + peak - BAND
    hook = _hook(ink, int(columns[last - 1]), round(float(ys[last - 1])))
    x1, x2, y1, y2 = coarse([columns[first], columns[last - 1], ys[first], ys[last - 1]]).tolist()
    return Dashes(number, staff.step(at[0], at[1]) > 4, x1, y1, x2, y2, hook, bool(solid))


def _chain(profile: NDArray[np.bool_], x: int) -> list[tuple[int, int]]:
    """Begin and end of each run of ink around x, as far as the gaps are small."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], profile.astype(np.int8), [0]))))
    starts, ends = edges[::2], edges[1::2]
    if not starts.size:
        return []
    wide = np.flatnonzero(starts[1:] - ends[:-1] > WIDEST * UNIT) + 1
    for part in np.split(np.arange(len(starts)), wide):
        if starts[part[0]] - UNIT < x < ends[part[-1]] + UNIT:
            return [(int(starts[i]), int(ends[i])) for i in part]
    return []


def _hook(ink: Mask, x: int, y: int) -> int:
    """Whether a stroke goes down (1) or up (-1) from the end of a row, or none does (0)."""
    reach, beside = round(HOOKED * UNIT), round(0.8 * UNIT)
    columns = slice(max(0, x - round(0.3 * UNIT)), x + beside)
    below = ink[y + 3 : y + 3 + reach, columns]
    above = ink[max(0, y - 3 - reach) : max(0, y - 3), columns]
    down, up = (
        part.size > 0 and bool(part.mean(0).max() > INKED) for part in (below, above)
    )  # fmt: skip
    return int(down) - int(up)
