"""Finding staves: combs are laid on the page and followed along x, then lines are measured.

Everything here is in pixels of the *fine* picture until the very end. A chain of comb peaks
that is long enough is a staff. Its lines are measured again, each by itself, so that a staff is
a smooth curve and not a straight box.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ensemble_core.model import RecognitionError

from .combs import STRIP, UNIT, Chain, Floats, chains_of, strip_mass, thin_ink
from .lines import coarse, median, straight
from .morphology import Mask, dilated
from .normalise import FINE, Normalised
from .symbols import Staff

SURE = 0.95
"""Share of a staff's worst line that has ink, from which on no other place is tried for it."""

MORE = 3
"""So often a staff is followed beyond where it was measured."""


def find_staves(page: Normalised) -> tuple[Staff, ...]:
    """All staves of five lines, top to bottom (left to right where they stand side by side).

    Args:
        page: The page; staves may be skewed or curled by some three degrees.

    Raises:
        RecognitionError: There is none.
    """
    mass = strip_mass(thin_ink(page))
    wide = dilated(page.ink, 5, 1)
    found: list[Staff] = []
    for chain in chains_of(mass):
        staff = _measure(chain, mass, page.ink, wide)
        if staff is not None:
            found += _parts(staff, wide)
    found = _without_overlaps(_joined(found, wide))
    if not found:
        raise RecognitionError("no staff of five lines was found on the page", code="no-staff")
    found.sort(key=lambda staff: median(staff.bottom))
    return tuple(_to_page(staff) for staff in _rows(found))


