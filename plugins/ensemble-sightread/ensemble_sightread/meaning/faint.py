"""A second look at bars in which nothing was seen: a whole note or a rest hides there."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..symbols import SPACE, Seen, Symbol
from .layout import home
from .music import Bar

STEMLESS = ("head-whole", "rest-whole", "rest-half", "rest-quarter")


def supplemented(seen: Seen, bars: Sequence[Bar]) -> Seen:
    """The page with the surest faint symbol in each staff's bar that is empty.

    Args:
        seen: The page.
        bars: Laid out, without those that are no bars.

    Returns:
        The same object if nothing was added.
    """
    candidates = [s for s in seen.faint if s.kind in STEMLESS]
    if not candidates:
        return seen
    homes = [home(seen, symbol) for symbol in candidates]
    added: list[Symbol] = []
    for bar in bars:
        resting = any(
            rest.system == bar.system and bar.left < rest.right and rest.left < bar.right
            for rest in seen.multirests
        )
        for staff in () if resting else bar.staves:
            if not any(event.staff == staff for event in bar.events):
                own = [s for s, at in zip(candidates, homes, strict=True) if at == staff]
                added += _best(bar, staff, own)
    return attrs.evolve(seen, symbols=(*seen.symbols, *added)) if added else seen


def _best(bar: Bar, staff: int, candidates: Sequence[Symbol]) -> list[Symbol]:
    """The surest candidate on a staff of a bar, with heads of its kind above or below it."""
    inside = [
        s for s in candidates
        if bar.left + SPACE / 2 < s.left and s.right < bar.right
        and (s.kind == "head-whole" or 1 < bar.step(staff, s.x, s.y) < 7)
    ]  # fmt: skip
    if not inside:
        return []
    best = max(inside, key=lambda s: s.confidence)
    if not best.kind.startswith("head"):
        return [best]
    return [s for s in inside if s.kind == best.kind and abs(s.x - best.x) < SPACE / 2]
