"""Text on a page is found and read, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import attrs
import cv2
import numpy as np
import pytest
from ensemble_sightread.letters import ALPHABET, Line, canonical, load, read_lines, strip
from ensemble_sightread.options import SightreadOptions
from ensemble_sightread.reader import see
from ensemble_sightread.symbols import Curve, Seen, Symbol, Word
from ensemble_sightread.words import outside

HERE = Path(__file__).parent
WANTED = ("Allegretto con moto", "Gesang", "Voice", "Und sän -gen die Vö - gel dir", "O could the birds war-ble of",
          "Pianoforte")  # fmt: skip


@pytest.fixture(scope="module")
def song() -> Seen:
    page = cv2.imread(str(HERE / "words" / "song.png"), cv2.IMREAD_GRAYSCALE)
    return see(page, SightreadOptions())[0]


def rows(seen: Seen) -> dict[int, str]:
    """What stands in each row, keyed by its baseline in staff spaces."""
    found: dict[int, list[Word]] = {}
    for word in seen.words:
        near = next((y for y in found if abs(y - word.baseline) < 5), round(word.baseline))
        found.setdefault(near, []).append(word)
    return {
        y: " ".join(word.text for word in sorted(words, key=lambda word: word.left))
        for y, words in sorted(found.items())
    }


def test_a_song_gives_its_words(song: Seen) -> None:
    said = " | ".join(rows(song).values())
    for wanted in WANTED:
        assert wanted in said, said


def test_words_are_where_they_stand(song: Seen) -> None:
    word = next(word for word in song.words if word.text == "could")
    voice = song.staves[0]
    assert word.italic
    assert not word.bold
    assert word.confidence > 0.8
    assert 5 < word.baseline - voice.y(0, word.left) < 120
    assert word.left < word.right
    assert word.top < word.baseline <= word.bottom + 1
    assert 6 < word.height < 14


def test_notes_and_dynamics_are_not_text(song: Seen) -> None:
    for word in song.words:
        assert word.text.casefold() not in ("p", "f", "mf")
        for staff in song.staves:
            y = word.baseline
            assert not staff.y(8, word.left) < y < staff.y(0, word.left) or word.left < staff.left


def test_music_without_words_has_none() -> None:
    page = np.full((500, 1200), 255, np.uint8)
    for line in range(5):
        page[200 + 16 * line : 202 + 16 * line, 60:1140] = 0
    for x in range(200, 1100, 90):
        cv2.ellipse(page, (x, 233), (10, 7), -20, 0, 360, 0, -1)
        page[175:233, x + 8 : x + 11] = 0
        cv2.ellipse(page, (x + 45, 300), (30, 10), 0, 0, 180, 0, 2)
    seen, *_ = see(page, SightreadOptions())
    assert seen.words == ()


def test_a_line_is_cut_out_at_a_known_size() -> None:
    page = np.full((200, 300), 255, np.uint8)
    page[80:100, 50:250] = 0  # as high as small letters of 20 px that stand at y = 100
    line = strip(page, 40, 260, (100.0, 0.0), 20.0)
    assert line.shape == (32, 110)
    inked = np.flatnonzero(line[:, 50] > 128)
    assert abs(inked[0] - 12.5) <= 1
    assert abs(inked[-1] + 1 - 22.5) <= 1


def test_a_slanting_line_is_cut_out_level() -> None:
    page = np.full((200, 300), 255, np.uint8)
    cv2.line(page, (40, 92), (260, 103), 0, 3)
    line = strip(page, 40, 260, (90.0, 0.05), 20.0)
    assert np.ptp(line[:, 10:100].argmax(0)) <= 1


def test_nothing_is_read_from_white_paper() -> None:
    paper = np.full((40, 190), 255, np.uint8)
    assert read_lines([Line(paper, (10, 40), (60.0, 0.0), 12.0)]) == [[]]
    assert read_lines([]) == []


def test_the_net_knows_the_alphabet() -> None:
    assert load()[1] == ALPHABET
    assert len(set(ALPHABET)) == len(ALPHABET)


def test_what_looks_alike_has_one_form() -> None:
    assert canonical("l’e\u0301te\u0301 “ﬁn”…") == 'l\'été "fin"...'


def test_letters_are_no_symbols_and_no_slurs() -> None:
    word = Word("Gesang", 100, 90, 150, 104, 102, 9, confidence=0.97)
    letter = Symbol("head-black", 110, 94, 121, 103, 0.5)
    head = attrs.evolve(letter, confidence=0.95)
    beside = attrs.evolve(letter, left=160, right=171)
    bow, slur = Curve(101, 95, 109, 96, True), Curve(90, 95, 180, 96, True)
    seen = Seen(400, 200, 1.0, (), (), (letter, head, beside), curves=(bow, slur))
    kept = outside(seen, [word])
    assert kept.symbols == (head, beside)
    assert kept.curves == (slur,)
    assert kept.words == (word,)
    assert outside(seen, [attrs.evolve(word, confidence=0.6)]).symbols == seen.symbols
