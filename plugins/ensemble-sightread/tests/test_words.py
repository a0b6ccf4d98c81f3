"""Words beside the staves become directions; those left of them name the parts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import attrs
from lxml import etree

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ensemble_sightread.meaning import Reading, read
from ensemble_sightread.musicxml import write
from ensemble_sightread.symbols import SPACE, Seen, Symbol, Word
from test_lyrics import SONG, below, columns, word
from test_meaning import page

from ensemble_core.musicxml.schema import validate

PIANO = """**kern **kern
*clefF4 *clefG2
*M4/4 *M4/4
4C 4c
4C 4d
4C 4e
4C 4f
== ==
*- *-"""


def above(seen: Seen, staff: int, by: float) -> float:
    return seen.staves[staff].y(8, 500) - by * SPACE


def put(text: str, left: float, baseline: float, **more: bool) -> list[Word]:
    """Words side by side from ``left`` on."""
    found = []
    for piece in text.split():
        half = 0.22 * SPACE * len(piece)
        found.append(word(piece, left + half, baseline, **more))
        left += 2 * half + 5
    return found


def document(seen: Seen, words: list[Word], **more: Any) -> etree._Element:
    out = write(read(attrs.evolve(seen, words=tuple(words), **more)))
    assert not list(validate(out.musicxml))
    return etree.fromstring(out.musicxml)


def placed(root: etree._Element) -> list[tuple[str, str, int, int]]:
    """Text, placement, bar and how many notes stand before it, of each direction with words."""
    found = []
    for number, bar in enumerate(root.iter("measure"), 1):
        notes = 0
        for node in bar:
            notes += node.tag == "note"
            for text in node.iter("words", "rehearsal"):
                found.append((text.text, node.get("placement"), number, notes))
    return found


def start(reading: Reading, number: int, staff: int = 0) -> float:
    return columns(reading, staff)[number] - 6


def test_words_hold_from_the_chord_they_begin_at() -> None:
    bare = page(SONG)
    high, low = above(bare.seen, 0, 2), below(bare.seen, 0, 4)
    words = put("Allegro ma non troppo", bare.bars[0].left + 60, high, bold=True)
    words += put("a tempo", start(bare, 6), high, italic=True)
    words += put("molto cresc.", start(bare, 2), low, italic=True)
    assert sorted(placed(document(bare.seen, words))) == [
        ("Allegro ma non troppo", "above", 1, 0),
        ("a tempo", "above", 2, 2),
        ("molto cresc.", "below", 1, 2),
    ]


def test_words_between_two_systems_lean_to_their_usual_side() -> None:
    bare = page("\n".join([*SONG.splitlines()[:4], *["4c\n4d\n4e\n4f\n="] * 14, "*-"]))
    gap = above(bare.seen, 1, 0) - below(bare.seen, 0, 0)
    middle = below(bare.seen, 0, 0) + gap / 2 + 7
    found = placed(document(bare.seen, put("cresc.", 400, middle, italic=True)))
    assert [(text, side) for text, side, *_ in found] == [("cresc.", "below")]
    found = placed(document(bare.seen, put("pizz.", 400, middle)))
    assert [(text, side) for text, side, *_ in found] == [("pizz.", "above")]


def test_a_metronome_mark_counts_the_note_before_it() -> None:
    bare = page(SONG)
    left, y = bare.bars[0].left + 60, above(bare.seen, 0, 2)
    words = put("Andante", left, y, bold=True)
    words += [word("(", left + 55, y), word("=", left + 80, y), word("66)", left + 98, y)]
    half = Symbol("head-small-half", left + 60, y - 6, left + 68, y, 0.9)
    root = document(bare.seen, words, symbols=(*bare.seen.symbols, half))
    mark = root.find(".//metronome")
    assert mark is not None
    assert [node.text for node in mark] == ["half", "66"]
    assert root.find(".//sound").get("tempo") == "132"
    assert [text for text, *_ in placed(root)] == ["Andante"]


def test_titles_numbers_and_letters_of_dynamics_are_no_directions() -> None:
    bare = page(SONG)
    title = [attrs.evolve(w, height=16.0) for w in put("Adagio for Bells", 400, 20.0)]
    words = title + put("12", 20, above(bare.seen, 0, 1))
    words += put("From https://imslp.org/wiki/", 600, above(bare.seen, 0, 2))
    words += put("mf", start(bare, 1), below(bare.seen, 0, 3), italic=True, bold=True)
    assert placed(document(bare.seen, words)) == []


def test_a_bold_capital_is_a_rehearsal_mark() -> None:
    bare = page(SONG)
    x = bare.bars[1].left
    found = placed(document(bare.seen, put("B", x, above(bare.seen, 0, 2), bold=True)))
    assert [(text, bar) for text, _, bar, _ in found] == [("B", 2)]


def test_names_left_of_the_staves_name_the_parts() -> None:
    bare = page(PIANO)
    shifted = _moved(bare.seen, 120.0)
    reading = read(shifted)
    left = shifted.staves[0].left
    words = put("Violin", left - 90, below(shifted, 0, -1))
    words += put("Horn in F", left - 90, below(shifted, 1, -1))
    root = document(shifted, words)
    assert reading.bars
    assert [node.text for node in root.iter("part-name")] == ["Violin", "Horn in F"]


def _moved(seen: Seen, right: float) -> Seen:
    """A page with all on it moved to the right."""

    def move(thing: Any) -> Any:
        names = [n for n in ("left", "right", "x", "x1", "x2", "xs") if n in _fields(thing)]
        return attrs.evolve(thing, **{name: getattr(thing, name) + right for name in names})

    systems = tuple(
        attrs.evolve(system, barlines=tuple(map(move, system.barlines)), braces=())
        for system in seen.systems
    )
    groups = {
        name: tuple(map(move, getattr(seen, name)))
        for name in ("staves", "symbols", "stems", "beams", "curves")
    }
    return attrs.evolve(seen, width=int(seen.width + right), systems=systems, **groups)


def _fields(thing: Any) -> set[str]:
    return {field.name for field in attrs.fields(type(thing))}


def test_four_parts_of_one_staff_are_in_a_bracket() -> None:
    spines = [["**kern"] * 4, ["*clefF4", "*clefC3", "*clefG2", "*clefG2"], ["*M4/4"] * 4]
    rows = [*spines, ["1C", "1c", "1g", "1cc"], ["=="] * 4, ["*-"] * 4]
    root = document(page("\n".join(" ".join(row) for row in rows)).seen, [])
    kinds = [(node.tag, node.get("type")) for node in root.find("part-list")]
    assert kinds == [("part-group", "start"), *[("score-part", None)] * 4, ("part-group", "stop")]


def test_a_term_that_was_misread_by_a_letter_is_spelled_as_it_is() -> None:
    bare = page(SONG)
    high, low = above(bare.seen, 0, 2), below(bare.seen, 0, 4)
    words = put("Andante con moto", bare.bars[0].left + 60, high, bold=True)
    words[0] = attrs.evolve(words[0], text="Andanfe", confidence=0.8)
    words += put("cresc.", start(bare, 2), low, italic=True)
    words[-1] = attrs.evolve(words[-1], text="cres.")
    texts = sorted(text for text, *_ in placed(document(bare.seen, words)))
    assert texts == ["Andante con moto", "cresc."]


def test_a_tempo_begins_a_phrase_and_a_word_that_goes_on_in_brackets_is_none() -> None:
    bare = page(SONG)
    high, low = above(bare.seen, 0, 2), below(bare.seen, 0, 4)
    words = put("poco rit. a tempo", start(bare, 4), high, italic=True)
    words += put("(cresc.)", start(bare, 0), low, italic=True)
    texts = [text for text, *_ in placed(document(bare.seen, words))]
    assert sorted(texts) == ["a tempo", "poco rit."]


def test_a_metronome_mark_is_read_without_its_equals_sign() -> None:
    bare = page(SONG)
    left, y = bare.bars[0].left + 60, above(bare.seen, 0, 2)
    words = [*put("Adagio", left, y, bold=True), word("40)", left + 90, y)]
    root = document(bare.seen, words)
    assert [node.text for node in root.find(".//metronome")] == ["quarter", "40"]
    assert [text for text, *_ in placed(root)] == ["Adagio"]


def test_abbreviations_of_hands_are_directions() -> None:
    bare = page(SONG)
    words = put("m.g.", start(bare, 2), above(bare.seen, 0, 2), italic=True)
    assert placed(document(bare.seen, words)) == [("m.g.", "above", 1, 2)]