def _measure(chain: Chain, mass: Floats, ink: Mask, wide: Mask) -> Staff | None:
    """Place the five lines exactly, each by the ink near it, and find the staff's ends.

    Args:
        chain: Where the staff is.
        mass: As :func:`~.combs.strip_mass` gives it.
        ink: The fine binary picture.
        wide: The same, grown by two pixels up and down.
    """
    knots = np.arange(chain.at[0], chain.at[-1] + 2)
    xs = np.asarray((knots + 0.5) * STRIP, dtype=np.float64)
    bottom: Floats = _smooth(np.interp(knots, chain.at, chain.y), 9)
    space = np.asarray(np.full(len(knots), np.median(chain.space)), dtype=np.float64)
    for _ in range(2):
        centres, weight = _centres(mass, knots, bottom, space)
        bottom, space = _fit(xs, centres, weight, bottom, space)
    shift = 0
    left, right, present = _ends(ink, wide, xs, bottom, space)
    for other in (1, -1) if present < SURE else ():
        # A comb that is one line off has four lines too: what all ink says decides.
        moved = _ends(ink, wide, xs, bottom + other * space, space)
        if moved[2] > present:
            (left, right, present), shift = moved, other
    if present < 0.75:
        return None
    if shift:
        bottom = bottom + shift * space
        centres, weight = _centres(mass, knots, bottom, space)
        bottom, space = _fit(xs, centres, weight, bottom, space)
    for _ in range(MORE):
        if left >= xs[0] - 1.5 * STRIP and right <= xs[-1] + 1.5 * STRIP:
            break
        # The lines go on beyond the chain: measure them there as well.
        last = min(mass.shape[0] - 1, int(right) // STRIP)
        knots = np.arange(max(0, int(left) // STRIP), last + 1)
        wider = np.asarray((knots + 0.5) * STRIP, dtype=np.float64)
        bottom, space = _extrapolated(wider, xs, bottom), np.interp(wider, xs, space)
        xs = wider
        for _ in range(2):
            centres, weight = _centres(mass, knots, bottom, space)
            bottom, space = _fit(xs, centres, weight, bottom, space)
        left, right, _ = _ends(ink, wide, xs, bottom, space)
    seen = (weight > 0).mean(axis=0)
    if float(seen.mean()) < 0.4:
        return None
    ends = np.array([left, right])
    inside = (xs > left + 2) & (xs < right - 2)
    all_xs = np.concatenate([ends[:1], xs[inside], ends[1:]])
    if right - left < 5 * float(space.mean()):
        return None
    return Staff(
        xs=all_xs,
        bottom=_extrapolated(all_xs, xs, bottom),
        space=np.interp(all_xs, xs, space),
        confidence=float(np.clip(seen.mean(), 0, 1)),
    )


def _parts(staff: Staff, wide: Mask) -> list[Staff]:
    """The staff, cut where all its lines stop for more than a space: staves side by side."""
    columns = np.arange(int(staff.left), min(int(staff.right), wide.shape[1]))
    bottom = np.interp(columns, staff.xs, staff.bottom)
    space = np.interp(columns, staff.xs, staff.space)
    there = _along(wide, columns, bottom - np.arange(5)[:, None] * space)
    empty = there.sum(axis=0) <= 1
    edges = np.flatnonzero(np.diff(np.concatenate([[0], empty.astype(np.int8), [0]])))
    gaps = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1.2 * UNIT]
    starts = [0, *(int(b) for _, b in gaps)]
    stops = [*(int(a) for a, _ in gaps), len(columns)]
    parts = []
    for start, stop in zip(starts, stops, strict=True):
        if stop - start < 5 * UNIT:
            continue
        first, last = float(columns[start]), float(columns[stop - 1] + 1)
        inner = staff.xs[(staff.xs > first) & (staff.xs < last)]
        xs = np.concatenate([[first], inner, [last]])
        parts.append(
            Staff(
                xs=xs,
                bottom=np.interp(xs, staff.xs, staff.bottom),
                space=np.interp(xs, staff.xs, staff.space),
                confidence=staff.confidence,
            )
        )
    return parts


def _centres(
    mass: Floats, strips: NDArray[np.int64], bottom: Floats, space: Floats
) -> tuple[Floats, Floats]:
    """Centre of each line's ink in each strip, and how much there is; shapes (strips, 5)."""
    reach = int(0.32 * UNIT)
    offsets = np.arange(-reach, reach + 1)
    middle = np.rint(bottom[:, None] - np.arange(5)[None, :] * space[:, None]).astype(np.int64)
    rows = middle[:, :, None] + offsets[None, None, :]
    inside = (rows >= 0) & (rows < mass.shape[1])
    ink = mass[strips[:, None, None], np.clip(rows, 0, mass.shape[1] - 1)] * inside
    counted = np.stack([np.ones(len(offsets)), offsets], axis=1)
    # One product of two matrices: as many small ones as there are strips take far longer.
    both = ink.reshape(-1, len(offsets)) @ counted
    total, moment = both.T.reshape(2, *middle.shape)
    enough = total >= STRIP * 0.6
    centres = middle + moment / np.where(enough, total, 1.0)
    weight = np.where(enough, np.minimum(1.0, total / (2.0 * STRIP)), 0.0)
    return np.where(enough, centres, 0.0), weight


def _fit(
    xs: Floats, centres: Floats, weight: Floats, bottom: Floats, space: Floats
) -> tuple[Floats, Floats]:
    """Least squares for the bottom line and the space, over a window of 12 spaces."""
    half = 12
    steps = np.arange(5, dtype=np.float64)
    moments = np.zeros((5, len(xs)))
    # y = bottom - line * space, with each centre's distance from the old fit as a cross-check.
    old = bottom[:, None] - steps[None, :] * space[:, None]
    weight = np.where(np.abs(centres - old) < 0.3 * UNIT, weight, 0.0)
    residual = np.where(weight > 0, centres - old, 0.0)
    moments[0] = weight.sum(axis=1)
    moments[1] = (weight * steps).sum(axis=1)
    moments[2] = (weight * steps**2).sum(axis=1)
    moments[3] = (weight * residual).sum(axis=1)
    moments[4] = (weight * residual * steps).sum(axis=1)
    # The space changes slowly, the height may follow a curl.
    near = np.stack([_window(moment, half) for moment in moments])
    s0, s1, s2, r0, r1 = near
    determinant = s0 * s2 - s1 * s1
    good = determinant > 1e-6
    safe = np.where(good, determinant, 1.0)
    shift = np.where(good, (s2 * r0 - s1 * r1) / safe, 0.0)
    slope = np.where(good, (s0 * r1 - s1 * r0) / safe, 0.0)
    return bottom + shift, space - slope


def _window(values: Floats, half: int) -> Floats:
    """Moving sum with a triangular window."""
    kernel = np.bartlett(2 * half + 3)[1:-1]
    return np.convolve(values, kernel, mode="same") if len(values) > len(kernel) else np.array(
        [(values * np.maximum(0, 1 - np.abs(np.arange(len(values)) - i) / (half + 1))).sum()
         for i in range(len(values))]
    )  # fmt: skip


def _smooth(values: Floats, size: int) -> Floats:
    """Moving median, then moving mean; the ends keep their slope."""
    half = size // 2
    padded = np.pad(values, half, mode="reflect", reflect_type="odd") if len(values) > size else (
        np.pad(values, half, mode="edge")
    )  # fmt: skip
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)
    middle = np.median(windows, axis=1)
    padded = np.pad(middle, half, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, size).mean(axis=1))


