"""Rests of several bars: a thick bar on the middle line, or old signs side by side, and a number.

The bar, its upright ends and the old signs are looked for in the picture, the number is read
by the symbol detector, which knows the same digits from time signatures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import numpy as np

from .glyphs import digits
from .lines import Band, coarse
from .morphology import pieces
from .normalise import Gray
from .symbols import SPACE, MultiRest, Seen, Staff, Symbol

THICKNESS = (0.35, 1.35)
"""Staff spaces; MuseScore and LilyPond draw 0.7, Verovio 1."""
SHORTEST = 2.0
"""Staff spaces from end to end."""
END_HEIGHT = (1.5, 3.0)
"""Staff spaces of the upright strokes at the ends, 2 as a rule; stems are longer."""
MOST_BY_SIGNS = 12
"""Old signs are not drawn for more bars."""
NUMBER_ABOVE = 5.5
"""Staff spaces above the staff within which the number stands."""


Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the normalised page."""


@attrs.frozen
class _Block:
    """A thick bar, or a row of old signs, in pixels of the normalised page."""

    left: float
    right: float
    bars: int = 0
    """How many bars the signs stand for; 0: only the number says it."""


def find_multirests(
    seen: Seen, straight: Sequence[Band], image: Gray, threads: int
) -> tuple[MultiRest, ...]:
    """Rests of two and more bars that all staves of a system share.

    Args:
        seen: The page with its staves, systems and symbols.
        straight: Each staff without its lines.
        image: The normalised page.
        threads: How many threads the symbol detector may use.

    Returns:
        In reading order. ``bars`` is 0 where there is a thick bar but no number was read.
    """

    def read_digits(box: Box) -> tuple[Symbol, ...]:
        return digits(image, box, threads)

    found = []
    for number, system in enumerate(seen.systems):
        rows = [_blocks(straight[i], seen, seen.staves[i]) for i in system.staves]
        for block in rows[0]:
            others = [_same(block, row) for row in rows[1:]]
            if all(others):
                rest = _read(read_digits, seen.staves[system.staves[0]], number, block)
                if rest:
                    found.append(rest)
    return tuple(found)


def _same(block: _Block, row: Sequence[_Block]) -> bool:
    return any(min(b.right, block.right) - max(b.left, block.left) > 0 for b in row)


def _blocks(straight: Band, seen: Seen, staff: Staff) -> list[_Block]:
    return sorted([*_thick_bars(straight), *_old_signs(straight, seen, staff)],
                  key=lambda block: block.left)  # fmt: skip


def _runs(band: Band) -> tuple[np.ndarray, np.ndarray]:
    """How far ink goes up and down from the middle line, per column, in rows."""
    middle = (band.top + band.bottom) // 2
    upper, lower = band.ink[middle::-1], band.ink[middle:]
    edge = np.zeros((1, band.ink.shape[1]), np.uint8)
    up, down = (np.argmin(np.vstack([part, edge]), axis=0) for part in (upper, lower))
    return up, down


