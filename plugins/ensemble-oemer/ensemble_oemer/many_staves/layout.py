"""Where the staves are in oemer's class maps, and which of them sound together."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import attrs

NARROWEST = 8.0
"""A staff is at least this wide, in staff spaces; less is a scrap."""
JOINED = 0.9
"""Share of the rows between two staves that a line joining them must ink."""


@attrs.frozen
class Staff:
    """A staff: the y of its outer lines as polynomials of x, in pixels, and its ends.

    Attributes:
        top, bottom: Coefficients for ``numpy.polyval``.
        left, right: First and last column.
    """

    top: tuple[float, ...]
    bottom: tuple[float, ...]
    left: int
    right: int

    def edges(self, x: Any) -> tuple[Any, Any]:
        """y of the top and of the bottom line at columns ``x`` (an array), as integers."""
        import numpy as np

        inside = np.clip(x, self.left, self.right)
        top, bottom = np.polyval(self.top, inside), np.polyval(self.bottom, inside)
        return np.rint(top).astype(int), np.rint(bottom).astype(int)

    @property
    def middle(self) -> float:
        """y of its centre."""
        import numpy as np

        x = np.array([(self.left + self.right) // 2])
        top, bottom = self.edges(x)
        return float(top[0] + bottom[0]) / 2


@attrs.frozen
class Layout:
    """The staves of a page from top to bottom, and the systems they make.

    Attributes:
        staves: All staves.
        systems: Indices of the staves of each system, from top to bottom.
        space: Distance of two staff lines, in pixels.
    """

    staves: tuple[Staff, ...]
    systems: tuple[tuple[int, ...], ...]
    space: float

    @property
    def size(self) -> int:
        """Staves of the largest system."""
        return max((len(system) for system in self.systems), default=0)


def find_layout(staff_map: Any, ink: Any) -> Layout:
    """Find the staves and systems of a page.

    Args:
        staff_map: 1 where the net saw a staff line, shape (height, width).
        ink: 1 where there is anything printed, same shape.

    Returns:
        The layout; it has no staves where none were found.
    """
    space = staff_space(staff_map)
    staves = _staves(staff_map, space) if space else ()
    joined = [joins(ink, a, b, space) for a, b in pairwise(staves)]
    return Layout(tuple(staves), _systems(len(staves), joined), space)


def staff_space(staff_map: Any) -> float:
    """The distance of staff lines that is most frequent, in pixels; 0 if there are no lines.

    After Cardoso and Rebelo, "Robust staffline thickness and distance estimation", 2010.
    """
    import numpy as np

    lines = np.ascontiguousarray(staff_map[:, ::4].T).astype(bool)  # a quarter tells as much
    x, y = np.nonzero(lines[:, 1:] & ~lines[:, :-1])
    steps = np.diff(y)[np.diff(x) == 0]
    steps = steps[steps > 3]
    if not len(steps):
        return 0.0
    counts = np.bincount(steps)
    best = int(counts.argmax())
    near = steps[abs(steps - best) <= 1]
    return float(near.mean())


def _staves(staff_map: Any, space: float) -> tuple[Staff, ...]:
    import cv2
    import numpy as np

    def box(width: float, height: float) -> Any:
        return np.ones((max(1, round(height)), max(1, round(width))), np.uint8)

    solid = cv2.morphologyEx(staff_map.astype(np.uint8), cv2.MORPH_CLOSE, box(1, 1.5 * space))
    solid = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, box(4 * space, 1))
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, box(space, 3 * space))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=4)
    found = []
    for row in _rows([stats[i] for i in range(1, count)], range(1, count)):
        columns, tops, bottoms = _extent(np.isin(labels, row))
        height = float(np.median(bottoms - tops))
        if len(columns) >= NARROWEST * space and 3 * space <= height <= 5.5 * space:
            degree = 2 if len(columns) > 30 * space else 1
            found.append(
                Staff(
                    tuple(np.polyfit(columns, tops, degree)),
                    tuple(np.polyfit(columns, bottoms, degree)),
                    int(columns[0]),
                    int(columns[-1]),
                )
            )
    return tuple(sorted(found, key=lambda staff: staff.middle))


def _rows(boxes: list[Any], names: Any) -> list[list[int]]:
    """Scraps of one staff lie beside each other: those with the same rows belong together."""
    rows: list[tuple[list[int], int, int]] = []
    for (_, y, _, height, _), name in sorted(zip(boxes, names, strict=True), key=lambda b: b[0][1]):
        for row, top, bottom in rows:
            if min(bottom, y + height) - max(top, y) > 0.6 * min(bottom - top, height):
                row.append(name)
                break
        else:
            rows.append(([name], int(y), int(y + height)))
    return [row for row, _, _ in rows]


def _extent(mask: Any) -> tuple[Any, Any, Any]:
    """The columns a mask inks, and its first and last row in each."""
    import numpy as np

    columns = np.flatnonzero(mask.any(axis=0))
    inked = mask[:, columns]
    tops = inked.argmax(axis=0)
    bottoms = mask.shape[0] - 1 - inked[::-1].argmax(axis=0)
    return columns, tops, bottoms


def joining_columns(ink: Any, upper: Staff, lower: Staff, space: float) -> Any:
    """The columns in which ink reaches from one staff down to the next, ascending."""
    import numpy as np

    first = max(0, round(min(upper.left, lower.left) - 1.5 * space))
    last = min(ink.shape[1] - 1, round(max(upper.right, lower.right) + space))
    columns = np.arange(first, last + 1)
    _, above = upper.edges(columns)
    below, _ = lower.edges(columns)
    first_row, last_row = max(0, int(above.min())), max(1, int(below.max()))
    wide = _widened(ink[first_row:last_row])[:, columns]
    inked = np.pad(wide.cumsum(axis=0, dtype=np.int32), ((1, 0), (0, 0)))
    start, stop = above + 1 - first_row, below - first_row
    tall = stop - start > space
    start, stop = np.where(tall, start, 0), np.where(tall, stop, 1)
    across = np.arange(len(columns))
    filled = (inked[stop, across] - inked[start, across]) / (stop - start)
    return columns[tall & (filled >= JOINED)]


def _widened(ink: Any) -> Any:
    """Ink a pixel wider to each side: a line that leans leaves its column."""
    import cv2
    import numpy as np

    return cv2.dilate(ink.astype(np.uint8), np.ones((1, 3), np.uint8))


def joins(ink: Any, upper: Staff, lower: Staff, space: float) -> bool:
    """Whether two staves belong to one system: a line at the left end joins them, or two do."""
    import numpy as np

    columns = joining_columns(ink, upper, lower, space)
    if not len(columns):
        return False
    if abs(columns - min(upper.left, lower.left)).min() <= 1.5 * space:
        return True
    return bool((np.diff(columns) > space).sum() >= 1)


def _systems(count: int, joined: list[bool]) -> tuple[tuple[int, ...], ...]:
    """Staves that are joined make a system; one missed join does not break a regular page."""
    runs: list[list[int]] = []
    for staff in range(count):
        if staff and joined[staff - 1]:
            runs[-1].append(staff)
        else:
            runs.append([staff])
    sizes = Counter(len(run) for run in runs)
    size = max(sizes, key=lambda n: (n * sizes[n], n), default=0)
    if size > 2 and len(sizes) > 1 and count % size == 0:
        regular = [tuple(range(first, first + size)) for first in range(0, count, size)]
        breaks = {system[-1] for system in regular}
        if all(run[i] not in breaks for run in runs for i in range(len(run) - 1)):
            return tuple(regular)
    return tuple(tuple(run) for run in runs)
