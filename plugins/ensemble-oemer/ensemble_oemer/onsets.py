"""When the signs of a bar begin, from how long each of them lasts and how they stand in a row.

oemer adds up the shortest sign of each column and staff, which is only right where all voices
of a staff move together, and then makes notes longer until its two staves agree.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs


@attrs.frozen
class Sign:
    """A note, chord or rest: x of its centre, 0-based staff, duration in any unit."""

    x: float
    staff: int
    duration: int


def onsets(signs: Sequence[Sign], width: float) -> list[int]:
    """The onset of each sign of a bar, in the unit of the durations.

    A column of signs begins where a sign of each of its staves ends; failing that, at the
    earliest such end of one of them. It always begins after the column before it.

    Args:
        signs: In order of ``x``.
        width: Signs less than this apart form one column.
    """
    found: list[int] = []
    ends: dict[int, set[int]] = {}
    now = 0
    for column in _columns(signs, width):
        if found:
            now = _next({sign.staff for sign in column}, ends, now)
        for sign in column:
            ends.setdefault(sign.staff, set()).add(now + sign.duration)
            found.append(now)
    return found


def _next(staves: set[int], ends: dict[int, set[int]], now: int) -> int:
    later = [{end for end in ends.get(staff, ()) if end > now} for staff in staves]
    shared = set.intersection(*later)
    anywhere = {end for some in ends.values() for end in some if end > now}
    return min(shared or set.union(*later) or anywhere)


def _columns(signs: Sequence[Sign], width: float) -> list[list[Sign]]:
    columns: list[list[Sign]] = []
    for sign in signs:
        if columns and sign.x - columns[-1][0].x < width:
            columns[-1].append(sign)
        else:
            columns.append([sign])
    return columns
