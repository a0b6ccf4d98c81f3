"""Tells tablature from staves: its six lines look like a staff with one line too many."""

from __future__ import annotations

import numpy as np

from .morphology import Mask, dilated
from .normalise import FINE
from .symbols import Staff

PRESENT = 0.85
"""Part of its length along which the sixth line must be seen."""


def is_tablature(staff: Staff, wide: Mask) -> bool:
    """Whether a sixth line runs along a staff, a space above it or below.

    Args:
        staff: Where five of its lines are.
        wide: The fine binary picture, grown up and down by two pixels.
    """
    xs = np.arange(int(staff.left) + 1, int(staff.right))
    bottom = np.interp(xs, staff.xs, staff.bottom)
    space = np.interp(xs, staff.xs, staff.space)
    columns = np.clip((xs * FINE).astype(int), 0, wide.shape[1] - 1)
    for lines_up in (5, -1):
        rows = np.rint((bottom - lines_up * space) * FINE).astype(int)
        inside = (rows >= 0) & (rows < wide.shape[0])
        seen = wide[np.clip(rows, 0, wide.shape[0] - 1), columns] > 0
        if float((seen & inside).mean()) > PRESENT:
            return True
    return False


def without_tablature(staves: tuple[Staff, ...], ink: Mask) -> tuple[Staff, ...]:
    """The staves that are none; all lines are in pixels of the normalised page."""
    wide = dilated(ink, 5, 1)
    return tuple(staff for staff in staves if not is_tablature(staff, wide))
