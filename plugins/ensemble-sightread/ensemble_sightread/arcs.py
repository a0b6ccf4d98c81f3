"""Ties, looked for where one could be: a thin arc from one head to the next of its pitch.

An arc is a parabola whose ends lie beside the two heads, both above or both below them. Its
height and place are tried on a grid, and it is there if nearly every column between the
heads has ink where the parabola runs, and none much thicker than a tie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .normalise import FINE
from .symbols import SPACE, Symbol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Around = tuple[NDArray[np.bool_], NDArray[np.bool_]]
    """Thin ink around a line, and what staff lines hide there."""

SPAN = 2.6
"""Staff spaces above and below a head in which its tie runs."""
THICKEST = 0.42
"""A tie is thinner than this, in staff spaces; beams and heads are thicker."""
INSETS = (-2.5, 0.5, 3.0)
"""How far beside the heads an arc may begin and end, in pixels of the normalised page."""
FLATTEST, TIPS = 0.3, 0.7
COLUMNS = 30
"""As many columns of an arc are looked at, or up to twice as many."""
FEWEST = 8
"""Columns of the shortest arc."""
SURE = 0.86
"""Share of columns that must have ink on the arc."""


@attrs.frozen(eq=False)
class Arcs:
    """Looks for ties on a page.

    Attributes:
        ink: 1 for ink, staff lines taken out, at :data:`~.normalise.FINE` times the
            normalised page, shape (height, width).
        full: The same with the staff lines; where one was taken out, an arc may run unseen.
    """

    ink: NDArray[np.uint8]
    full: NDArray[np.uint8]

    def __call__(self, left: Symbol | float, right: Symbol | float) -> bool:
        """Whether an arc runs between two heads.

        Args:
            left: The head it starts from, or the x where the line begins.
            right: The head it ends at, or the x where the line ends.
        """
        head = left if isinstance(left, Symbol) else right
        if not isinstance(head, Symbol):
            return False
        whole = isinstance(left, Symbol) and isinstance(right, Symbol)
        around: tuple[int, Around] | None = None
        for inset in INSETS:  # the first reaches farthest: the others see a part of it
            x1 = left.right + inset if isinstance(left, Symbol) else left
            x2 = right.left - inset if isinstance(right, Symbol) else right
            first, end = round(x1 * FINE), round(x2 * FINE)
            if not 0.5 * SPACE < x2 - x1 < 60 * SPACE or end - first < FEWEST:
                continue
            if around is None:
                found = self._thin(first, end, head.y)
                if found is None:
                    continue
                around = first, found
            part = slice(first - around[0], end - around[0])
            thin, hidden = (picture[:, part] for picture in around[1])
            if _fits(thin, hidden, (x2 - x1) / SPACE, whole):
                return True
        return False

    def _thin(self, first: int, end: int, y: float) -> Around | None:
        """Ink around ``y`` without what is too thick for a tie, and what staff lines hide.

        Both are widened by a pixel up and down. Each column is as it is whatever is beside it.
        """
        import cv2
        import numpy as np

        reach = round(SPAN * SPACE * FINE)
        row = round(y * FINE)
        if row - reach < 0 or row + reach >= self.ink.shape[0]:
            return None
        if first < 0 or end > self.ink.shape[1]:
            return None
        window = np.s_[row - reach : row + reach + 1, first:end]
        area = self.ink[window]
        lines = cv2.subtract(self.full[window], area)
        tall = np.ones((round(THICKEST * SPACE * FINE), 1), np.uint8)
        thin = cv2.subtract(area, cv2.morphologyEx(area, cv2.MORPH_OPEN, tall))
        wider = np.ones((3, 1), np.uint8)
        return cv2.dilate(thin, wider) > 0, cv2.dilate(lines, wider) > 0


def _fits(thin: NDArray[np.bool_], hidden: NDArray[np.bool_], length: float, whole: bool) -> bool:
    """Whether an arc as long as the picture, ``length`` staff spaces, runs above or below."""
    import numpy as np

    sides = [side for side in (-1, 1) if _possible(thin, hidden, side)]
    if not sides:
        return False
    every = max(1, thin.shape[1] // COLUMNS)
    t = np.linspace(0, 1, thin.shape[1])[::every]
    thin, hidden = thin[:, ::every], hidden[:, ::every]
    middle, unit = thin.shape[0] // 2, SPACE * FINE
    rise = max(FLATTEST, min(0.05 * length, 0.7))
    starts, heights = np.arange(0.1, 1.4, 0.07), np.arange(rise, rise + 1.0, 0.08)
    bow = heights[None, :, None] * (4 * t * (1 - t))
    tips = max(2, len(t) // 8)
    for drift in (0.0,) if whole else (0.0, 0.35, -0.35):
        run = starts[:, None, None] + drift * t + bow
        for side in sides:
            rows = np.rint(middle + side * run * unit).astype(np.int64)
            at = rows.clip(0, thin.shape[0] - 1), np.arange(len(t))
            hit = thin[at]
            unseen = hidden[at] & ~hit
            share = hit.sum(axis=2) / np.maximum((~unseen).sum(axis=2), len(t) / 2)
            tip = hit | unseen
            edges = np.minimum(tip[..., :tips].mean(axis=2), tip[..., -tips:].mean(axis=2))
            if bool(((share >= SURE) & (edges > TIPS)).any()):
                return True
    return False


def _possible(thin: NDArray[np.bool_], hidden: NDArray[np.bool_], side: int) -> bool:
    """Whether there is ink enough for an arc above (-1) or below (1) the middle row at all.

    What this rules out could not reach :data:`SURE` either, however the arc lies.
    """
    beyond = thin.shape[0] // 2 - side * round(0.3 * SPACE * FINE)
    half = slice(beyond, None) if side > 0 else slice(None, beyond + 1)
    seen = thin[half].any(axis=0)
    inked = int(seen.sum())
    blank = seen.size - int((seen | hidden[half].any(axis=0)).sum())
    return inked >= SURE * seen.size / 2 and SURE * blank <= (1 - SURE) * inked
