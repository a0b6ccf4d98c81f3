"""The brackets of endings (voltas): thin lines above a system, with a hook and a number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from . import morphology
from .lines import coarse, fine
from .morphology import Mask, low_runs, pieces
from .normalise import FINE
from .symbols import SPACE, Seen, Staff, System, Volta, Word

UNIT = SPACE * FINE
REACH = 11.0
"""Staff spaces above the top line up to which brackets are looked for."""
NEAREST = 0.6
"""Staff spaces above the top line where they begin."""
THICKEST = 0.36
SHORTEST = 2.5
"""Staff spaces a bracket is long, at least."""
GAP = 0.8
"""Staff spaces of the line that may be lost in print."""
STEEPEST = 0.05
HOOK, INKED = 0.9, 0.8
"""Staff spaces below the line in which a hook is looked for, and how much of that is ink."""
BESIDE = 0.35
"""Staff spaces a hook may be off the end of its line."""
BETWEEN = 5 * SPACE
"""How far apart the brackets of two endings may be that follow one another."""
INSIDE = 2.2
"""Staff spaces between hook and number, at most; and"""
NEXT = 1.6
"""between two numbers; and"""
UNDER = 3.2
"""between the line and the foot of the number."""
ONES = str.maketrans("lI|!i", "11111")
"""What a 1 is taken for."""
_NUMBERS = re.compile(r"(?:[1-9][.,:;]{0,2}(?:[-–][1-9])?[.,:;]{0,2})+")


@attrs.frozen
class _Stroke:
    """A flat thin stroke in fine pixels."""

    x1: float
    y1: float
    x2: float
    y2: float


def find_voltas(ink: Mask, seen: Seen) -> tuple[Volta, ...]:
    """The brackets of endings above the systems of a page.

    A bracket has a hook at its left end and a number right of that, or it begins with the system
    and goes on from the one before, whose last bracket is open.

    Args:
        ink: The fine picture without staff lines.
        seen: Its staves, systems and words.
    """
    if not _promising(ink, seen):
        return ()
    found: list[Volta] = []
    for number, system in enumerate(seen.systems):
        own = [_bracket(ink, seen, number, stroke) for stroke in _strokes(ink, seen, system)]
        found += sorted((volta for volta in own if volta), key=lambda v: v.left)
    return tuple(_credible(seen, found))


def _promising(ink: Mask, seen: Seen) -> bool:
    """Whether right of some upright stroke above a system stands a number."""
    for system in seen.systems:
        staff = seen.staves[system.staves[0]]
        for word in seen.words:
            step = staff.step(word.left, word.bottom)
            if 8 < step < 8 + 2 * REACH and _NUMBERS.fullmatch(_plain(word)):
                x, y = fine((word.left, word.top)).astype(int).tolist()
                rows = slice(y, y + round(0.5 * UNIT))
                window = ink[rows, max(0, x - round(INSIDE * UNIT)) : x - 2]
                if window.size and window.mean(axis=0).max() >= INKED:
                    return True
    return False


def _credible(seen: Seen, voltas: Sequence[Volta]) -> Iterator[Volta]:
    """Brackets with a number, those beside one whose own was not read, and those that go on.

    What has no number counts only on the system of the other, and before a second ending at most:
    slurs and lines of other kinds have hooks, too.
    """
    last: Volta | None = None
    for place, volta in enumerate(voltas):
        later = voltas[place + 1] if place + 1 < len(voltas) else None
        leads = later is not None and min(later.numbers, default=0) > 1 and _beside(volta, later)
        beside = volta.opened and (leads or (last is not None and _beside(last, volta)))
        on = last is not None and not volta.opened and _goes_on(seen, last, volta)
        if volta.numbers or beside or on:
            yield volta
            last = volta


def follows(last: Volta, volta: Volta) -> bool:
    """Whether the next ending's bracket begins where one ends, or on the next system."""
    if volta.system == last.system:
        return volta.left - last.right < BETWEEN
    return volta.system == last.system + 1 and volta.left < last.left


def _beside(last: Volta, volta: Volta) -> bool:
    return volta.system == last.system and follows(last, volta)


def _strokes(ink: Mask, seen: Seen, system: System) -> list[_Stroke]:
    """Long flat thin strokes above a system's first staff."""
    staff, edge = seen.staves[system.staves[0]], _edge(seen, system)
    top = fine(staff.bottom - 4 * staff.space)
    first = max(0, int(top.min() - REACH * UNIT), int(edge))
    last = int(top.max() - NEAREST * UNIT)
    left, right = int(fine(staff.left) - 2 * UNIT), int(fine(staff.right) + 2 * UNIT)
    left = max(left, 0)
    if last - first < 4:
        return []
    strip = np.ascontiguousarray(ink[first:last, left:right])
    flat = morphology.opened(low_runs(strip, round(THICKEST * UNIT)), 1, round(0.8 * UNIT))
    strokes = []
    for piece in pieces(flat):
        if piece.height > THICKEST * UNIT + STEEPEST * piece.width:
            continue
        shape = piece.cut(flat)
        ends = [float(np.flatnonzero(shape[:, column]).mean()) for column in (0, -1)]
        x, y = piece.left + left, piece.top + first
        strokes.append(_Stroke(x, y + ends[0], x + piece.width - 1, y + ends[1]))
    return [s for s in _joined(ink, strokes) if s.x2 - s.x1 > SHORTEST * UNIT and _above(staff, s)]