def _extrapolated(at: Floats, xs: Floats, ys: Floats) -> Floats:
    """Interpolation that goes on straight beyond the ends."""
    inner = np.interp(at, xs, ys)
    count = min(len(xs), 40)
    for side, knots in ((at < xs[0], slice(0, count)), (at > xs[-1], slice(-count, None))):
        if side.any() and count >= 3:
            slope = straight(xs[knots], ys[knots])[0]
            edge = 0 if knots.start == 0 else -1
            inner[side] = ys[edge] + slope * (at[side] - xs[edge])
    return inner


def _ends(
    ink: Mask, wide: Mask, xs: Floats, bottom: Floats, space: Floats
) -> tuple[float, float, float]:
    """Follow the lines outwards, column by column, to where fewer than four are left.

    Returns:
        Left end, right end, and how much of its worst line has ink of any kind.
    """
    lo = max(0, int(xs[0] - 30 * UNIT))
    hi = min(ink.shape[1], int(xs[-1] + 30 * UNIT))
    columns = np.arange(lo, hi)
    base = _extrapolated(columns.astype(np.float64), xs, bottom)
    gap = np.interp(columns, xs, space)
    present = _along(wide, columns, base - np.arange(5)[:, None] * gap)
    good = present.sum(axis=0) >= 4
    # A bracket or brace beside the staff crosses all five lines, but also the spaces between.
    spaces = _along(ink, columns, base - (np.arange(4)[:, None] + 0.5) * gap)
    upright = np.asarray(spaces.all(axis=0))
    first, last = int(xs[0]) - lo, int(xs[-1]) - lo
    left = _walk(good, upright, first, -1)
    right = _walk(good, upright, last, 1)
    worst = float(present[:, left : right + 1].mean(axis=1).min()) if right > left else 0.0
    return float(columns[left]), float(columns[right] + 1), worst


def _along(mask: Mask, columns: NDArray[np.int64], ys: Floats) -> NDArray[np.bool_]:
    """Whether there is ink at each column in each row of ``ys``, shape (n, columns)."""
    rows = np.rint(ys).astype(np.int64).clip(0, mask.shape[0] - 1)
    return np.asarray(mask[rows, columns] > 0)


