"""Runs of letters: shapes that follow each other on a line, and how high its letters are.

Shapes of the size of letters are linked to the next one to the right; what is linked is a
run. Runs on the same line (as straight or bent as the staff nearest) tell together how high
its small letters are, by the heights that occur most. Marks too small for letters (dots,
accents, hyphens) go with the run they are at.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from .shapes import UNIT, Flags, Floats, Shapes, surrounds

LOWEST = 0.3
"""Staff spaces of the lowest letter."""
GAP = 1.15
"""Widest gap within a run, in parts of its letters' height."""
BESIDE_WORD = 7 * UNIT
"""Fine pixels between words of a line, at most."""
MOST = 1200
"""Shapes between two staves that are looked at; more than that is no music."""


@attrs.define(eq=False)
class Run:
    """Letters that follow each other.

    Attributes:
        members: Indices of its letters, from left to right.
        marks: Indices of small shapes with it.
        base: y of its line, with the bend of the page taken away, and
        height: x-height, both in fine pixels.
        left, right: Where its letters begin and end.
    """

    members: list[int]
    base: float
    height: float
    left: float
    right: float
    marks: list[int] = attrs.field(factory=list)


def _run(shapes: Shapes, members: list[int]) -> Run:
    """A run whose height is as yet that of its middling letter, whose line a guess."""
    height = middle(shapes.height[members])
    base = _mode(shapes.low[members], 0.12 * height)
    right = float(shapes.right[members].max())
    return Run(members, base, height, float(shapes.left[members[0]]), right)


def band_runs(shapes: Shapes, band: NDArray[np.int64]) -> list[Run]:
    """The runs between two staves, their lines known and their marks with them."""
    high, wide = shapes.height[band], shapes.width[band]
    letters = band[(high >= LOWEST * UNIT) & (wide < 6 * high)]
    if not len(letters) or len(letters) > MOST:
        return []
    letters = letters[~_frames(shapes, letters)]
    runs = [_run(shapes, chain) for chain in _linked(shapes, letters)]
    runs = _without_commas(shapes, runs)
    groups = [_without_music(shapes, group) for group in _levels(shapes, runs)]
    for group in groups:
        _measure(shapes, group)
    runs = [run for group in groups for run in _joined(group)]
    _gather(shapes, runs, band)
    return _hyphens(shapes, runs, band)


def _linked(shapes: Shapes, letters: NDArray[np.int64]) -> list[list[int]]:
    """Letters linked to the next to the right, as lists."""
    left, right = shapes.left[letters], shapes.right[letters]
    top, bottom = shapes.top[letters], shapes.bottom[letters]
    high = bottom - top
    gap = left[None, :] - right[:, None]
    shared = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    lower, taller = np.minimum(high[:, None], high), np.maximum(high[:, None], high)
    wide = right - left
    lean = np.maximum(0.5 * np.minimum(wide[:, None], wide), 0.35 * lower)  # as italics do
    possible = (gap < GAP * taller) & (gap > -lean)
    possible &= (shared > 0.45 * lower) & (taller < 2.6 * lower)
    possible &= (left[None, :] > left[:, None]) & (right[None, :] > right[:, None])
    gap = np.where(possible, gap, np.inf)
    following = gap.argmin(1)
    home = list(range(len(letters)))

    def root(i: int) -> int:
        while home[i] != i:
            home[i] = home[home[i]]
            i = home[i]
        return i

    for i, after in enumerate(following.tolist()):
        if possible[i, after]:
            home[root(i)] = root(after)
    found: dict[int, list[int]] = {}
    for i, shape in enumerate(letters.tolist()):
        found.setdefault(root(i), []).append(shape)
    return list(found.values())


def _frames(shapes: Shapes, letters: NDArray[np.int64]) -> Flags:
    """Which letters are rather frames around one, as rehearsal marks have."""
    edges = np.stack([shapes.left, shapes.top, shapes.right, shapes.bottom])[:, letters]
    return np.asarray(surrounds(edges, edges).any(1))


def _without_music(shapes: Shapes, group: list[Run]) -> list[Run]:
    """Runs of one line but for symbols: notes, signs, dynamics.

    The symbol net sees heads and digits in words; one or two letters are let pass that stand
    beside a longer word.
    """
    claims = [shapes.claimed[run.members].tolist() for run in group]
    sure = [
        run for run, claimed in zip(group, claims, strict=True)
        if len(claimed) > 2 and claimed.count(2) <= 0.6 * len(claimed)
    ]  # fmt: skip
    left, right, *_ = _columns(sure)
    kept = []
    for run, claimed in zip(group, claims, strict=True):
        away = np.maximum(left - run.right, run.left - right)
        if claimed.count(2) > 0.6 * len(claimed):
            continue
        if len(claimed) > 2 or claimed.count(0) > 0.5 * len(claimed) or (away < BESIDE_WORD).any():
            kept.append(run)
    return kept


