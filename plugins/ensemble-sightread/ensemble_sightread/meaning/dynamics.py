"""Dynamic signs: letters that stand together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ensemble_core.model import Box

from ..symbols import SPACE, Seen, Staff, Symbol
from .directions import bar_at, beside, braced, onset
from .music import Bar, Direction

SURE = 0.35
"""Least confidence of a letter."""
FAR = 9 * SPACE
"""How far from the lines of its staff a sign stands, at most."""
APART = 0.7 * SPACE
"""How far the letters of a sign stand apart, at most."""
SIGNS = re.compile(r"p{1,6}|f{1,6}|m[pf]|pf|f{1,3}p{1,2}|s?f{1,3}z?p{0,2}|rf{1,2}z?|f{1,2}zp?|n")
"""What letters can say."""


def add_dynamics(seen: Seen, bars: Sequence[Bar]) -> None:
    """Put the dynamic signs of a page into its bars, which are solved."""
    for letters in _groups(seen.symbols):
        text = "".join(letter.kind[-1] for letter in letters)
        if not SIGNS.fullmatch(text):
            continue
        box = _box(letters)
        x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        place = beside(seen, x, y)
        bar = bar_at(bars, place[0], x) if place else None
        if place is None or bar is None or _far(seen.staves[place[0]], x, y):
            continue
        staves = braced(seen, bar, place[0])
        staves = (place[0], *(staff for staff in staves if staff != place[0]))
        sure = min(letter.confidence for letter in letters)
        bar.directions.append(
            Direction("dynamics", place[0], onset(bar, staves, x), box, place[1], text, sure)
        )


def _groups(symbols: Sequence[Symbol]) -> Iterator[list[Symbol]]:
    """Letters that stand beside one another, left to right."""
    letters = [s for s in symbols if s.kind.startswith("dynamic-") and s.confidence >= SURE]
    groups: list[list[Symbol]] = []
    for letter in sorted(letters, key=lambda s: s.x):
        for group in groups:
            last = group[-1]
            shared = min(letter.bottom, last.bottom) - max(letter.top, last.top)
            least = min(letter.bottom - letter.top, last.bottom - last.top)
            if letter.left - last.right < APART and shared > 0.4 * least:
                group.append(letter)
                break
        else:
            groups.append([letter])
    yield from groups


def _far(staff: Staff, x: float, y: float) -> bool:
    return not staff.y(8, x) - FAR < y < staff.y(0, x) + FAR


def _box(letters: Sequence[Symbol]) -> Box:
    return Box(
        min(s.left for s in letters), min(s.top for s in letters),
        max(s.right for s in letters), max(s.bottom for s in letters),
    )  # fmt: skip
