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
FULL = 1000
"""What a row full of ink counts while combs are laid on."""
BLOCK = 24
"""Pairs of strips that combs are laid on at once: few enough to stay in the processor's cache."""
LOST = 12
"""Strips after which a chain ends that no peak continues."""
SHELF = 8
"""Rows within which :func:`_continued` looks for chains, to either side at least."""
SPACINGS = np.arange(0.60, 1.1501, 0.025) * UNIT
"""Staff spaces that are tried: small staves (ossia, cue) stand beside full ones."""
REACH = int(5 * SPACINGS[-1]) + 2
"""Rows from the bottom line to the outermost tooth of the largest comb."""

Floats = NDArray[np.float64]


@attrs.define(eq=False)
class Chain:
    """Comb peaks that continue each other: strip numbers, y of the bottom line, space, score.

    A peak stands for two strips; its number is that of the first.
    """

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

    Combs are laid on pairs of strips: a staff hardly rises within a space.

    Args:
        mass: As :func:`strip_mass` gives it.
    """
    pairs = (mass[:-1:2] + mass[1::2]) / 2
    return _best(_chains(*_comb(_profile(pairs))))


def thin_ink(page: Normalised) -> Mask:
    """Ink that may be staff line: low vertical runs that go on horizontally."""
    limit = round(1.7 * page.line) + 1
    flat = without(page.ink, opened(page.ink, limit + 1, 1))
    return opened(flat, 1, STRIP)


def strip_mass(thin: Mask) -> Floats:
    """Pixels of thin ink per strip and row, shape (strips, rows)."""
    height, width = thin.shape
    strips = width // STRIP
    # Laid on its side, whole rows are added up instead of ten neighbours at a time.
    columns = np.asarray(cv2.transpose(thin[:, : strips * STRIP]), dtype=np.uint8)
    ink = columns.reshape(strips, STRIP, height).sum(axis=1, dtype=np.uint8)
    return np.asarray(ink, dtype=np.float64)


def _profile(mass: Floats) -> NDArray[np.int16]:
    """Share of thin ink per strip and row, slightly blurred along y; :data:`FULL` at most."""
    spread = cv2.GaussianBlur(mass.astype(np.float32), (5, 1), 0.9)
    share = np.minimum(FULL, np.rint(spread * (2.0 * FULL / STRIP)))
    return np.asarray(share, dtype=np.int16)


def _comb(profile: NDArray[np.int16]) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """How well the best comb explains each place, and what it is measured with.

    A score is the mean over five teeth, less what a sixth and a seventh tooth would find.

    Returns:
        The score for each strip and row (of the bottom line), and the profile with a margin of
        :data:`REACH` rows, as :func:`_spacing` needs it.
    """
    padded = np.pad(profile, ((0, 0), (REACH, REACH)))
    best = np.zeros(profile.shape, np.int16)
    for start in range(0, len(profile), BLOCK):
        block = slice(start, start + BLOCK)
        _comb_block(padded[block], best[block])
    score = best.astype(np.float32) / np.float32(20 * FULL)
    return np.asarray(cv2.GaussianBlur(score, (5, 1), 1.0), dtype=np.float32), padded


def _comb_block(padded: NDArray[np.int16], best: NDArray[np.int16]) -> None:
    """The same for a few strips, without the final blur, 20 times as much; fills ``best``.

    Whole numbers of 16 bits: 4 · teeth + 2 · lowest - 3 · outside.
    """
    height = best.shape[1]
    teeth, low, outside = (np.empty(best.shape, np.int16) for _ in range(3))
    for spacing in SPACINGS.tolist():
        parts = [padded[:, REACH - round(n * spacing) :][:, :height] for n in range(-1, 6)]
        np.add(parts[1], parts[2], out=teeth)
        np.minimum(parts[1], parts[2], out=low)
        for part in parts[3:6]:
            teeth += part
            np.minimum(low, part, out=low)
        np.add(parts[0], parts[6], out=outside)
        teeth += teeth
        teeth += low
        teeth += teeth
        outside *= 3
        outside += round(20 * FULL * _unusual(spacing))
        teeth -= outside
        np.maximum(best, teeth, out=best)


def _unusual(spacing: float) -> float:
    """Taken off a score: where a line is hidden several combs fit, the usual is likeliest."""
    return min(0.06, 0.6 * abs(spacing / UNIT - 1))


def _spacings(
    padded: NDArray[np.int16], strips: NDArray[np.int64], rows: NDArray[np.int64]
) -> Floats:
    """The spacing of the best comb at some places."""
    flat, at = padded.ravel(), strips * padded.shape[1] + rows + REACH
    scores = np.empty((len(SPACINGS), len(rows)))
    for score, spacing in zip(scores, SPACINGS.tolist(), strict=True):
        teeth = np.array([flat.take(at - round(n * spacing)) for n in range(-1, 6)]) / FULL
        inner = teeth[1:6]
        outside = 0.15 * (teeth[0] + teeth[6])
        score[:] = inner.mean(axis=0) + 0.1 * inner.min(axis=0) - outside - _unusual(spacing)
    return np.asarray(SPACINGS[scores.argmax(axis=0)], dtype=np.float64)


def _chains(score: NDArray[np.float32], padded: NDArray[np.int16]) -> list[Chain]:
    """Link the peaks of neighbouring pairs of strips."""
    kernel = np.ones((1, 2 * int(0.4 * UNIT) + 1), np.uint8)
    peak = (score >= cv2.dilate(score, kernel)) & (score > 0.5)
    strips, rows = np.nonzero(peak)
    first = _apart(strips, rows)
    strips, rows = strips[first], rows[first]
    spaces = _spacings(padded, strips, rows)
    scores = score[strips, rows]
    chains: list[Chain] = []
    shelves: dict[int, list[int]] = {}
    order = np.lexsort((-scores, strips))
    columns = (column[order].tolist() for column in (strips, rows, spaces, scores))
    for strip, row, space, value in zip(*columns, strict=True):
        number = _continued(chains, shelves, 2 * strip, row, space)
        if number is None:
            number = len(chains)
            chains.append(Chain([], [], [], []))
        else:
            shelves[int(chains[number].y[-1]) // SHELF].remove(number)
        shelves.setdefault(row // SHELF, []).append(number)
        chain = chains[number]
        chain.at.append(2 * strip)
        chain.y.append(float(row))
        chain.space.append(space)
        chain.score.append(value)
    return chains


def _apart(strips: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of peaks that touch (a plateau has many) the first only; their places."""
    kept: list[int] = []
    last = (-1, 0)
    for number, (strip, row) in enumerate(zip(strips.tolist(), rows.tolist(), strict=True)):
        if strip != last[0] or row - last[1] > 0.4 * UNIT:
            kept.append(number)
            last = (strip, row)
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
    best, nearest = None, float("inf")
    place = row // SHELF
    for shelf in (place - 1, place, place + 1):
        for number in shelves.get(shelf, ()):
            chain = chains[number]
            gap = strip - chain.at[-1]
            if not 0 < gap <= LOST or abs(chain.space[-1] - spacing) > 0.12 * UNIT:
                continue
            far = abs(chain.y[-1] - row)
            away = far + 0.2 * gap
            nearer = away < nearest or (away == nearest and best is not None and number < best)
            if far <= 2.0 + 0.5 * gap and nearer:
                best, nearest = number, away
    return best