def _without_commas(shapes: Shapes, runs: list[Run]) -> list[Run]:
    """The runs but for low shapes at the foot or head of taller ones: commas, quotes, dots."""
    tall = [run for run in runs if len(run.members) > 1 or run.height > 0.5 * UNIT]
    left, right, high, foot = _columns(tall)
    kept = []
    for run in runs:
        if len(run.members) < 4:
            low = 0.75 if len(run.members) == 1 else 0.4
            x, y = (run.left + run.right) / 2, run.base - run.height / 2
            near = (x > left - 0.6 * high) & (x < right + 0.7 * high) & (run.height < low * high)
            if (near & (y > foot - 2.2 * high) & (y < foot + 0.6 * high)).any():
                continue
        kept.append(run)
    return kept


def _columns(runs: Sequence[Run]) -> tuple[Floats, Floats, Floats, Floats]:
    """Left, right, height and base of runs, each of shape (n,)."""
    rows = [(run.left, run.right, run.height, run.base) for run in runs]
    left, right, height, base = np.array(rows, np.float64).reshape(-1, 4).T
    return left, right, height, base


def _levels(shapes: Shapes, runs: list[Run]) -> list[list[Run]]:
    """Runs grouped by the line they stand on, the long ones first.

    In a short run as many letters may hang below the line as stand on it.
    """
    groups: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: (-min(len(run.members), 4), run.base)):
        lows: list[float] = shapes.low[run.members].tolist()
        lowest, highest = max(lows), float(shapes.high[run.members].min())
        best, reach = None, 0.16
        if len(lows) > 3:
            lows, reach = [run.base], 0.22
        for group in groups:
            size, level = group[0].height, group[0].base
            if not 0.55 < run.height / size < 1.8 or lowest > level + 0.75 * size:
                continue
            away = min(abs(low - level) for low in lows) / max(run.height, size)
            if highest > level - 2.4 * size and away < reach:
                best, reach = group, away
        if best is None:
            groups.append([run])
        else:
            best.append(run)
    return groups


def _mode(values: Floats, near: float) -> float:
    """The mean of the values that most values are near to; the lesser one if there are two."""
    if len(values) == 1:
        return float(values[0])
    values = np.sort(values)
    counts = (np.abs(values[:, None] - values) <= near).sum(1)
    best = values[int(counts.argmax())]
    close = values[np.abs(values - best) <= near]
    return float(close.sum()) / len(close)


