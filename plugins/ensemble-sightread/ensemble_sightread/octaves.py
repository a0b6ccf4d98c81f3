"""Octave lines: a sign (8, 8va, 15ma …) and dashes on a level with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import attrs
import cv2
import numpy as np

from .dashes import UNIT, Dashes, find_dashes
from .letters import Line, read_lines
from .lines import coarse, fine
from .morphology import Mask, pieces
from .normalise import Normalised
from .symbols import SPACE, Octave, Seen, Symbol, Word

SMALL, LARGE, WIDE = 0.8, 2.8, 3.0
"""Staff spaces that a digit is high, at least and at most, and that a shape is wide at most."""
BEFORE, LEVEL = 4.5, 2.0
"""Staff spaces left of the dashes and above and below in which the sign is looked for."""
APART = 0.9
"""Staff spaces between two shapes of a sign, or between it and the dashes, at most."""
DIGIT = 1.45
"""How much higher a digit is than a small letter."""
KINDS = ("ottava", "tuplet-8", "time-8")
"""What the net takes the sign for."""
READ = 0.8
"""How sure the letters are of a sign."""
MARGIN, OPENING = 3.0 * SPACE, 16.0 * SPACE
"""How near the end of a system a line comes that goes on in the next, and how near the beginning
of that it begins there."""
CLEF = 3.5 * SPACE
"""How far right of a system's beginning signs stand; left of that are numbers of bars."""
BELOW = 2.5
"""How much nearer to the notes above it a row must be that is below its staff."""
EIGHT = 0.6
"""How sure it is that what looks like an eight is one."""
Box = tuple[int, int, int, int]
_SIGN = re.compile(r"\(?(8|15|22)(?:v?[ab]|m[ab])?(?:bassa)?\.?\)?")


def find_octaves(
    page: Normalised, ink: Mask, sure: Mask | None, seen: Seen, threads: int = 1
) -> tuple[Octave, ...]:
    """The octave lines of a page.

    Args:
        page: The page.
        ink: Its fine picture without staff lines.
        sure: The net's mask of lines, at half the page's size; without it none are found.
        seen: What else is on it.
        threads: Threads that ONNX Runtime may use.
    """
    if sure is None:
        return ()
    heads = [s for s in seen.symbols if s.kind.startswith(("head", "rest"))]
    rows = [
        row
        for row in find_dashes(ink, sure, seen, _likely(seen))
        if not any(row.x1 < s.x < row.x2 and s.top - 1 < row.y1 < s.bottom + 1 for s in heads)
    ]  # ledger lines of several chords are a row of dashes too
    boxes = [_sign(ink, row) for row in rows]
    found = [(row, box) for row, box in zip(rows, boxes, strict=True) if box]
    lines = [_line(page, box) for _, box in found]
    octaves: list[Octave] = []
    for (row, box), words in zip(found, read_lines(lines, threads), strict=True):
        octave = _octave(ink, seen, row, box, words)
        if octave and not any(octave.sign == other.sign for other in octaves):
            octaves.append(octave)
    return tuple(_credible(seen, octaves))


def _likely(seen: Seen) -> Iterator[tuple[float, float]]:
    """Where dashes may be: behind what looks like an eight."""
    signs = [(s.right, s.top, s.y) for s in seen.symbols if s.kind in KINDS]
    signs += [
        (w.right, w.top, (w.top + w.bottom) / 2) for w in seen.words if _SIGN.fullmatch(w.text)
    ]
    for right, *levels in signs:
        yield from ((right + SPACE, level) for level in levels)


def _octave(ink: Mask, seen: Seen, row: Dashes, sign: Box, words: Sequence[Word]) -> Octave | None:
    """A row with a sign as an octave line; its confidence is 0 if the sign could not be read."""
    left, top, right, bottom = coarse(np.array(sign)).tolist()
    said = max(words, key=lambda word: word.confidence, default=None)
    match = _SIGN.fullmatch(said.text) if said and said.confidence > READ else None
    net = _seen_as(seen.symbols, (left, top, right, bottom))
    if not (said and match is None and said.text.isalpha()):
        alone = not _covered(seen.symbols, (left, top, right, bottom))
        net = max(net, EIGHT * (alone and _looks_like_eight(ink, sign)))
    if row.solid and not (match and net and row.hook):
        return None
    confidence = max(said.confidence if match and said else 0.0, net)
    staff, above = _side(seen, row, low=row.hook < 0 or bool(match and "b" in match[0]))
    if left < seen.staves[staff].left + CLEF:
        return None
    if confidence < EIGHT and not (above and row.hook):
        confidence = 0.0  # such a sign may be a letter or digit of something else
    symbol = Symbol("ottava", left, top, right, bottom, confidence)
    return Octave(
        staff, symbol, row.x2, row.y2, int(match[1]) if match else 8, above, row.hook != 0
    )


