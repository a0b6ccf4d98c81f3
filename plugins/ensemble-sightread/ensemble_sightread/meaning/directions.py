"""Where words and signs beside the staves belong: to which staff, and to which moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..symbols import SPACE, Seen
from .music import Bar, Event

BELOW, INNER = 0.7, 2.3
"""How much of its distance counts for a sign below its staff, where most signs stand, and for
one above a staff that is not the first of its system."""


def beside(seen: Seen, x: float, y: float, *, below: float = BELOW) -> tuple[int, bool] | None:
    """The staff a sign stands beside, and whether above it; None: beside none.

    What stands between two staves of a braced pair is the upper one's.

    Args:
        seen: The page.
        x, y: Centre of the sign.
        below: How much of its distance counts for a staff above it; less than 1 prefers that.
    """
    best: tuple[float, int, bool] | None = None
    for system in seen.systems:
        for place, number in enumerate(system.staves):
            staff = seen.staves[number]
            if not staff.left - 2 * SPACE < x < staff.right + 2 * SPACE:
                continue
            step = staff.step(x, y)
            above = step > 4
            away = max(step - 8, -step, 0) * SPACE / 2
            inner = system.staves[place - 1] if place and above else None
            if inner is not None and any(
                first <= inner and number <= last for first, last in system.braces
            ):
                continue
            cost = below * away if not above else INNER * away if place else away
            if best is None or cost < best[0]:
                best = (cost, number, above)
    return best[1:] if best else None


def bar_at(bars: Iterable[Bar], staff: int, x: float) -> Bar | None:
    """The bar in which a place beside a staff lies."""
    own = [bar for bar in bars if staff in bar.staves]
    for bar in own:
        if bar.left <= x < bar.right:
            return bar
    return min(own, key=lambda bar: min(abs(bar.left - x), abs(bar.right - x)), default=None)


def braced(seen: Seen, bar: Bar, staff: int) -> tuple[int, ...]:
    """The staves of the part that a staff belongs to."""
    for first, last in seen.systems[bar.system].braces:
        if first <= staff <= last:
            return tuple(number for number in bar.staves if first <= number <= last)
    return (staff,)


def columns(bar: Bar, staves: Sequence[int]) -> list[Event]:
    """The chords and rests of some staves that say when something happens, left to right."""
    own = [e for e in bar.events if e.staff in staves and not e.grace and not e.whole_bar]
    return sorted(own, key=lambda event: event.x)


def onset(bar: Bar, staves: Sequence[int], x: float) -> int:
    """The moment at which a sign holds whose middle is at ``x``.

    It is the onset of the chord or rest whose middle is nearest, those of the first staff
    before those of the others.
    """
    best = (float("inf"), 0)
    for event in columns(bar, staves):
        away = abs(event.middle - x) + (0.0 if event.staff == staves[0] else 0.6 * SPACE)
        best = min(best, (away, event.onset))
    return best[1]