def middle(values: Floats) -> float:
    """The (upper) median; of few values NumPy's takes long."""
    return float(np.sort(values)[len(values) // 2])


def _measure(shapes: Shapes, group: list[Run]) -> None:
    """Set the line and x-height of runs on one line."""
    if not group:
        return
    own = [i for run in group for i in run.members]
    low, tall = shapes.low[own], shapes.height[own]
    near = 0.1 * middle(tall)
    level = _mode(low, near)
    height = _x_height((tall + (level - low))[np.abs(low - level) < 2 * near])
    for run in group:
        mine = shapes.low[run.members]
        stands = mine[np.abs(mine - level) < 0.25 * height]
        run.base = middle(stands) if len(stands) else level
        own_heights = shapes.height[run.members] + (run.base - mine)
        run.height = _own_height(own_heights[np.abs(mine - run.base) < 2 * near], height)


def _joined(group: list[Run]) -> list[Run]:
    """The runs of a line; those that a broken letter parted are one."""
    joined: list[Run] = []
    for run in sorted(group, key=lambda run: run.left):
        last = joined[-1] if joined else None
        if last and -run.height < run.left - last.right < 0.3 * min(run.height, last.height):
            larger = max(last, run, key=lambda run: len(run.members))
            last.members += run.members
            last.right = max(last.right, run.right)
            last.base, last.height = larger.base, larger.height
        else:
            joined.append(run)
    return joined


def _x_height(heights: Floats) -> float:
    """The height of small letters among heights of letters that stand on a line."""
    high = _mode(heights, 0.07 * middle(heights))
    lower = heights[(heights > 0.52 * high) & (heights < 0.82 * high)]
    taller = np.count_nonzero((heights > 1.34 * high) & (heights < 1.7 * high))
    if taller > 0.1 * len(heights):  # capitals: the most are small letters
        return high
    if len(lower) > max(1, 0.12 * len(heights)) or (len(lower) and len(heights) < 6):
        return _mode(lower, 0.07 * high)
    return high


def _own_height(heights: Floats, usual: float) -> float:
    """The x-height of a run on a line where it is ``usual``; some words may be set smaller.

    Capitals and ascenders, which may be all that a run has, are half as high again.
    """
    if len(heights) < 2:
        return usual
    own = _x_height(heights)
    agreeing = np.count_nonzero(np.abs(heights - own) < 0.07 * own)
    other = 0.5 < own / usual < 0.88 or 1.12 < own / usual < 1.34
    return own if other and agreeing > max(1, 0.3 * len(heights)) else usual


# ---------------------------------------------------------------- marks


def _gather(shapes: Shapes, runs: list[Run], band: NDArray[np.int64]) -> None:
    """Give each small shape to the run it is at: accents, dots, commas, hyphens."""
    taken = {i for run in runs for i in run.members}
    free = band[shapes.claimed[band] != 2]
    rest = np.array([i for i in free.tolist() if i not in taken], np.int64)
    if not len(rest):
        return
    x = (shapes.left[rest] + shapes.right[rest]) / 2
    y = (shapes.high[rest] + shapes.low[rest]) / 2
    wide, tall = shapes.width[rest], shapes.height[rest]
    best = np.full(len(rest), np.inf)
    whose = np.full(len(rest), -1)
    for number, run in enumerate(runs):
        left, right, h = run.left, run.right, run.height
        inside = (x > left - h) & (x < right + 0.9 * h)
        inside &= (y > run.base - 2.3 * h) & (y < run.base + 0.6 * h)
        inside &= (wide < 1.6 * h) & (tall < 1.3 * h)
        away = np.abs(y - (run.base - 0.7 * h)) + 2 * np.maximum(0, np.maximum(left - x, x - right))
        closer = inside & (away < best)
        best[closer] = away[closer]
        whose[closer] = number
    for i, number in zip(rest.tolist(), whose.tolist(), strict=True):
        if number >= 0:
            runs[number].marks.append(i)


def _hyphens(shapes: Shapes, runs: list[Run], band: NDArray[np.int64]) -> list[Run]:
    """The runs and, as runs of their own, hyphens and equals signs that stand apart from them."""
    taken = {i for run in runs for i in (*run.members, *run.marks)}
    left, right, height, base = _columns(runs)
    flat = band[
        (shapes.height[band] <= 0.35 * UNIT) & (shapes.width[band] >= 1.5 * shapes.height[band])
    ]
    found: list[Run] = []
    for i in flat.tolist():
        if i in taken or not runs or _dashed(shapes, i, flat):
            continue
        pair = _doubled(shapes, i, flat)
        own = [i, *pair]
        x1, x2 = float(shapes.left[i]), float(shapes.right[i])
        up = (base - float(shapes.high[own].min() + shapes.low[own].max()) / 2) / height
        apart = np.minimum(np.abs(x1 - right), np.abs(left - x2))
        level = (x2 - x1 < 2.2 * height) & (up > 0.15) & (up < 0.85)
        level &= apart < (3 * height if pair else 14 * UNIT)
        if level.any():
            owner = runs[int(np.where(level, apart, np.inf).argmin())]
            found.append(Run(own, owner.base, owner.height, x1, x2))
            taken.update(own)
    return runs + found


def _dashed(shapes: Shapes, own: int, flat: NDArray[np.int64]) -> bool:
    """Whether a bar like a hyphen is part of a dashed line: the next is as far as it is long."""
    wide = shapes.width[own]
    level = np.abs(shapes.low[flat] - shapes.low[own]) < 3
    level &= np.abs(shapes.width[flat] - wide) < 0.3 * wide
    x = shapes.left[flat[level]] - shapes.left[own]
    near = (np.abs(x) > 0) & (np.abs(x) < 2.6 * wide)
    further = (np.abs(x) > 0) & (np.abs(x) < 5.2 * wide)
    return bool(near.sum() > 0 and further.sum() > 1)


def _doubled(shapes: Shapes, own: int, band: NDArray[np.int64]) -> list[int]:
    """The bar over or under one like a hyphen, if there is one: an equals sign."""
    across = np.minimum(shapes.right[band], shapes.right[own]) - np.maximum(
        shapes.left[band], shapes.left[own]
    )
    alike = np.abs(shapes.width[band] - shapes.width[own]) < 4
    alike &= np.abs(shapes.height[band] - shapes.height[own]) < 3
    away = np.abs(shapes.top[band] - shapes.top[own])
    pair = alike & (across > 0.7 * shapes.width[own]) & (away > 0) & (away < UNIT)
    return [int(i) for i in band[pair][:1]]