def _walk(good: NDArray[np.bool_], upright: NDArray[np.bool_], start: int, step: int) -> int:
    """The last good column from ``start`` on, not looking over gaps of half a space.

    Uprights count as staff only where they stand right at its end.
    """
    start = int(np.clip(start, 0, len(good) - 1))
    inner = start
    while not good[inner] and 0 <= inner - step < len(good) and abs(inner - start) < 3 * UNIT:
        inner -= step
    last, position = inner, inner
    while 0 <= position < len(good) and abs(position - last) <= UNIT / 2:
        if good[position] and not upright[position]:
            last = position
        position += step
    while 0 <= last + step < len(good) and good[last + step] and upright[last + step]:
        last += step
    return last


def _joined(staves: list[Staff], wide: Mask) -> list[Staff]:
    """Staves that continue each other over a gap with the lines still there become one."""
    staves = sorted(staves, key=lambda staff: staff.left)
    merged = True
    while merged:
        merged = False
        for first in staves:
            for second in staves:
                if first is not second and _continues(first, second, wide):
                    staves = [s for s in staves if s is not first and s is not second]
                    staves.append(_concatenated(first, second))
                    merged = True
                    break
            if merged:
                break
    return staves


def _continues(first: Staff, second: Staff, wide: Mask) -> bool:
    """Whether ``second`` goes on where ``first`` ends, or both are pieces of one staff."""
    gap = second.left - first.right
    if gap > 80 * UNIT or second.right < first.right or second.left < first.left:
        return False
    meet = np.clip((first.right + second.left) / 2, second.left, first.right) if gap < 0 else None
    x = (first.right, second.left) if meet is None else (float(meet), float(meet))
    y = first.y(0, x[0]), second.y(0, x[1])
    space = median(first.space), median(second.space)
    if (
        abs(y[0] - y[1]) > 0.4 * UNIT + 0.05 * min(20 * UNIT, max(0.0, gap))
        or abs(space[0] - space[1]) > 2.0
    ):
        return False
    if gap <= UNIT / 2:
        return True
    columns = np.arange(int(first.right), int(second.left))
    share = (columns - columns[0]) / max(1, len(columns))
    lines = 0.0
    for line in range(5):
        rows = (y[0] - line * space[0]) * (1 - share) + (y[1] - line * space[1]) * share
        lines += float((wide[np.rint(rows).astype(np.int64), columns] > 0).mean())
    return lines / 5 > 0.7


def _concatenated(first: Staff, second: Staff) -> Staff:
    keep = second.xs > first.xs[-1]
    return Staff(
        xs=np.concatenate([first.xs, second.xs[keep]]),
        bottom=np.concatenate([first.bottom, second.bottom[keep]]),
        space=np.concatenate([first.space, second.space[keep]]),
        confidence=min(first.confidence, second.confidence),
    )


def _without_overlaps(staves: list[Staff]) -> list[Staff]:
    """Where two staves lie on each other the longer one stays."""
    kept: list[Staff] = []
    for staff in sorted(staves, key=lambda staff: staff.left - staff.right):
        middle = (staff.left + staff.right) / 2
        clash = any(
            other.left < middle < other.right
            and abs(other.y(4, middle) - staff.y(4, middle)) < 4.3 * UNIT
            for other in kept
        )
        if not clash:
            kept.append(staff)
    return kept


def _rows(staves: list[Staff]) -> list[Staff]:
    """Staves that stand side by side at one height are put in order from left to right."""
    ordered: list[Staff] = []
    for staff in staves:
        place = len(ordered)
        while place > 0:
            before = ordered[place - 1]
            level = abs(median(before.bottom) - median(staff.bottom))
            if level < 2 * UNIT and before.left >= staff.right - UNIT:
                place -= 1
            else:
                break
        ordered.insert(place, staff)
    return ordered


def _to_page(staff: Staff) -> Staff:
    """From fine pixels to pixels of the normalised page; centres of pixels keep their place."""
    return Staff(
        xs=staff.xs / FINE,
        bottom=coarse(staff.bottom),
        space=staff.space / FINE,
        confidence=staff.confidence,
    )