def _thick_bars(band: Band) -> list[_Block]:
    on_line = _stretches(band.ink[(band.top + band.bottom) // 2] > 0, round(0.1 * band.space))
    if not any(last - first + 1 >= (SHORTEST - 0.6) * band.space for first, last in on_line):
        return []
    up, down = _runs(band)
    space = band.space
    high = up + down - 1
    low, most = THICKNESS
    body = (high >= low * space) & (high <= most * space) & (abs(up - down) <= 0.3 * space)
    found = []
    for first, last in _stretches(body, round(0.1 * space)):
        if last - first + 1 < (SHORTEST - 0.6) * space:
            continue
        inside = high[first : last + 1][body[first : last + 1]]
        even = np.percentile(inside, 90) - np.percentile(inside, 10) <= 0.2 * space
        ends = [_end(up, down, x, space) for x in (first, last)]
        if even and all(ends):
            left, right = (float(coarse(band.left + x)) for x in (first, last))
            found.append(_Block(left, right))
    return found


def _end(up: np.ndarray, down: np.ndarray, x: int, space: float) -> bool:
    """Whether an upright stroke, as long up as down, stands at an end of a bar."""
    near = slice(max(0, x - round(0.6 * space)), x + round(0.6 * space) + 1)
    high = (up + down - 1)[near]
    place = int(high.argmax())
    least, most = END_HEIGHT
    level = abs(int(up[near][place]) - int(down[near][place])) <= 0.5 * space
    return level and bool(least * space <= high[place] <= most * space)


def _stretches(row: np.ndarray, gap: int) -> list[tuple[int, int]]:
    """First and last index of the runs of a boolean row; gaps up to ``gap`` are bridged."""
    places = np.flatnonzero(row)
    if not places.size:
        return []
    cuts = np.flatnonzero(np.diff(places) > gap + 1)
    firsts = places[np.concatenate([[0], cuts + 1])]
    lasts = places[np.concatenate([cuts, [-1]])]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _old_signs(band: Band, seen: Seen, staff: Staff) -> list[_Block]:
    """Longa (4 bars), breve (2) and whole rests side by side, as one block each.

    A longa is a solid stroke from the second line to the fourth, a breve from the middle line
    to the fourth, a whole rest a flat one below the fourth.
    """
    signs = [
        (float(coarse(band.left + x)), float(coarse(band.left + x + width)), bars)
        for x, width, bars in _solid(band)
    ]
    if not any(bars > 1 for *_, bars in signs):
        return []
    for symbol in seen.symbols:
        step = staff.step(symbol.x, symbol.y)
        if symbol.kind == "rest-whole" and 4 < step < 7:
            beside = all(right < symbol.left or left > symbol.right for left, right, _ in signs)
            if beside:
                signs.append((symbol.left, symbol.right, 1))
    signs.sort()
    groups: list[list[tuple[float, float, int]]] = []
    for sign in signs:
        if groups and sign[0] - groups[-1][-1][1] < 5 * SPACE:
            groups[-1].append(sign)
        else:
            groups.append([sign])
    return [
        _Block(group[0][0], group[-1][1], sum(bars for *_, bars in group))
        for group in groups
        if any(bars > 1 for *_, bars in group) and sum(bars for *_, bars in group) <= MOST_BY_SIGNS
    ]


def _solid(band: Band) -> list[tuple[int, int, int]]:
    """Solid blocks of the shape of a longa, breve or whole rest: x, width, bars."""
    space = band.space
    found = []
    for piece in pieces(band.ink):
        top, foot = ((y - band.top) / space for y in (piece.top, piece.top + piece.height))
        if abs(top - 1) >= 0.25:
            continue
        if 0.35 * space <= piece.width <= 0.9 * space:
            bars = 4 if abs(foot - 3) < 0.25 else 2 if abs(foot - 2) < 0.25 else 0
        else:
            flat = 0.9 * space < piece.width <= 1.8 * space and 1.3 < foot < 1.75
            bars = int(flat)
        if bars and piece.cut(band.ink).mean() >= 0.85:
            found.append((piece.left, piece.width, bars))
    return found


def _read(
    read_digits: Callable[[Box], Sequence[Symbol]], staff: Staff, system: int, block: _Block
) -> MultiRest | None:
    """The block with its number, which stands above the system's first staff."""
    middle = (block.left + block.right) / 2
    top = staff.y(8, middle)
    box = (middle - 3.5 * SPACE, top - NUMBER_ABOVE * SPACE, middle + 3.5 * SPACE, top)
    bars, sure = _number(read_digits(box), middle, top)
    if block.bars:  # old signs are rests of a bar each unless a number says otherwise
        if bars < 2:
            return None
        return MultiRest(system, block.left, block.right, block.bars,
                         sure if bars == block.bars else sure / 2)  # fmt: skip
    return MultiRest(system, block.left, block.right, bars, sure)


def _number(found: Sequence[Symbol], middle: float, top: float) -> tuple[int, float]:
    """The number a row of digits gives, and how sure that is; (0, 0) for none."""
    near = [s for s in found if abs(s.x - middle) < 2.5 * SPACE and s.bottom < top + 0.3 * SPACE]
    if not near:
        return 0, 0.0
    best = max(near, key=lambda s: s.confidence - 0.02 * abs(s.x - middle))
    row = [s for s in near if abs(s.y - best.y) < 0.5 * SPACE]
    row = [s for s in row if 0.7 < (s.bottom - s.top) / (best.bottom - best.top) < 1.4]
    row.sort(key=lambda s: s.x)
    at = row.index(best)
    first = last = at
    while first and row[first].left - row[first - 1].right < 0.6 * SPACE:
        first -= 1
    while last + 1 < len(row) and row[last + 1].left - row[last].right < 0.6 * SPACE:
        last += 1
    taken = row[first : last + 1]
    text = "".join(s.kind.split("-")[1] for s in taken)
    if len(text) > 3 or text.startswith("0"):
        return 0, 0.0
    return int(text), min(s.confidence for s in taken)