def _edge(seen: Seen, system: System) -> float:
    """Fine y of the lowest line of what is above a system."""
    first = system.staves[0]
    return float(fine(seen.staves[first - 1].bottom.max())) + 0.5 * UNIT if first else 0.0


def _above(staff: Staff, stroke: _Stroke) -> bool:
    middle = float(coarse((stroke.x1 + stroke.x2) / 2))
    y = float(coarse((stroke.y1 + stroke.y2) / 2))
    return 8 + 2 * NEAREST < staff.step(middle, y) < 8 + 2 * REACH


def _joined(ink: Mask, strokes: Sequence[_Stroke]) -> list[_Stroke]:
    """Strokes of which one goes on where the other ends as one, save where a hook hangs."""
    found: list[_Stroke] = []
    for stroke in sorted(strokes, key=lambda s: s.x1):
        for place, other in enumerate(found):
            level = abs(stroke.y1 - other.y2) < 0.2 * UNIT
            near = level and -0.1 * UNIT < stroke.x1 - other.x2 < GAP * UNIT
            if near and not _hook(ink, other.x2, other.y2) and not _hook(ink, stroke.x1, stroke.y1):
                found[place] = _Stroke(other.x1, other.y1, stroke.x2, stroke.y2)
                break
        else:
            found.append(stroke)
    return found


def _bracket(ink: Mask, seen: Seen, system: int, stroke: _Stroke) -> Volta | None:
    """A stroke as the bracket of an ending; None if it has no hook where one is needed."""
    x1, y1, x2, y2 = coarse(np.array(attrs.astuple(stroke))).tolist()
    staff = seen.staves[seen.systems[system].staves[0]]
    opened, closed = _hook(ink, stroke.x1, stroke.y1), _hook(ink, stroke.x2, stroke.y2)
    if not opened:
        begins = x1 < staff.left + 14 * SPACE
        return Volta(system, x1, x2, (y1 + y2) / 2, opened=False, closed=closed) if begins else None
    words = list(_inside(seen.words, (x1, y1, x2)))
    text = " ".join(_plain(word) for word in words)
    if not words:
        return Volta(system, x1, x2, (y1 + y2) / 2, closed=closed, confidence=0.5)
    sure = min(word.confidence for word in words)
    return Volta(system, x1, x2, (y1 + y2) / 2, numbers(text), text, True, closed, sure)


def _hook(ink: Mask, x: float, y: float) -> bool:
    """Whether a stroke goes down from a point."""
    beside = round(BESIDE * UNIT)
    top, left = round(y + 0.15 * UNIT), max(round(x) - beside, 0)
    window = ink[top : top + round(HOOK * UNIT), left : round(x) + beside + 1]
    if not window.size:
        return False
    return bool(window.mean(axis=0).max() >= INKED)


def _inside(words: Sequence[Word], at: tuple[float, float, float]) -> Iterator[Word]:
    """The numbers that stand at the left end of a bracket, left to right."""
    x1, y, x2 = at
    edge = x1 + INSIDE * SPACE
    for word in sorted(words, key=lambda w: w.left):
        level = y - 0.2 * SPACE < word.top and word.bottom < y + UNDER * SPACE
        if level and x1 - 2 < word.left < edge and word.right < x2 + 2:
            if _NUMBERS.fullmatch(_plain(word)):
                yield word
            elif _plain(word):  # "times only"
                return
            edge = word.right + NEXT * SPACE


def _plain(word: Word) -> str:
    """What a number says, without the brackets that it may stand in."""
    return word.text.translate(ONES).strip("[]() ")


def numbers(text: str) -> tuple[int, ...]:
    """The endings a bracket counts: ``1.2.``, ``1, 2``, ``1.–3.``."""
    found: list[int] = []
    for first, last in re.findall(r"(\d)[.,:;]*(?:[-–](\d))?", text):
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


def _goes_on(seen: Seen, before: Volta, volta: Volta) -> bool:
    """Whether a bracket without a hook goes on from the system before."""
    if volta.system != before.system + 1 or before.closed:
        return False
    last = seen.staves[seen.systems[before.system].staves[0]]
    first = seen.staves[seen.systems[volta.system].staves[0]]
    return before.right > last.right - 3 * SPACE and volta.left < first.left + 14 * SPACE
