"""Finding symbols: real engravings of works the net was not trained on, cut from a page."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from ensemble_sightread.glyphs import MODEL, detect
from ensemble_sightread.symbols import KINDS, Symbol

PIECES = Path(__file__).with_name("glyphs")


def piece(name: str) -> tuple[np.ndarray, list[Symbol]]:
    """A piece of a page (CC0 score, staff space 10 px) and the symbols engraved on it."""
    image = cv2.imread(str(PIECES / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    rows = json.loads((PIECES / f"{name}.json").read_text())
    return image, [Symbol(*row) for row in rows]


def agreement(found: tuple[Symbol, ...], wanted: list[Symbol], reach: float = 4.0) -> float:
    """F1 of symbols of the same kind whose centres lie within ``reach`` pixels."""
    left = list(wanted)
    right = 0
    for symbol in found:
        near = [
            other
            for other in left
            if other.kind == symbol.kind
            and abs(other.x - symbol.x) < reach + 0.1 * (other.right - other.left)
            and abs(other.y - symbol.y) < reach + 0.1 * (other.bottom - other.top)
        ]
        if near:
            left.remove(near[0])
            right += 1
    return 2 * right / (len(found) + len(wanted))


@pytest.mark.parametrize("engraver", ["verovio", "musescore"])
def test_symbols_of_unseen_music_are_found(engraver: str) -> None:
    image, wanted = piece(engraver)
    found = detect(image)
    assert agreement(found, wanted) > 0.95, Counter(s.kind for s in found)


def test_boxes_fit_what_is_printed() -> None:
    image, wanted = piece("verovio")
    heads = [s for s in detect(image) if s.kind == "head-black"]
    off = [
        min(
            max(abs(s.left - w.left), abs(s.top - w.top), abs(s.right - w.right),
                abs(s.bottom - w.bottom))
            for w in wanted
        )
        for s in heads
    ]  # fmt: skip
    assert float(np.median(off)) < 1.0


def test_a_blank_page_holds_nothing() -> None:
    assert detect(np.full((700, 500), 255, np.uint8)) == ()
    assert detect(np.zeros((0, 0), np.uint8)) == ()


def test_the_place_on_the_page_and_its_size_do_not_matter() -> None:
    image, _ = piece("musescore")
    padded = cv2.copyMakeBorder(image, 37, 5, 53, 22, cv2.BORDER_CONSTANT, value=255)
    moved = [
        Symbol(s.kind, s.left - 53, s.top - 37, s.right - 53, s.bottom - 37) for s in detect(padded)
    ]
    assert agreement(detect(image), moved) > 0.98


def test_a_huge_page_is_read_in_tiles() -> None:
    image, wanted = piece("verovio")
    many = -(-4400 // image.shape[0])
    tall = np.vstack([image] * many)
    found = detect(tall)
    assert len(found) == pytest.approx(many * len(detect(image)), rel=0.02)
    copies = [
        Symbol(w.kind, w.left, w.top + n * image.shape[0], w.right, w.bottom + n * image.shape[0])
        for w in wanted
        for n in range(many)
    ]
    assert agreement(found, copies) > 0.95


def test_the_same_page_gives_the_same_symbols() -> None:
    image, _ = piece("musescore")
    assert detect(image) == detect(image.copy())


def test_gray_paper_is_read_too() -> None:
    image, wanted = piece("verovio")
    dull = (70 + image.astype(float) * 0.55).astype(np.uint8)
    assert agreement(detect(dull), wanted) > 0.9


@pytest.mark.parametrize("wrong", [np.zeros((50, 50, 3), np.uint8), np.zeros((50, 50), np.float32)])
def test_what_is_no_gray_page_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="gray uint8 page"):
        detect(wrong)


def test_symbols_are_of_known_kinds_and_the_model_is_small() -> None:
    image, _ = piece("verovio")
    found = detect(image)
    assert {s.kind for s in found} <= set(KINDS)
    assert all(0 < s.confidence <= 1 and s.right > s.left and s.bottom > s.top for s in found)
    assert MODEL.stat().st_size < 4 * 2**20


def test_whole_and_half_rests_differ_by_the_line_they_touch() -> None:
    image, _ = piece("verovio")
    whole = next(s for s in detect(image) if s.kind == "rest-whole")
    x, top, foot = round(whole.x), round(whole.top), round(whole.bottom)
    half = image.copy()
    half[top - 2 : foot + 2, x - 30 : x + 30] = 255  # take the bar and its line away ...
    half[top - 1 : top + 1, x - 60 : x + 60] = 0
    half[foot - 10 : top - 1, x - 5 : x + 6] = 0  # ... and set one on the line
    found = [s for s in detect(half) if abs(s.x - x) < 6 and abs(s.y - whole.y) < 12]
    assert [s.kind for s in found] == ["rest-half"]
