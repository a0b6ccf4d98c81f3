"""Bar lines that do not part bars: a repeat begins behind the clef, a key stands between two."""

from __future__ import annotations

from collections.abc import Sequence

from ..symbols import SPACE, MultiRest, Seen, Symbol
from .layout import home
from .music import Bar
from .values import split_repeat_dots

SLACK = 2.2 * SPACE
"""Room between the last sign of a prefix and the line that ends it, at most."""


def joined(seen: Seen, bars: Sequence[Bar]) -> list[Bar]:
    """The bars without those that hold but clefs, keys and times.

    Such a one belongs to the bar behind it; at the end of a system, where none is behind, it
    announces what holds from the next system on and is left out.

    Args:
        seen: The page.
        bars: As :func:`~.layout.bars` gives them; those that go on in a prefix are changed.
    """
    found: list[Bar] = []
    pending: Bar | None = None
    for bar in bars:
        if pending is not None and pending.system == bar.system:
            _take(bar, pending)
        pending = None
        if not _is_prefix(seen, bar):
            found.append(bar)
        elif bar.closes is not None:
            pending = bar
        elif found and found[-1].system == bar.system:
            found[-1].courtesy = True
        else:
            found.append(bar)
    return found


def _is_prefix(seen: Seen, bar: Bar) -> bool:
    """Whether nothing sounds in a bar and its signs reach to its end."""
    if bar.events or any(_in(bar, rest) for rest in seen.multirests):
        return False
    signs = [s for s in _signs(seen, bar) if bar.left - SPACE < s.x < bar.right]
    if not signs:
        return False
    # With an open end the staff may go on behind a courtesy, but not for a bar's width.
    slack = SLACK if bar.closes else 2 * SLACK
    return bar.right - max(s.right for s in signs) < slack


def _signs(seen: Seen, bar: Bar) -> list[Symbol]:
    clefs = [s for s in seen.symbols if s.kind.startswith("clef-") and home(seen, s) in bar.staves]
    rows = [*bar.accidentals.values(), *bar.times.values(), clefs]
    return [symbol for row in rows for symbol in row]


def _in(bar: Bar, rest: MultiRest) -> bool:
    return bar.system == rest.system and bar.left < (rest.left + rest.right) / 2 < bar.right


def _take(bar: Bar, prefix: Bar) -> None:
    """Let a bar begin where its prefix does."""
    split_repeat_dots(bar)  # as long as it begins at the line they stand beside
    bar.left, bar.opens, bar.starts_system = prefix.left, prefix.opens, prefix.starts_system
    for staff, symbols in prefix.accidentals.items():
        bar.accidentals[staff] = [*symbols, *bar.accidentals.get(staff, ())]
    for staff, symbols in prefix.times.items():
        bar.times[staff] = [*symbols, *bar.times.get(staff, ())]
