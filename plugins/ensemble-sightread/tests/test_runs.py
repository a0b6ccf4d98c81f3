"""Shapes on a page become runs of letters, each with its line and the height of small letters."""

from __future__ import annotations

import numpy as np
import pytest
from ensemble_sightread.runs import Run, band_runs
from ensemble_sightread.shapes import Shapes, find_shapes, outlined
from ensemble_sightread.symbols import Seen, Symbol

LINE = 200
"""Row the letters stand on, in fine pixels; small ones are 20 high."""


def page(
    *boxes: tuple[int, int, int, int], symbols: tuple[Symbol, ...] = (), frame: bool = False
) -> tuple[Shapes, list[Run]]:
    """The runs among boxes of ink: left, width, and how far they reach up and down from LINE."""
    ink = np.zeros((400, 900), np.uint8)
    for left, wide, up, down in boxes:
        ink[LINE - up : LINE + down, left : left + wide] = 1
    if frame:
        ink[LINE - 50 : LINE + 20, 85:155] = 1
        ink[LINE - 47 : LINE + 17, 88:152] = 0
        ink[LINE - 30 : LINE, 110:130] = 1
    shapes, bands = find_shapes(outlined(ink), Seen(450, 200, 1.0, (), (), symbols))
    return shapes, [run for band in bands for run in band_runs(shapes, band)]


def word(left: int, letters: str) -> list[tuple[int, int, int, int]]:
    """Boxes for letters: ``x`` small, ``l`` tall, ``p`` hanging below the line."""
    sizes = {"x": (20, 0), "l": (31, 0), "p": (20, 10)}
    return [(left + 17 * i, 13, *sizes[letter]) for i, letter in enumerate(letters)]


def test_a_wide_gap_parts_words() -> None:
    _, runs = page(*word(50, "xlxx"), *word(50 + 17 * 4 + 60, "xxl"))
    assert [len(run.members) for run in runs] == [4, 3]
    for run in runs:
        assert run.base == pytest.approx(LINE, abs=1)
        assert run.height == pytest.approx(20, abs=1)


def test_a_short_word_stands_on_the_line_of_others() -> None:
    _, runs = page(*word(50, "xlxxl"), *word(250, "px"), *word(350, "ll"))
    assert len(runs) == 3
    for run in runs:
        assert run.base == pytest.approx(LINE, abs=1)
        assert run.height == pytest.approx(20, abs=1)


def test_fat_letters_joined_to_others_have_the_height_of_the_small() -> None:
    boxes = ((50, 45, 35, 0), (98, 90, 27, 0), (192, 10, 27, 0), (206, 20, 35, 0))
    _, (run,) = page(*boxes, (230, 20, 35, 0), (254, 30, 27, 10))
    assert run.height == pytest.approx(27, abs=1)


def test_smaller_words_on_a_line_have_their_own_height() -> None:
    small = [(300 + 14 * i, 10, up, 0) for i, up in enumerate((15, 15, 23, 15))]
    _, runs = page(*word(50, "xlxxlx"), *small)
    assert sorted(round(run.height) for run in runs) == [15, 20]


def test_dots_and_commas_go_with_the_word() -> None:
    shapes, (run,) = page(*word(50, "xxxx"), (69, 4, 30, -25), (76, 4, 30, -25), (119, 4, 4, 7))
    assert len(run.members) == 4
    assert len(run.marks) == 3
    assert len(shapes.left) == 7


def test_dots_that_have_run_together_are_no_word() -> None:
    _, (run,) = page(*word(50, "xxxx"), (66, 8, 32, -25), (77, 8, 32, -25))
    assert len(run.members) == 4
    assert len(run.marks) == 2


def test_a_hyphen_between_syllables_is_a_run_of_its_own() -> None:
    _, runs = page(*word(50, "xlx"), (160, 14, 11, -8), *word(230, "xxx"))
    hyphen = next(run for run in runs if len(run.members) == 1)
    assert (hyphen.left, hyphen.right) == (160, 174)
    assert hyphen.height == pytest.approx(20, abs=1)


def test_a_dashed_line_is_no_hyphens() -> None:
    dashes = [(160 + 24 * i, 14, 11, -8) for i in range(12)]
    _, runs = page(*word(50, "xlx"), *dashes)
    assert [len(run.members) for run in runs] == [3]


def test_two_bars_are_an_equals_sign() -> None:
    _, runs = page((160, 16, 14, -11), (160, 16, 7, -4), *word(200, "lll"))
    assert sorted(len(run.members) for run in runs) == [2, 3]


def test_a_letter_in_a_frame_is_no_symbol() -> None:
    clef = Symbol("clef-c", 54, 84, 66, 101, 0.9)
    shapes, (run,) = page(frame=True, symbols=(clef,))
    assert shapes.left[run.members].tolist() == [110]


@pytest.mark.parametrize("kind", ["dynamic-f", "head-half", "accent"])
def test_symbols_are_no_letters(kind: str) -> None:
    box = Symbol(kind, 50, 89, 57, 100, 0.9)
    assert page((100, 13, 20, 0), symbols=(box,))[1] == []


def test_a_letter_beside_a_word_is_none_of_the_symbols() -> None:
    head = Symbol("head-half", 80, 89, 87, 100, 0.9)
    _, runs = page(*word(50, "xlx"), (160, 13, 20, 0), symbols=(head,))
    assert [len(run.members) for run in runs] == [3, 1]


def test_the_net_says_where_text_is() -> None:
    ink = np.zeros((400, 900), np.uint8)
    ink[180:200, 100:113] = 1
    areas = np.zeros((100, 225), np.uint8)
    areas[:, :100] = 255
    symbols = (Symbol("head-half", 50, 89, 57, 100, 0.9),)
    seen = Seen(450, 200, 1.0, (), (), symbols)
    assert find_shapes(outlined(ink), seen, areas)[0].claimed.tolist() == [0]
    assert find_shapes(outlined(ink), seen, np.zeros_like(areas))[0].claimed.tolist() == [1]
    assert find_shapes(outlined(ink), seen, np.zeros_like(areas))[0].text.tolist() == [0]
