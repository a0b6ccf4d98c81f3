"""Laying a comb of five teeth on the page, and linking its peaks along x into chains.

The page is cut into narrow columns ("strips"); in each, thin horizontal ink is summed per row,
and a comb says how well five lines at one distance explain it. Everything is in fine pixels.
"""

from __future__ import annotations

import attrs
import cv2
import numpy as np
from numpy.typing import NDArray

from .morphology import Mask, opened, without
from .normalise import FINE, Normalised
from .symbols import SPACE

UNIT = SPACE * FINE
"""Staff space of the fine picture, in its pixels."""
STRIP = 10
"""Width of a strip in fine pixels: half a space."""
BLOCK = 12
"""Strips that combs are laid on at once: few enough to stay in the processor's cache."""
LOST = 12
"""Strips after which a chain ends that no peak continues."""
SHELF = 8
"""Rows within which :func:`_continued` looks for chains, to either side at least."""
SPACINGS = np.arange(0.60, 1.1501, 0.025) * UNIT
"""Staff spaces that are tried: small staves (ossia, cue) stand beside full ones."""

Floats = NDArray[np.float64]


@attrs.define(eq=False)
class Chain:
    """Comb peaks that continue each other: strip numbers, y of the bottom line, space, score."""

    at: list[int]
    y: list[float]
    space: list[float]
    score: list[float]

    @property
    def total(self) -> float:
        """All scores together."""
        return float(sum(self.score))


def chains_of(mass: Floats) -> list[Chain]:
    """What may be staves, strongest first, none on top of a stronger one.

    Args:
        mass: As :func:`strip_mass` gives it.
    """
    return _best(_chains(*_comb(_profile(mass))))


def thin_ink(page: Normalised) -> Mask:
    """Ink that may be staff line: low vertical runs that go on horizontally."""
    limit = round(1.7 * page.line) + 1
    flat = without(page.ink, opened(page.ink, limit + 1, 1))
    return opened(flat, 1, STRIP)


def strip_mass(thin: Mask) -> Floats:
    """Pixels of thin ink per strip and row, shape (strips, rows)."""
    height, width = thin.shape
    strips = width // STRIP
    cut = thin[:, : strips * STRIP].astype(np.float32)
    means = cv2.resize(cut, (strips, height), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.asarray(means, dtype=np.float64).T * STRIP)


def _profile(mass: Floats) -> NDArray[np.float32]:
    """Share of thin ink per strip and row, slightly blurred along y, 1 at most."""
    spread = cv2.GaussianBlur(mass.astype(np.float32), (5, 1), 0.9)
    return np.asarray(np.minimum(1.0, spread * (2.0 / STRIP)), dtype=np.float32)


