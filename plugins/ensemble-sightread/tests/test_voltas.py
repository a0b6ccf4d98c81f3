"""First and second endings: brackets are found, and written at their bars."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import attrs
import cv2
import numpy as np
import pytest
from lxml import etree

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ensemble_sightread.meaning import Reading, read
from ensemble_sightread.musicxml import write
from ensemble_sightread.symbols import SPACE, Seen, Staff, System, Volta, Word
from ensemble_sightread.voltas import find_voltas
from test_meaning import kern, page

from ensemble_core.musicxml.schema import validate

FOUR = kern("4c\n4d\n4e\n4f\n=\n1c\n=\n1d\n=\n4c\n4d\n4e\n4f")

Bracket = tuple[float, float, bool, bool]


def endings(seen: Seen) -> list[tuple[int, str, str]]:
    """Bar, numbers and type of each ``ending``."""
    written = write(read(seen)).musicxml
    assert not list(validate(written))
    return [
        (place, node.get("number"), node.get("type"))
        for place, bar in enumerate(etree.fromstring(written).iter("measure"))
        for node in bar.iter("ending")
    ]


def over(
    reading: Reading, bar: int, *numbers: int, closed: bool = True, sure: float = 1.0
) -> Volta:
    """A bracket above a bar."""
    left, right = reading.bars[bar].left + 3, reading.bars[bar].right - 3
    return Volta(0, left, right, 20, numbers, closed=closed, confidence=sure)


def test_brackets_become_endings_of_their_bars() -> None:
    reading = page(FOUR)
    voltas = (over(reading, 1, 1, 2), over(reading, 2, 3, closed=False))
    assert endings(attrs.evolve(reading.seen, voltas=voltas)) == [
        (1, "1, 2", "start"), (1, "1, 2", "stop"), (2, "3", "start"), (2, "3", "discontinue"),
    ]  # fmt: skip


def test_a_number_that_was_misread_or_lost_is_the_one_that_is_due() -> None:
    reading = page(FOUR)
    voltas = (over(reading, 1, 4, sure=0.8), over(reading, 2))
    numbers = [number for _, number, _ in endings(attrs.evolve(reading.seen, voltas=voltas))]
    assert numbers == ["1", "1", "2", "2"]


def test_a_bracket_that_keeps_to_no_bar_line_is_none() -> None:
    reading = page(FOUR)
    bar = reading.bars[1]
    middle = (bar.left + bar.right) / 2
    volta = attrs.evolve(over(reading, 1, 1), left=middle, right=middle + 30)
    assert endings(attrs.evolve(reading.seen, voltas=(volta,))) == []


def drawn(brackets: Sequence[Bracket], words: Sequence[Word], lean: float = 0.0) -> Seen:
    """Two systems of one staff, with brackets ``(x, length, opened, closed)`` above them.

    The second system's have an x beyond 1000.
    """
    xs = np.array([50.0, 950.0])
    staves = tuple(
        Staff(xs, np.array([y, y + lean * 900]), np.full(2, SPACE)) for y in (200.0, 400.0)
    )
    seen = Seen(1000, 600, 1.0, staves, (System((0,)), System((1,))), words=tuple(words))
    ink = np.zeros((1200, 2000), np.uint8)
    for x, length, opened, closed in brackets:
        top, left = (130 if x < 1000 else 330), x % 1000
        ends = [(u, top + lean * (u - 50)) for u in (left, left + length)]
        points = [(round(2 * u), round(2 * v)) for u, v in ends]
        cv2.line(ink, *points, 1, 3)
        for (u, v), hook in zip(points, (opened, closed), strict=True):
            if hook:
                cv2.line(ink, (u, v), (u, v + 32), 1, 3)
    return attrs.evolve(seen, voltas=find_voltas(ink, seen))


def number(text: str, x: float, top: float = 136) -> Word:
    return Word(text, x, top, x + 8, top + 11, top + 11, 8)


@pytest.mark.parametrize(("lean", "drop"), [(0.0, 2), (0.0, 7), (0.02, 7)])
def test_brackets_are_found_where_hook_and_number_stand(lean: float, drop: float) -> None:
    seen = drawn(
        [(300, 150, True, True), (457, 200, True, False), (700, 100, False, True)],
        [number("1.", 306, 130 + drop + lean * 250), number("2", 463, 130 + drop + lean * 400)], lean,
    )  # fmt: skip
    assert [(v.numbers, v.closed) for v in seen.voltas] == [((1,), True), ((2,), False)]
    assert [v.left for v in seen.voltas] == pytest.approx([300, 457], abs=3)


def test_a_bracket_goes_on_in_the_next_system() -> None:
    seen = drawn([(700, 248, True, False), (1060, 100, False, True)], [number("1.-3.", 706)])
    assert [(v.system, v.numbers, v.opened) for v in seen.voltas] == [
        (0, (1, 2, 3), True), (1, (), False),
    ]  # fmt: skip


def test_lines_without_a_number_are_none() -> None:
    assert drawn([(300, 150, True, True), (1060, 100, False, True)], []).voltas == ()


def test_what_stands_beside_the_numbers_is_left_out() -> None:
    words = [number("[", 306), number("1.-8.", 318), number("times", 336), number("[9.]", 463)]
    seen = drawn([(300, 150, True, True), (457, 100, True, True)], words)
    assert [v.numbers for v in seen.voltas] == [tuple(range(1, 9)), (9,)]


def test_numbers_that_stand_apart_are_of_one_bracket() -> None:
    words = [number(text, 306 + 22 * place) for place, text in enumerate("1234")]
    assert [v.numbers for v in drawn([(300, 150, True, True)], words).voltas] == [(1, 2, 3, 4)]


def test_numbers_that_could_not_be_read_lead_up_to_the_next() -> None:
    reading = page(FOUR)
    voltas = (over(reading, 1), over(reading, 2, 5))
    found = endings(attrs.evolve(reading.seen, voltas=voltas))
    assert [number for _, number, kind in found if kind == "start"] == ["1, 2, 3, 4", "5"]


def test_a_bracket_may_end_before_its_bar_does() -> None:
    """A new key or meter stands between it and the bar line."""
    reading = page(kern("4c\n4d\n4e\n4f\n=\n4c\n2.d\n=\n1e"))
    bar = reading.bars[1]
    right = max(event.right for event in bar.events) + 3
    assert bar.right - right > 5 * SPACE
    volta = attrs.evolve(over(reading, 1, 1), right=right)
    found = endings(attrs.evolve(reading.seen, voltas=(volta,)))
    assert found == [(1, "1", "start"), (1, "1", "stop")]