def _looks_like_eight(ink: Mask, box: Box) -> bool:
    """Whether there are two holes in a sign, one above the other."""
    left, top, right, bottom = box
    outlines, nesting = cv2.findContours(
        np.ascontiguousarray(ink[top:bottom, left:right]), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    holes = [o for o, n in zip(outlines, nesting[0] if outlines else (), strict=True) if n[3] >= 0]
    sized = SMALL * UNIT < bottom - top < 1.85 * UNIT and right - left < bottom - top
    if len(holes) != 2 or not sized:
        return False
    (x1, y1, w1, h1), (x2, y2, w2, h2) = (cv2.boundingRect(hole) for hole in holes)
    apart = abs(y1 + h1 / 2 - y2 - h2 / 2)
    return bool(abs(x1 + w1 / 2 - x2 - w2 / 2) < 0.4 * UNIT and apart > 0.3 * (bottom - top))


def _covered(symbols: Sequence[Symbol], box: tuple[float, float, float, float]) -> bool:
    """Whether there is a symbol in a box that is no eight."""
    left, top, right, bottom = box
    return any(
        s.kind not in KINDS and s.confidence > 0.5
        for s in symbols
        if left - 2 < s.x < right + 2 and top - 2 < s.y < bottom + 2
    )


def _side(seen: Seen, row: Dashes, *, low: bool) -> tuple[int, bool]:
    """The staff a row belongs to and whether it stands above that.

    Mostly it does; a row is below a staff if it is much nearer to the notes there.
    """
    upper, lower = (row.staff - 1, row.staff) if row.above else (row.staff, row.staff + 1)
    if upper < 0 or lower >= len(seen.staves):
        return (lower, True) if upper < 0 else (upper, False)
    above, below = seen.staves[upper], seen.staves[lower]
    ends = row.x1 - 2 * SPACE, row.x2 + SPACE / 2
    heads = [s for s in seen.symbols if s.kind.startswith("head") and ends[0] < s.x < ends[1]]
    over = [s.bottom for s in heads if above.y(14, s.x) < s.y < row.y1]
    under = [s.top for s in heads if row.y1 < s.y < below.y(-6, s.x)]
    if not (over and under):
        return (upper, False) if over else (lower, True)
    high, deep = max(above.y(0, row.x1), *over), min(below.y(8, row.x1), *under)
    near = BELOW * (row.y1 - high) < deep - row.y1
    return (upper, False) if low or near else (lower, True)


def _credible(seen: Seen, octaves: Sequence[Octave]) -> list[Octave]:
    """Lines whose sign was read, and those that go on from one on the system before."""
    kept: list[Octave] = []
    for octave in sorted(octaves, key=lambda o: (o.staff, o.sign.x)):
        before = next((o for o in kept if goes_on(seen, o, octave)), None)
        if octave.sign.confidence or before:
            kept.append(attrs.evolve(octave, size=before.size) if before else octave)
    return kept


def goes_on(seen: Seen, last: Octave, octave: Octave) -> bool:
    """Whether an octave line is that of the system before."""
    if last.hooked or last.above != octave.above:
        return False
    places = {
        staff: (number, place)
        for number, system in enumerate(seen.systems)
        for place, staff in enumerate(system.staves)
    }
    if last.staff not in places or octave.staff not in places:
        return False
    (system, place), (later, other) = places[last.staff], places[octave.staff]
    reaches = last.right > seen.staves[last.staff].right - MARGIN
    begins = octave.sign.left < seen.staves[octave.staff].left + OPENING
    return later == system + 1 and place == other and reaches and begins


def _sign(ink: Mask, row: Dashes) -> Box | None:
    """The box of what stands at the beginning of a row, in fine pixels; None if nothing does."""
    x, y = fine((row.x1, row.y1)).astype(int).tolist()
    left, top = max(0, x - round(BEFORE * UNIT)), max(0, y - round(LEVEL * UNIT))
    window = ink[top : y + round(LEVEL * UNIT), left : x + round(1.4 * UNIT)]
    shapes = sorted(
        (
            piece
            for piece in pieces(np.ascontiguousarray(window))
            if piece.height < LARGE * UNIT and piece.width < WIDE * UNIT
            and piece.height > 0.5 * UNIT and piece.top < y - top + 4
            and piece.top + piece.height > y - top - 4
        ),
        key=lambda piece: -(piece.left + piece.width),
    )  # fmt: skip
    sign: list[tuple[int, int, int, int]] = []
    edge = x - left
    for piece in shapes:
        right = piece.left + piece.width
        if edge - right > APART * UNIT:
            break
        sign.append((piece.left, piece.top, right, piece.top + piece.height))
        edge = min(edge, piece.left)
    if not any(b - t > SMALL * UNIT for _, t, _, b in sign):
        return None
    box = np.array(sign)
    (x1, y1), (x2, y2) = box[:, :2].min(0), box[:, 2:].max(0)
    return int(x1) + left, int(y1) + top, int(x2) + left, int(y2) + top


def _line(page: Normalised, box: Box) -> Line:
    """A sign cut out to be read."""
    left, top, right, bottom = box
    left, top = max(0, left - 4), max(0, top - 4)
    picture = page.fine[top : bottom + 4, left : right + 4]
    return Line(picture, (left, top), (float(bottom), 0.0), (bottom - box[1]) / DIGIT)


def _seen_as(symbols: Sequence[Symbol], box: tuple[float, float, float, float]) -> float:
    """How sure the net is of an eight in a box."""
    left, top, right, bottom = box
    return max(
        (
            s.confidence
            for s in symbols
            if s.kind in KINDS and left - 2 < s.x < right + 2 and top - 2 < s.y < bottom + 2
        ),
        default=0.0,
    )


def without_signs(seen: Seen) -> Seen:
    """A page on which the signs of octave lines are no words, digits or dynamics any more."""
    if not seen.octaves:
        return seen

    def free(x: float, y: float) -> bool:
        signs = (octave.sign for octave in seen.octaves)
        return not any(s.left - 2 < x < s.right + 2 and s.top - 2 < y < s.bottom + 2 for s in signs)

    return attrs.evolve(
        seen,
        symbols=tuple(s for s in seen.symbols if free(s.x, s.y)),
        faint=tuple(s for s in seen.faint if free(s.x, s.y)),
        words=tuple(w for w in seen.words if free((w.left + w.right) / 2, (w.top + w.bottom) / 2)),
    )
