"""Bows on drawn pages: where several touch, each is seen by itself."""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ensemble_sightread.curves import find_curves
from ensemble_sightread.meaning import read
from ensemble_sightread.symbols import Curve, Hairpin
from test_meaning import kern, page


def drawn(*bows: tuple[int, int, int, int]) -> list[tuple[int, int, bool]]:
    """Ends of the bows that are seen when these are drawn: x1, x2, y and height (below: > 0)."""
    ink = np.zeros((300, 700), np.uint8)
    for x1, x2, y, high in bows:
        t = np.linspace(0, 1, 200)
        points = np.stack([x1 + (x2 - x1) * t, y + 4 * high * t * (1 - t)], axis=1)
        cv2.polylines(ink, [np.rint(points).astype(np.int32)], False, 1, 3)
    found = find_curves(ink, (), (), 2.0)
    return [(round(2 * c.x1, -1), round(2 * c.x2, -1), c.up) for c in found]


def test_a_bow_that_begins_where_another_ends() -> None:
    assert drawn((100, 300, 100, 30), (300, 520, 100, 32)) == [(100, 300, False), (300, 520, False)]


def test_a_bow_within_another_that_begins_with_it() -> None:
    (inner, outer) = drawn((100, 500, 100, 60), (100, 180, 100, 9))
    assert inner[1:] == (180, False)
    assert outer[1:] == (500, False)
    assert inner[0] <= 140
    assert outer[0] <= 140


def test_two_slurs_on_either_side_of_the_same_chords() -> None:
    reading = page(kern("(4f\n4g)\n4a\n4b"))
    (below,) = reading.seen.curves
    first, last = (event.heads[0].symbol for event in reading.bars[0].events[:2])
    above = Curve(first.x, first.y - 42, last.x, last.y - 42, up=True)
    events = read(attrs.evolve(reading.seen, curves=(below, above))).bars[0].events
    assert [slur.above for slur in events[0].slur_starts] == [False, True]


def test_lines_of_hairpins_are_no_slur() -> None:
    reading = page(kern("4f\n4g\n4a\n4b"))
    first, last = (reading.bars[0].events[n].heads[0].symbol for n in (0, 3))
    y = max(event.y for event in reading.bars[0].events) + 14
    middle = (first.x + last.x) / 2
    hairpins = (Hairpin(first.x, middle - 4, y, 0, 12), Hairpin(middle + 4, last.x, y, 12, 0))
    bow = Curve(first.x, y, last.x, y, up=False)
    for found, slurs in (((), 1), (hairpins, 0)):
        events = read(attrs.evolve(reading.seen, curves=(bow,), hairpins=found)).bars[0].events
        assert len(events[0].slur_starts) == slurs
