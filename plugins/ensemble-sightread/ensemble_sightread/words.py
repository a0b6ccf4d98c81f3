"""Finding the words of a page: ink that is no music, in runs that stand on a line.

Shapes of the size of letters that neither cross a staff nor hold a stem are linked to the
next one to the right; what is linked is a run. Runs on the same line (as straight or bent as
the staff nearest) tell together how high its small letters are, by the heights that occur
most. Marks too small for letters (dots, accents, hyphens) go with the run they are at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from .letters import Line, read_lines
from .morphology import Mask
from .normalise import Normalised
from .shapes import UNIT, Floats, Shapes, find_shapes
from .symbols import Seen, Symbol, Word

LOWEST = 0.3
"""Staff spaces of the lowest letter."""
GAP = 1.15
"""Widest gap within a run, in parts of its letters' height."""
DYNAMIC = re.compile("[pf]{1,5}|m[pf]|[sr]?f{1,2}[zp]?p?|[zrm]")
"""Letters of dynamics: signs of music, not text."""
ALONE = re.compile("[-–_=(♩♪𝅗]+")
"""What may stand apart from letters and digits."""
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
    """

    members: list[int]
    marks: list[int] = attrs.field(factory=list)
    base: float = 0.0
    height: float = 0.0


def find_words(
    page: Normalised, cleared: Mask, seen: Seen, areas: Mask | None = None, threads: int = 1
) -> tuple[Word, ...]:
    """The words of a page, in no order.

    Args:
        page: The page.
        cleared: Its fine black-and-white picture without staff lines.
        seen: What else is on it.
        areas: How sure it is that text is there, at half the page's size, 255 is sure; if known.
        threads: Threads that ONNX Runtime may use.
    """
    shapes, bands = find_shapes(cleared, seen, areas)
    runs: list[Run] = []
    for band in bands:
        runs += band_runs(shapes, band)
    if not runs:
        return ()
    text = _painted(page, shapes, runs)
    lines = [_line(shapes, run) for run in runs]
    found: list[Word] = []
    for run, words in zip(runs, read_lines(text, lines, threads), strict=True):
        found += _credible(words, bool(shapes.claimed[run.members].any()))
    return tuple(found)


def _credible(words: Sequence[Word], claimed: bool) -> list[Word]:
    """Words without signs that were taken for letters.

    Args:
        words: Of one run.
        claimed: Whether symbols were seen where they are.
    """
    said = "".join(word.text for word in words)
    if not any(char.isalnum() for char in said):
        return [word for word in words if ALONE.fullmatch(word.text)]
    least = 0.8 if claimed else 0.0
    return [
        word for word in words
        if word.confidence >= least and not DYNAMIC.fullmatch(word.text.casefold())
    ]  # fmt: skip


def outside(symbols: Sequence[Symbol], words: Sequence[Word]) -> tuple[Symbol, ...]:
    """The symbols but for letters that were taken for them."""
    sure = [word for word in words if len(word.text) > 1 and word.confidence > 0.85]
    if not sure or not symbols:
        return tuple(symbols)
    box = np.array([(w.left, w.top, w.right, w.bottom, w.confidence) for w in sure])
    left, top, right, bottom, confidence = box.T
    return tuple(
        s for s in symbols
        if not ((left < s.x) & (s.x < right) & (top < s.y) & (s.y < bottom)
                & (s.confidence < confidence - 0.1)).any()
    )  # fmt: skip


# ---------------------------------------------------------------- runs


def band_runs(shapes: Shapes, band: NDArray[np.int64]) -> list[Run]:
    """The runs between two staves, their lines known and their marks with them."""
    high, wide = shapes.height[band], shapes.width[band]
    letters = band[(high >= LOWEST * UNIT) & (wide < 6 * high)]
    if not len(letters) or len(letters) > MOST:
        return []
    runs = [Run(members) for members in _linked(shapes, letters)]
    runs = [run for run in runs if not _only_music(shapes, run)]
    runs = _without_commas(shapes, runs)
    for group in _levels(shapes, runs):
        _measure(shapes, group)
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
    possible = (gap < GAP * taller) & (gap > -0.5 * np.minimum(wide[:, None], wide))
    possible &= (shared > 0.45 * lower) & (taller < 2.6 * lower)
    possible &= left[None, :] > left[:, None]
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


def _only_music(shapes: Shapes, run: Run) -> bool:
    """Whether symbols cover a run, or letters of dynamics are most of it.

    The symbol net sees heads and digits in longer words.
    """
    claimed = shapes.claimed[run.members]
    if (claimed == 2).mean() > 0.6:
        return True
    return len(run.members) < 3 and bool((claimed > 0).mean() > 0.4)


def _without_commas(shapes: Shapes, runs: list[Run]) -> list[Run]:
    """The runs but for single low shapes at the foot or head of taller ones: commas, quotes."""
    tall = [
        run for run in runs if len(run.members) > 1 or shapes.height[run.members[0]] > 0.5 * UNIT
    ]
    first = np.array([shapes.left[run.members[0]] for run in tall])
    last = np.array([_right(shapes, run) for run in tall])
    high = np.array([np.median(shapes.height[run.members]) for run in tall])
    foot = np.array([np.median(shapes.bottom[run.members]) for run in tall])
    kept = []
    for run in runs:
        own = run.members[0]
        if len(run.members) == 1:
            x = (shapes.left[own] + shapes.right[own]) / 2
            y = (shapes.top[own] + shapes.bottom[own]) / 2
            near = (
                (x > first - 0.6 * high)
                & (x < last + 0.7 * high)
                & (shapes.height[own] < 0.75 * high)
            )
            if (near & (y > foot - 2.2 * high) & (y < foot + 0.6 * high)).any():
                continue
        kept.append(run)
    return kept


def _levels(shapes: Shapes, runs: list[Run]) -> list[list[Run]]:
    """Runs grouped by the line they stand on, the long ones first.

    In a short run as many letters may hang below the line as stand on it.
    """
    for run in runs:
        own = np.array(run.members)
        run.height = float(np.median(shapes.height[own]))
        run.base = _mode(shapes.bottom[own] - shapes.bend[own], 0.12 * run.height)
    groups: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: (-min(len(run.members), 4), run.base)):
        own = np.array(run.members)
        low, high = shapes.bottom[own] - shapes.bend[own], shapes.top[own] - shapes.bend[own]
        best, reach = None, 0.22 if len(own) > 3 else 0.16
        for group in groups:
            size = group[0].height
            level = group[0].base
            away = abs(run.base - level) if len(own) > 3 else float(np.abs(low - level).min())
            fits = low.max() < level + 0.75 * size and high.min() > level - 2.4 * size
            if fits and 0.55 < run.height / size < 1.8 and away < reach * max(run.height, size):
                best, reach = group, away / max(run.height, size)
        if best is None:
            groups.append([run])
        else:
            best.append(run)
    return groups


def _mode(values: Floats, near: float) -> float:
    """The mean of the values that most values are near to; the lesser one if there are two."""
    values = np.sort(values)
    counts = (np.abs(values[:, None] - values) <= near).sum(1)
    best = values[int(counts.argmax())]
    close = values[np.abs(values - best) <= near]
    return float(close.mean())


def _measure(shapes: Shapes, group: list[Run]) -> None:
    """Set the line and x-height of runs on one line."""
    own = np.array([i for run in group for i in run.members])
    low = shapes.bottom[own] - shapes.bend[own]
    typical = float(np.median(shapes.height[own]))
    near = 0.1 * typical
    level = _mode(low, near)
    standing = np.abs(low - level) < 2 * near
    height = _x_height((shapes.height[own] + (level - low))[standing])
    for run in group:
        mine = np.array(run.members)
        own_low = shapes.bottom[mine] - shapes.bend[mine]
        stands = own_low[np.abs(own_low - level) < 0.25 * height]
        run.base = float(np.median(stands)) if len(stands) else level
        run.height = height


def _x_height(heights: Floats) -> float:
    """The height of small letters among heights of letters that stand on a line."""
    high = _mode(heights, 0.07 * float(np.median(heights)))
    lower = heights[(heights > 0.52 * high) & (heights < 0.82 * high)]
    if len(lower) > max(1, 0.12 * len(heights)) or (len(lower) and len(heights) < 6):
        return _mode(lower, 0.07 * high)
    return high


# ---------------------------------------------------------------- marks


def _gather(shapes: Shapes, runs: list[Run], band: NDArray[np.int64]) -> None:
    """Give each small shape to the run it is at: accents, dots, commas, hyphens."""
    taken = {i for run in runs for i in run.members}
    rest = np.array([i for i in band.tolist() if i not in taken], np.int64)
    if not len(rest):
        return
    x, y = (
        (shapes.left[rest] + shapes.right[rest]) / 2,
        (shapes.top[rest] + shapes.bottom[rest]) / 2,
    )
    y = y - shapes.bend[rest]
    best = np.full(len(rest), np.inf)
    whose = np.full(len(rest), -1)
    for number, run in enumerate(runs):
        left, right, h = shapes.left[run.members[0]], _right(shapes, run), run.height
        inside = (x > left - 0.7 * h) & (x < right + 0.9 * h)
        inside &= (y > run.base - 2.3 * h) & (y < run.base + 0.6 * h)
        inside &= (shapes.width[rest] < 1.6 * h) & (shapes.height[rest] < 1.3 * h)
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
    found: list[Run] = []
    for i in band.tolist():
        wide, high = float(shapes.width[i]), float(shapes.height[i])
        if i in taken or high > 0.35 * UNIT or wide < 1.5 * high:
            continue
        pair = _doubled(shapes, i, band)
        own = [i, *pair]
        y = float((shapes.top[own].min() + shapes.bottom[own].max()) / 2 - shapes.bend[i])
        for run in runs:
            up = (run.base - y) / run.height
            apart = min(abs(shapes.left[i] - _right(shapes, run)),
                        abs(shapes.left[run.members[0]] - shapes.right[i]))  # fmt: skip
            reach = 3 * run.height if pair else 14 * UNIT
            if apart < reach and wide < 2.2 * run.height and 0.15 < up < 0.85:
                found.append(Run(own, [], run.base, run.height))
                taken.update(own)
                break
    return runs + found


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


def _right(shapes: Shapes, run: Run) -> float:
    return float(shapes.right[run.members].max())


# ---------------------------------------------------------------- pictures


def _painted(page: Normalised, shapes: Shapes, runs: list[Run]) -> NDArray[np.uint8]:
    """The fine page with nothing on it but runs."""
    mask = np.zeros(page.ink.shape, np.uint8)
    own = [shapes.outlines[i] for run in runs for i in (*run.members, *run.marks)]
    cv2.drawContours(mask, own, -1, 255, cv2.FILLED)
    cv2.drawContours(mask, own, -1, 255, 3)
    return np.asarray(cv2.bitwise_or(page.fine, cv2.bitwise_not(mask)), dtype=np.uint8)


def _line(shapes: Shapes, run: Run) -> Line:
    """Where to cut a run out."""
    own = np.array(run.members + run.marks)
    left, right = float(shapes.left[own].min()), float(shapes.right[own].max())
    slope = float(np.median(shapes.slope[own]))
    level = run.base + float(np.mean(shapes.bend[own]))
    middle = (left + right) / 2
    return Line(
        left, float(shapes.top[own].min()), right, float(shapes.bottom[own].max()),
        (level - slope * middle, slope), run.height,
    )  # fmt: skip
