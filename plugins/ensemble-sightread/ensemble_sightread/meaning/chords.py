"""Heads and stems become chords; beams and flags say how long they are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from ..symbols import SPACE, Beam, Seen, Stem, Symbol
from .music import Event, Head

BESIDE = 0.42 * SPACE
"""How far a stem's centre may be from the edge of its head."""


def chords(seen: Seen, staff_of: dict[int, int]) -> list[Event]:
    """All chords of the page.

    Args:
        seen: The page.
        staff_of: Staff of each head, by index into ``seen.symbols``.
    """
    heads = [(i, s) for i, s in enumerate(seen.symbols) if s.kind.startswith("head")]
    stems = sorted(seen.stems, key=lambda stem: stem.x)
    places = [stem.x for stem in stems]
    links = {i: _stems_of(symbol, stems, places) for i, symbol in heads}
    carried: dict[int, list[int]] = {}
    for i, numbers in links.items():
        for number in numbers:
            carried.setdefault(number, []).append(i)
    events = []
    for number, members in sorted(carried.items()):
        events += _on_stem(seen, stems[number], members, staff_of)
    loose = [i for i, numbers in links.items() if not numbers]
    events += _stemless(seen, loose, staff_of)
    return events


def _stems_of(head: Symbol, stems: Sequence[Stem], places: Sequence[float]) -> list[int]:
    """The stems a head hangs on: one, or an up-stem at its right and a down-stem at its left.

    Args:
        head: The head.
        stems: Left to right.
        places: Their x.
    """
    if head.kind in ("head-whole", "head-breve"):
        return []
    right: list[tuple[float, int]] = []
    left: list[tuple[float, int]] = []
    first = bisect_left(places, head.left - BESIDE)
    last = bisect_right(places, head.right + BESIDE)
    for number, stem in enumerate(stems[first:last], first):
        if not stem.top - 0.7 * SPACE <= head.y <= stem.bottom + 0.7 * SPACE:
            continue
        if abs(stem.x - head.right) < abs(stem.x - head.left):
            if abs(stem.x - head.right) <= BESIDE:
                right.append((abs(stem.x - head.right), number))
        elif abs(stem.x - head.left) <= BESIDE:
            left.append((abs(stem.x - head.left), number))
    best_right, best_left = min(right, default=None), min(left, default=None)
    if best_right and best_left:
        a, b = stems[best_right[1]], stems[best_left[1]]
        rises = head.y - a.top > 1.8 * SPACE and a.bottom - head.y < 0.8 * SPACE
        falls = b.bottom - head.y > 1.8 * SPACE and head.y - b.top < 0.8 * SPACE
        if rises and falls:
            return [best_right[1], best_left[1]]
        if rises != falls:
            return [best_right[1] if rises else best_left[1]]
        return [min(best_right, best_left)[1]]
    best = best_right or best_left
    return [best[1]] if best else []


