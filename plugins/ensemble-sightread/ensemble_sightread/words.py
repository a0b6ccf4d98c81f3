"""The words of a page: runs of letters are found, cut out and read, and what is none dropped."""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs
import cv2
import numpy as np

from .letters import Line, read_lines
from .morphology import Mask
from .normalise import Normalised
from .runs import Run, band_runs, middle
from .shapes import Outlines, Shapes, find_shapes
from .symbols import Curve, Seen, Symbol, Word

DYNAMIC = re.compile("[pf]{1,5}|m[pf]|[sr]?f{1,2}[zp]?p?|[zrm]")
"""Letters of dynamics: signs of music, not text."""
ALONE = re.compile("[-–_=(♩♪𝅗]+")
"""What may stand apart from letters and digits."""
NO_TEXT = 0.05
"""How sure the page's net is of text, 0 to 1, where there is none."""
BESIDE = 4
"""Fine pixels around a run that are cut out with it."""


def find_words(
    page: Normalised, outlines: Outlines, seen: Seen, areas: Mask | None = None, threads: int = 1
) -> tuple[Word, ...]:
    """The words of a page, in no order.

    Args:
        page: The page.
        outlines: Of its fine black-and-white picture without staff lines.
        seen: What else is on it.
        areas: How sure it is that text is there, at half the page's size, 255 is sure; if known.
        threads: Threads that ONNX Runtime may use.
    """
    shapes, bands = find_shapes(outlines, seen, areas)
    runs: list[Run] = []
    for band in bands:
        runs += band_runs(shapes, band)
    if not runs:
        return ()
    lines = [_line(page, shapes, run) for run in runs]
    found: list[Word] = []
    for run, words in zip(runs, read_lines(lines, threads), strict=True):
        found += _credible(words, _least(shapes, run))
    return tuple(found)


def _least(shapes: Shapes, run: Run) -> float:
    """How sure words must be where the page's net sees symbols, or no text."""
    if shapes.text[run.members].max() < NO_TEXT:
        return 0.85 if len(run.members) > 2 else 0.97
    claimed = np.count_nonzero(shapes.claimed[run.members])
    return 0.8 if claimed > 0.4 * len(run.members) else 0.0


def _credible(words: Sequence[Word], least: float) -> list[Word]:
    """Words of a run that are at least so sure, without signs that were taken for letters."""
    said = "".join(word.text for word in words)
    if not any(char.isalnum() for char in said):
        return [word for word in words if ALONE.fullmatch(word.text)]
    return [
        word for word in words
        if word.confidence >= least and not DYNAMIC.fullmatch(word.text.casefold())
    ]  # fmt: skip


def outside(seen: Seen, words: Sequence[Word]) -> Seen:
    """The page with its words, and without symbols and bows that letters were taken for."""
    sure = [word for word in words if len(word.text) > 1 and word.confidence > 0.85]
    if not sure:
        return attrs.evolve(seen, words=tuple(words))
    box = np.array([(w.left, w.top, w.right, w.bottom, w.confidence) for w in sure])
    left, top, right, bottom, confidence = box.T

    def letter(s: Symbol) -> bool:
        inside = (left < s.x) & (s.x < right) & (top < s.y) & (s.y < bottom)
        return bool((inside & (s.confidence < confidence - 0.1)).any())

    def stroke(c: Curve) -> bool:
        inside = (left - 1 < c.x1) & (c.x2 < right + 1)
        inside &= (top - 1 < min(c.y1, c.y2)) & (max(c.y1, c.y2) < bottom + 1)
        return bool(inside.any())

    return attrs.evolve(
        seen,
        words=tuple(words),
        symbols=tuple(s for s in seen.symbols if not letter(s)),
        faint=tuple(s for s in seen.faint if not letter(s)),
        curves=tuple(c for c in seen.curves if not stroke(c)),
    )


def _line(page: Normalised, shapes: Shapes, run: Run) -> Line:
    """A run cut out, with nothing else in the picture."""
    own = np.array(run.members + run.marks)
    left, top = int(shapes.left[own].min()) - BESIDE, int(shapes.top[own].min()) - BESIDE
    right, bottom = int(shapes.right[own].max()) + BESIDE, int(shapes.bottom[own].max()) + BESIDE
    left, top = max(left, 0), max(top, 0)
    fine = page.fine[top:bottom, left:right]
    mask = np.zeros(fine.shape, np.uint8)
    outlines = [shapes.outlines[i] for i in own.tolist()]
    cv2.drawContours(mask, outlines, -1, 255, cv2.FILLED, offset=(-left, -top))
    cv2.drawContours(mask, outlines, -1, 255, 3, offset=(-left, -top))
    picture = np.asarray(cv2.bitwise_or(fine, cv2.bitwise_not(mask)), dtype=np.uint8)
    slope = middle(shapes.slope[own])
    level = run.base + float(shapes.bend[own].sum()) / len(own)
    return Line(picture, (left, top), (level - slope * (left + right) / 2, slope), run.height)
