"""Upright strokes that run through a staff: which are bar lines, and of which style."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from .lines import Band, coarse, median
from .morphology import Mask, dilated, share
from .normalise import FINE
from .symbols import SPACE, Barline

THICK = (0.33, 0.5)
"""Staff spaces from which on a stroke is a heavy one: on a clean page, and on any."""
THICKER = 1.4
"""How much thicker than most strokes of its page it is, at least: photos make all of them thick."""


@attrs.frozen
class Stroke:
    """A stroke from the top line to the bottom line of one staff.

    Attributes:
        x: Its middle, in pixels of the normalised page.
        width: In staff spaces.
        clean: Nothing hangs on it.
        above: How far it goes on above the top line, in staff spaces, 1.5 at most.
        below: The same below the bottom line.
    """

    x: float
    width: float
    clean: bool
    above: float = 0.0
    below: float = 0.0


def strokes_of(full: Band, cleared: Band) -> list[Stroke]:
    """All strokes through a staff, stems among them.

    Args:
        full: The straightened staff.
        cleared: The same without staff lines.
    """
    wide = dilated(full.inside, 1, 3)
    solid = share(wide) > 0.93
    strokes = []
    for first, last in _spans(solid):
        core = full.inside[:, first : last + 1].mean(axis=0) > 0.5
        if not core.any():
            continue
        start, stop = first + int(np.argmax(core)), last - int(np.argmax(core[::-1]))
        width = (stop - start + 1) / full.space
        if width > 1.3 or not _whole(wide[:, start : stop + 1], full.space):
            continue
        middle = slice(max(0, start - 1), stop + 2)
        strokes.append(
            Stroke(
                x=float(coarse(full.left + (start + stop) / 2)),
                width=width,
                clean=_clean(cleared, start, stop),
                above=_length(full.ink[: full.top, middle].max(axis=1)[::-1]) / full.space,
                below=_length(full.ink[full.bottom + 1 :, middle].max(axis=1)) / full.space,
            )
        )
    return [_as_clean_as_its_neighbours(stroke, strokes) for stroke in strokes]


def _as_clean_as_its_neighbours(stroke: Stroke, strokes: Sequence[Stroke]) -> Stroke:
    """Strokes that almost touch are clean together: digits one above the other are not."""
    near = [other for other in strokes if abs(other.x - stroke.x) < 0.4 * SPACE]
    return attrs.evolve(stroke, clean=all(other.clean for other in near))


def _whole(stroke: Mask, space: float) -> bool:
    """Whether a stroke goes on to its very ends, where a stem curves away into its head."""
    end = int(0.45 * space)
    column = stroke.max(axis=1)
    return bool(column[:end].mean() > 0.8 and column[-end:].mean() > 0.8)


def _spans(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.view(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[0::2], edges[1::2], strict=True)]


def _clean(cleared: Band, start: int, stop: int) -> bool:
    """Nothing as high as a head or a beam touches the stroke."""
    touching = 0
    reach = int(0.4 * cleared.space)
    tall = cleared.ink[cleared.top - reach : cleared.bottom + reach + 1]
    for left, right in ((start - 5, start - 2), (stop + 3, stop + 6)):
        # A hollow head is ink only here and there; over a few columns it shows its height.
        beside = tall[:, max(0, left) : max(0, right)]
        if beside.size:
            spans = _spans(beside.max(axis=1) > 0)
            heights = [last - first + 1 for first, last in spans]
            # What is as high as the staff is the other line of a double bar.
            touching = max([touching, *(h for h in heights if h < 3.5 * cleared.space)])
    return touching <= 0.55 * cleared.space


def _length(column: Mask) -> int:
    """How far ink goes on from the beginning of a column."""
    paper = np.flatnonzero(column == 0)
    return int(paper[0]) if paper.size else len(column)


def thickness(strokes: Iterable[Stroke]) -> float:
    """Staff spaces from which on a stroke of a page is a heavy one, told by all of them."""
    widths = [stroke.width for stroke in strokes if stroke.clean]
    usual = median(np.array(widths)) if widths else 0.0
    return min(max(THICK[0], THICKER * usual), THICK[1])


def group_strokes(
    strokes: Sequence[Stroke], staves: Sequence[Band], thick: float
) -> tuple[Barline, ...]:
    """Strokes side by side are one bar line: double, final, repeat.

    Args:
        strokes: Those that the staves of a system agree on.
        staves: The staves of the system.
        thick: As :func:`thickness` gives it.
    """
    groups: list[list[Stroke]] = []
    for stroke in sorted(strokes, key=lambda stroke: stroke.x):
        if groups and _edge(groups[-1][-1], 1) + 0.75 * SPACE > _edge(stroke, -1):
            groups[-1].append(stroke)
        else:
            groups.append([stroke])
    return tuple(_barline(group, staves, thick) for group in groups)


def _edge(stroke: Stroke, side: int) -> float:
    return stroke.x + side * stroke.width * SPACE / 2


def _barline(group: Sequence[Stroke], staves: Sequence[Band], thick: float) -> Barline:
    left, right = _edge(group[0], -1), _edge(group[-1], 1)
    heavy = [stroke.width >= thick for stroke in group]
    style = "single"
    if len(group) == 1:
        style = "final" if heavy[0] else "single"
    elif not any(heavy):
        style = "double"
    elif heavy[0] and not heavy[-1]:
        style = "heavy-light"
    else:
        style = "final"
    repeat = ""
    if any(heavy):
        before = sum(_dots(staff, left, -1) for staff in staves) * 2 >= len(staves)
        after = sum(_dots(staff, right, 1) for staff in staves) * 2 >= len(staves)
        repeat = {(1, 0): "backward", (0, 1): "forward", (1, 1): "both"}.get((before, after), "")
    return Barline(x=(left + right) / 2, style=style, repeat=repeat)


def _dots(staff: Band, edge: float, side: int) -> bool:
    """Whether two dots stand beside a bar line, in the two middle spaces."""
    space = staff.space
    middle = (staff.top + staff.bottom) / 2
    near = (edge + 0.5) * FINE - 0.5 - staff.left
    reach = sorted((near + side * 0.15 * space, near + side * 1.3 * space))
    left, right = max(0, int(reach[0])), min(staff.ink.shape[1], int(reach[1]) + 1)
    if right <= left:
        return False

    def density(step: float) -> NDArray[np.float64]:
        row = int(middle + step * space / 2)
        part = staff.ink[row - int(0.12 * space) : row + int(0.12 * space) + 1, left:right]
        return np.asarray(part.mean(axis=0), dtype=np.float64)

    dotted = (density(-1) > 0.8) & (density(1) > 0.8)
    empty = (density(0) < 0.5) & (density(-2.2) < 0.5) & (density(2.2) < 0.5)
    return int((dotted & empty).sum()) >= 0.2 * space