def _on_stem(seen: Seen, stem: Stem, members: list[int], staff_of: dict[int, int]) -> list[Event]:
    symbols = [seen.symbols[i] for i in members]
    above = min(s.y for s in symbols) - stem.top
    below = stem.bottom - max(s.y for s in symbols)
    up = above > below
    staves = [staff_of[i] for i in members]
    staff = max(set(staves), key=lambda s: (staves.count(s), -s))
    small = sum("small" in s.kind for s in symbols) * 2 > len(symbols)
    width = sorted(s.right - s.left for s in symbols)[len(symbols) // 2]
    x = stem.x - width if up else stem.x
    own = [s for s in symbols if abs(s.left - x) < width / 2]
    if own:
        x = min(s.left for s in own)
    event = Event(staff, stem=stem, up=up, x=x, grace=small)
    event.heads = _heads(seen, staff, symbols)
    return [event]


def _heads(seen: Seen, staff: int, symbols: list[Symbol]) -> list[Head]:
    heads: list[Head] = []
    for symbol in sorted(symbols, key=lambda s: -s.y):
        step = round(seen.staves[staff].step(symbol.x, symbol.y))
        twin = heads and heads[-1].step == step
        if twin and abs(heads[-1].symbol.x - symbol.x) < 0.5 * SPACE:
            continue
        heads.append(Head(symbol, step))
    return heads


def _stemless(seen: Seen, loose: list[int], staff_of: dict[int, int]) -> list[Event]:
    events: list[Event] = []
    symbols = sorted((seen.symbols[i].left, i) for i in loose)
    for left, i in symbols:
        symbol, staff = seen.symbols[i], staff_of[i]
        width = symbol.right - symbol.left
        for event in reversed(events):
            beside = left - event.x < 1.25 * width and event.staff == staff
            if beside and event.heads[0].symbol.kind == symbol.kind:
                own = [head.symbol for head in event.heads]
                event.heads = _heads(seen, staff, [*own, symbol])
                break
        else:
            event = Event(staff, x=left, grace="small" in symbol.kind)
            event.heads = _heads(seen, staff, [symbol])
            events.append(event)
    return events


def attach_beams(seen: Seen, events: Sequence[Event]) -> None:
    """Count the beams at each stem and number the groups they join."""
    touched: dict[int, list[int]] = {}
    starts = np.array([beam.x1 for beam in seen.beams])
    ends = np.array([beam.x2 for beam in seen.beams])
    for number, event in enumerate(events):
        if event.stem is None:
            continue
        left: list[float] = []
        right: list[float] = []
        over = (starts <= event.stem.x + 0.35 * SPACE) & (ends >= event.stem.x - 0.35 * SPACE)
        for index in np.flatnonzero(over).tolist():
            beam = seen.beams[index]
            y = _beam_at(beam, event)
            if y is None:
                continue
            touched.setdefault(index, []).append(number)
            x = event.stem.x
            if beam.x1 < x - 0.5 * SPACE:
                left.append(y)
            if beam.x2 > x + 0.5 * SPACE:
                right.append(y)
        event.beams_left, event.beams_right = _levels(left), _levels(right)
    groups = list(range(len(events)))

    def root(i: int) -> int:
        while groups[i] != i:
            i = groups[i]
        return i

    for members in touched.values():
        for other in members[1:]:
            groups[root(other)] = root(members[0])
    sizes: dict[int, int] = {}
    for number in range(len(events)):
        sizes[root(number)] = sizes.get(root(number), 0) + 1
    for number, event in enumerate(events):
        event.group = root(number) if sizes[root(number)] > 1 else None
        if event.group is None:  # a beam joins stems: what touches one only is a flag or ink
            event.beams_left = event.beams_right = 0


def _beam_at(beam: Beam, event: Event) -> float | None:
    """The beam's y at the event's stem if the stem carries it."""
    stem = event.stem
    if stem is None or not beam.x1 - 0.35 * SPACE <= stem.x <= beam.x2 + 0.35 * SPACE:
        return None
    run = (stem.x - beam.x1) / max(beam.x2 - beam.x1, 1e-6)
    y = beam.y1 + min(max(run, 0), 1) * (beam.y2 - beam.y1)
    if not stem.top - 0.6 * SPACE <= y <= stem.bottom + 0.6 * SPACE:
        return None
    ys = [head.symbol.y for head in event.heads]
    if event.up:
        return y if y < min(ys) - 0.6 * SPACE else None
    return y if y > max(ys) + 0.6 * SPACE else None


def _levels(ys: list[float]) -> int:
    levels = 0
    last = -1e9
    for y in sorted(ys):
        if y - last > 0.35 * SPACE:
            levels += 1
        last = y
    return levels


def attach_flags(seen: Seen, events: Sequence[Event]) -> None:
    """Give stems without beams the flag that hangs on their tip."""
    flags = [s for s in seen.symbols if s.kind.startswith("flag")]
    for event in events:
        if event.stem is None or event.beams_left or event.beams_right:
            continue
        best: tuple[float, int] | None = None
        for flag in flags:
            if abs(flag.left - event.stem.x) > 0.7 * SPACE:
                continue
            tip = flag.top - event.stem.top if event.up else event.stem.bottom - flag.bottom
            if not -0.8 * SPACE <= tip <= 1.2 * SPACE:
                continue
            if flag.kind.endswith("up") != event.up and flag.confidence < 0.9:
                continue
            cost = abs(flag.left - event.stem.x) + abs(tip) - SPACE * flag.confidence
            count = int(flag.kind.split("-")[1])
            best = min(best, (cost, count)) if best else (cost, count)
        if best:
            event.flags = best[1]
