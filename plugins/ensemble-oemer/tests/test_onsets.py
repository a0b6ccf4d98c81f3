"""Onsets from lengths, and the choice between oemer's timing of a bar and ours."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from ensemble_oemer.onsets import Sign, onsets
from ensemble_oemer.repair.choosing import choose
from ensemble_oemer.repair.reading import read_part
from ensemble_oemer.repair.tally import Tally
from oemer_written import oemer_page

from ensemble_core.musicxml import parse

FULL = "C4/16 D4/16 E4/16"


def begin(*signs: tuple[int, int, int]) -> list[int]:
    """Onsets of signs given as column, staff and duration."""
    return onsets([Sign(20.0 * x, staff, duration) for x, staff, duration in signs], 14.0)


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        # a dotted quarter and an eighth over two quarters, in one staff
        ([(0, 0, 24), (0, 0, 16), (1, 0, 16), (2, 0, 8)], [0, 0, 16, 24]),
        # a half over four eighths in the other staff
        ([(0, 0, 32), (0, 1, 8), (1, 1, 8), (2, 1, 8), (3, 1, 8)], [0, 0, 8, 16, 24]),
        # an eighth alone; then both staves, the other one having rested since
        ([(0, 0, 8), (0, 1, 16), (1, 0, 8), (2, 0, 16), (2, 1, 16)], [0, 0, 8, 16, 16]),
        # the staves agree on a later place than the shortest voice: its rest was not read
        ([(0, 0, 8), (0, 0, 16), (0, 1, 16), (1, 0, 16), (1, 1, 16)], [0, 0, 0, 16, 16]),
        # a staff that begins late takes the place the other has reached
        ([(0, 0, 16), (1, 1, 16)], [0, 16]),
    ],
)
def test_a_column_begins_where_its_staves_end(
    signs: list[tuple[int, int, int]], expected: list[int]
) -> None:
    assert begin(*signs) == expected


def test_signs_closer_than_a_notehead_begin_together() -> None:
    close = [Sign(100.0, 0, 16), Sign(105.0, 1, 16), Sign(130.0, 0, 16)]
    assert onsets(close, 14.0) == [0, 0, 16]


def bars(document: bytes) -> list[list[Any]]:
    """The events of each bar of the only part."""
    part = read_part(parse(document, "the page").find("part"), Tally())
    return [bar.events for bar in part.bars]


def test_a_note_made_longer_to_fill_a_bar_gets_its_length_back() -> None:
    made_longer = oemer_page(" | ".join([FULL, "C4/8 D4/24 E4/16", *[FULL] * 3]))
    as_read = oemer_page(" | ".join([FULL, "C4/8 D4/8 r/16 E4/16", *[FULL] * 3]))
    chosen, changed = choose(made_longer, as_read)
    assert changed == 1
    lengths = [event.duration for event in bars(chosen)[1] if not event.rest]
    assert lengths == [Fraction(1, 2), Fraction(1, 2), Fraction(1)]


def test_a_bar_stays_oemers_where_the_other_account_is_no_more_even() -> None:
    own = [FULL, "C4/16 D4/32", "C4/16 D4/16 E4/32", *[FULL] * 3]
    worse = [FULL, "C4/16 D4/16", "C4/32 D4/16 E4/16", *[FULL] * 3]
    oemers = oemer_page(" | ".join(own))
    chosen, changed = choose(oemers, oemer_page(" | ".join(worse)))
    assert changed == 0 and bars(chosen) == bars(oemers)


def test_an_uneven_bar_gives_way_to_a_less_uneven_one() -> None:
    oemers = oemer_page(" | ".join([FULL, "C4/32 D4/16 E4/32", *[FULL] * 3]))
    other = oemer_page(" | ".join([FULL, "C4/16 D4/16 E4/32", *[FULL] * 3]))
    chosen, changed = choose(oemers, other)
    assert changed == 1 and bars(chosen) == bars(other)
