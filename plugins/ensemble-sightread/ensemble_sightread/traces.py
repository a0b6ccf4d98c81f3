"""Strokes of a thin shape one by one, where several touch or cross."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .morphology import Mask

Floats = NDArray[np.float64]
Stroke = tuple[Floats, Floats]
"""x and y of the middle line, by column."""


def branches(shape: Mask) -> list[Stroke]:
    """The strokes of a shape between the places where some of them meet or part.

    Runs of ink in neighbouring columns that touch are one stroke as long as each touches only
    one of the other column.

    Args:
        shape: 1 for ink, shape (height, width).
    """
    done: list[list[tuple[int, float]]] = []
    live: list[tuple[int, int, list[tuple[int, float]]]] = []
    for column, runs in enumerate(_runs(shape)):
        touch = [
            [n for n, (a, b, _) in enumerate(live) if a <= bottom and top <= b]
            for top, bottom in runs
        ]
        followed = [sum(number in row for row in touch) for number in range(len(live))]
        kept = set()
        now: list[tuple[int, int, list[tuple[int, float]]]] = []
        for (top, bottom), row in zip(runs, touch, strict=True):
            trace: list[tuple[int, float]] = []
            if len(row) == 1 and followed[row[0]] == 1:
                trace = live[row[0]][2]
                kept.add(row[0])
            trace.append((column, (top + bottom - 1) / 2))
            now.append((top, bottom, trace))
        done += [trace for number, (_, _, trace) in enumerate(live) if number not in kept]
        live = now
    done += [trace for *_, trace in live]
    return [(np.array([x for x, _ in t], float), np.array([y for _, y in t])) for t in done]


def _runs(shape: Mask) -> list[list[tuple[int, int]]]:
    """Of each column the runs of ink: first row, and the row behind the last."""
    edges = np.diff(np.pad(shape.astype(np.int8), ((1, 1), (0, 0))), axis=0)
    found: list[list[tuple[int, int]]] = [[] for _ in range(shape.shape[1])]
    columns, tops = np.nonzero(edges.T > 0)
    _, bottoms = np.nonzero(edges.T < 0)
    for column, top, bottom in zip(columns, tops, bottoms, strict=True):
        found[column].append((int(top), int(bottom)))
    return found


def branching(shape: Mask) -> float:
    """Share of the columns in which there is more than one run of ink."""
    starts = (shape[1:] > shape[:-1]).sum(axis=0, dtype=np.uint16) + shape[0]
    return float((starts > 1).mean())


def sharpest(stroke: Stroke, reach: int) -> tuple[int, float]:
    """The place in a stroke where it turns most, and by how much its slope changes there.

    Args:
        stroke: A middle line.
        reach: Columns to either side that tell its slope.
    """
    xs, ys = stroke
    places = np.arange(reach, len(xs) - reach)
    if not len(places):
        return 0, 0.0
    sums = np.concatenate([[0.0], np.cumsum(ys)])
    half = reach // 2

    def mean(first: NDArray[np.int64], count: int) -> Floats:
        return np.asarray((sums[first + count] - sums[first]) / count)

    before = (mean(places - half, half) - mean(places - 2 * half, half)) / half
    after = (mean(places + half, half) - mean(places, half)) / half
    turn = after - before
    best = int(np.abs(turn).argmax())
    return int(places[best]), float(turn[best])
