"""A hook that nearly reaches the next stem is still a hook."""

from __future__ import annotations

import numpy as np
import pytest
from ensemble_sightread.beams import find_beams, gaps_of
from ensemble_sightread.symbols import Beam, Stem

STEMS = (Stem(20.0, 20.0, 60.0), Stem(35.0, 20.0, 60.0))


def inner_beam(left: float, right: float) -> Beam:
    """The upper of two beams between two stems, drawn at twice the page's size."""
    ink = np.zeros((160, 120), np.uint8)
    for stem in STEMS:
        ink[40:120, int(2 * stem.x) : int(2 * stem.x) + 2] = 1
    ink[110:120, 40:72] = 1
    ink[94:104, int(2 * left) : int(2 * right)] = 1
    beams = find_beams(ink, gaps_of(255 * (1 - ink)), STEMS)
    assert len(beams) == 2
    return min(beams, key=lambda beam: beam.y1)


@pytest.mark.parametrize("end", [29.0, 31.0, 32.5])
def test_a_hook_ends_before_the_next_stem(end: float) -> None:
    beam = inner_beam(20, end)
    assert beam.x1 == pytest.approx(20, abs=1)
    assert beam.x2 <= 31


@pytest.mark.parametrize("start", [22.5, 25.0])
def test_a_hook_may_point_left(start: float) -> None:
    beam = inner_beam(start, 35.5)
    assert beam.x1 >= 24
    assert beam.x2 == pytest.approx(35, abs=1)


def test_a_beam_joins_both_stems() -> None:
    beam = inner_beam(20, 36)
    assert (beam.x1, beam.x2) == (20, 35)