def _best(chains: list[Chain]) -> list[Chain]:
    """Chains long and dense enough, strongest first, none on top of a stronger one."""
    kept: list[tuple[_Track, Chain]] = []
    for chain in sorted(chains, key=lambda chain: -chain.total):
        span = chain.at[-1] - chain.at[0] + 2
        if 2 * len(chain.at) < 0.35 * span or span * STRIP < 6 * min(chain.space):
            continue
        track = _Track(np.array(chain.at), np.array(chain.y), float(np.median(chain.space)))
        if span * STRIP < 6 * track.space:
            continue
        if not any(_clash(track, other) for other, _ in kept):
            kept.append((track, chain))
    return [chain for _, chain in kept]


@attrs.frozen(eq=False)
class _Track:
    """Where a chain runs, and its space on the whole."""

    at: NDArray[np.int64]
    y: Floats
    space: float
    lowest: float = attrs.field(init=False)
    highest: float = attrs.field(init=False)

    @lowest.default
    def _least(self) -> float:
        return float(self.y.min())

    @highest.default
    def _most(self) -> float:
        return float(self.y.max())


def _clash(track: _Track, other: _Track) -> bool:
    """Whether two chains claim the same place: they are nearer to each other than a staff."""
    near = 4.6 * max(track.space, other.space)
    if track.lowest - other.highest >= near or other.lowest - track.highest >= near:
        return False
    left, right = max(track.at[0], other.at[0]), min(track.at[-1], other.at[-1])
    if right - left < 0.15 * (track.at[-1] - track.at[0]) - 1:
        return False
    middle = (left + right) / 2
    apart = np.interp(middle, track.at, track.y) - np.interp(middle, other.at, other.y)
    return bool(abs(apart) < near)
