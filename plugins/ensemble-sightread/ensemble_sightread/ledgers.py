"""Ledger lines: which staff a head outside of the staves belongs to, and if it is one at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .symbols import SPACE, Staff, Symbol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DARKER = 28.0
"""A ledger line is darker than the rows around it by this, of 255."""
FARTHEST = 22.0
"""Steps from the staff's middle beyond which nothing is a note."""


@attrs.frozen(eq=False)
class Ledgers:
    """Looks for ledger lines on a page.

    Attributes:
        image: The normalised page, shape (height, width), 0 is ink.
    """

    image: NDArray[np.uint8]

    def __call__(self, head: Symbol, staff: Staff) -> bool:
        """Whether ledger lines lead from a staff to a head; true if it needs none."""
        step = staff.step(head.x, head.y)
        if -1.7 <= step <= 9.7:
            return True
        if abs(step - 4) > FARTHEST:
            return False
        if step > 8:
            lines = range(10, int(step + 0.4) + 1, 2)
        else:
            lines = range(-2, -int(-step + 0.4) - 1, -2)
        found = sum(self._line(head, staff.y(line, head.x)) for line in lines)
        return found >= 0.6 * len(lines)

    def _line(self, head: Symbol, y: float) -> bool:
        """Whether a short horizontal line crosses the head's columns, jutting out, at y."""
        import numpy as np

        left, right = int(head.left - 0.35 * SPACE), int(head.right + 0.35 * SPACE) + 1
        row = round(y)
        if left < 0 or right > self.image.shape[1] or row < 4 or row + 4 >= self.image.shape[0]:
            return False
        columns = self.image[row - 4 : row + 5, left:right]
        if row_hits(head, y):
            columns = np.concatenate([columns[:, :3], columns[:, -3:]], axis=1)
        rows = columns.mean(axis=1)
        return bool(rows[2:7].min() < 200 and max(rows[0], rows[-1]) - rows[2:7].min() > DARKER)


def row_hits(head: Symbol, y: float) -> bool:
    """Whether a row goes through the head itself."""
    return head.top - 1 <= y <= head.bottom + 1