def _comb(profile: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """For each strip and row (of the bottom line): the best comb's score and its spacing.

    A score is the mean over five teeth, less what a sixth and a seventh tooth would find.
    """
    strips, height = profile.shape
    reach = int(5 * SPACINGS[-1]) + 2
    padded = np.pad(profile, ((0, 0), (reach, reach)))
    best = np.zeros((strips, height), np.float32)
    where = np.full((strips, height), UNIT, np.float32)
    for start in range(0, strips, BLOCK):
        block = slice(start, start + BLOCK)
        _comb_block(padded[block], best[block], where[block])
    smooth = cv2.GaussianBlur(best, (5, 1), 1.0)
    return smooth.astype(np.float64), where.astype(np.float64)


def _comb_block(
    padded: NDArray[np.float32], best: NDArray[np.float32], where: NDArray[np.float32]
) -> None:
    """The same for a few strips, without the final blur; fills ``best`` and ``where``."""
    strips, height = best.shape
    reach = (padded.shape[1] - height) // 2
    teeth, low, outside = (np.empty((strips, height), np.float32) for _ in range(3))
    for spacing in SPACINGS.tolist():
        parts = [padded[:, reach - round(n * spacing) :][:, :height] for n in range(-1, 6)]
        np.add(parts[1], parts[2], out=teeth)
        np.minimum(parts[1], parts[2], out=low)
        for part in parts[3:6]:
            teeth += part
            np.minimum(low, part, out=low)
        np.add(parts[0], parts[6], out=outside)
        # Where a line is hidden several combs fit equally; the usual staff space is likeliest.
        unusual = min(0.06, 0.6 * abs(spacing / UNIT - 1))
        teeth /= 5
        outside *= 0.15
        low *= 0.1
        teeth -= outside
        teeth += low
        teeth -= unusual
        np.copyto(where, spacing, where=teeth > best)
        np.maximum(best, teeth, out=best)


def _chains(score: Floats, spacing: Floats) -> list[Chain]:
    """Link the peaks of neighbouring strips."""
    kernel = np.ones((1, 2 * int(0.4 * UNIT) + 1), np.uint8)
    peak = (score >= cv2.dilate(score, kernel)) & (score > 0.5)
    chains: list[Chain] = []
    shelves: dict[int, list[int]] = {}
    for strip in range(score.shape[0]):
        rows = _apart(np.flatnonzero(peak[strip]))
        rows = rows[np.argsort(-score[strip, rows], kind="stable")]
        for row in rows.tolist():
            space = float(spacing[strip, row])
            number = _continued(chains, shelves, strip, row, space)
            if number is None:
                number = len(chains)
                chains.append(Chain([], [], [], []))
            else:
                shelves[int(chains[number].y[-1]) // SHELF].remove(number)
            shelves.setdefault(row // SHELF, []).append(number)
            chain = chains[number]
            chain.at.append(strip)
            chain.y.append(float(row))
            chain.space.append(space)
            chain.score.append(float(score[strip, row]))
    return chains


def _apart(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of peaks that touch (a plateau has many) the first only."""
    kept: list[int] = []
    for row in rows.tolist():
        if not kept or row - kept[-1] > 0.4 * UNIT:
            kept.append(row)
    return np.array(kept, dtype=np.int64)


def _continued(
    chains: list[Chain], shelves: dict[int, list[int]], strip: int, row: int, spacing: float
) -> int | None:
    """The chain that a peak continues, if any.

    Args:
        chains: All so far.
        shelves: Their numbers by the last row, in steps of :data:`SHELF`.
        strip, row, spacing: The peak.
    """
    best, nearest = None, np.inf
    place = row // SHELF
    for number in sorted(n for at in (-1, 0, 1) for n in shelves.get(place + at, ())):
        chain = chains[number]
        gap = strip - chain.at[-1]
        if not 0 < gap <= LOST or abs(chain.space[-1] - spacing) > 0.12 * UNIT:
            continue
        far = abs(chain.y[-1] - row)
        if far <= 2.0 + 0.5 * gap and far + 0.2 * gap < nearest:
            best, nearest = number, far + 0.2 * gap
    return best


def _best(chains: list[Chain]) -> list[Chain]:
    """Chains long and dense enough, strongest first, none on top of a stronger one."""
    kept: list[tuple[Chain, float]] = []
    for chain in sorted(chains, key=lambda chain: -chain.total):
        span = chain.at[-1] - chain.at[0] + 1
        if len(chain.at) < 0.35 * span or span * STRIP < 6 * min(chain.space):
            continue
        space = float(np.median(chain.space))
        if span * STRIP < 6 * space:
            continue
        if not any(_clash(chain, other, 4.6 * max(space, its)) for other, its in kept):
            kept.append((chain, space))
    return [chain for chain, _ in kept]


def _clash(chain: Chain, other: Chain, height: float) -> bool:
    """Whether two chains claim the same place: they are nearer to each other than ``height``."""
    left, right = max(chain.at[0], other.at[0]), min(chain.at[-1], other.at[-1])
    if right - left < 0.15 * (chain.at[-1] - chain.at[0]) - 1:
        return False
    middle = (left + right) / 2
    own = float(np.interp(middle, chain.at, chain.y))
    its = float(np.interp(middle, other.at, other.y))
    return abs(own - its) < height
