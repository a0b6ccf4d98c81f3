"""Slurs, and what else is printed at chords, from perfect symbols (Verovio's SVG)."""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
from lxml import etree

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ensemble_sightread.meaning import read
from ensemble_sightread.musicxml import write
from ensemble_sightread.symbols import Curve
from test_meaning import kern, page

from ensemble_core.musicxml.schema import validate


def document(spine: str) -> etree._Element:
    written = write(page(spine)).musicxml
    assert not list(validate(written))
    return etree.fromstring(written)


def slurs(spine: str) -> list[tuple[str, str, str]]:
    """The steps from and to which each slur goes, and where it lies."""
    opened: dict[str, tuple[str, str]] = {}
    found = []
    for note in document(spine).iter("note"):
        step = note.findtext("pitch/step", "")
        for slur in note.findall("notations/slur"):
            if slur.get("type") == "start":
                opened[slur.get("number", "")] = (step, slur.get("placement", ""))
            else:
                start, place = opened.pop(slur.get("number", ""))
                found.append((start, step, place))
    assert not opened
    return found


def test_slurs_go_from_chord_to_chord() -> None:
    assert slurs(kern("(4f\n4g)\n(4dd\n4ee\n=\n4dd\n4cc)\n2f")) == [
        ("F", "G", "below"),
        ("D", "C", "above"),
    ]


def test_a_slur_may_end_where_the_next_begins() -> None:
    assert slurs(kern("(4f\n4g)(\n4a\n4f)")) == [("F", "G", "below"), ("G", "F", "below")]


def test_a_tie_is_no_slur_and_a_slur_may_span_one() -> None:
    assert slurs(kern("2r\n[2f\n=\n2f]\n2r")) == []
    assert slurs(kern("4r\n(4e\n[2f\n=\n2f]\n2e)")) == [("E", "E", "below")]


def test_a_bow_to_another_accidental_is_a_slur() -> None:
    spine = kern("(4f\n4f#)\n2a")
    assert slurs(spine) == [("F", "F", "below")]
    assert not document(spine).findall(".//tied")


def test_a_slur_may_lie_beside_a_tie() -> None:
    spine = kern("([2f\n2f])")
    assert [(start, stop) for start, stop, _ in slurs(spine)] == [("F", "F")]
    assert len(document(spine).findall(".//tied")) == 2


def test_each_voice_has_its_own_slurs() -> None:
    assert sorted(slurs(TWO_VOICES)) == [("C", "D", "below"), ("G", "F", "above")]


TWO_VOICES = """**kern
*clefG2
*k[]
*M4/4
*^
(2gg (2c
2ff) 2d)
*v *v
==
*-
"""


def test_a_slur_goes_on_in_the_next_line() -> None:
    spine = kern("4cc\n4dd\n4ee\n(4ff\n=\n" + "4gg)\n4dd\n4ee\n(4ff\n=\n" * 12 + "4gg)\n2.dd")
    assert len({bar.system for bar in page(spine).bars}) > 1
    assert slurs(spine) == [("F", "G", "above")] * 13


def marks(spine: str) -> list[tuple[str, str]]:
    """The step and the name of each sign at a chord."""
    return [
        (note.findtext("pitch/step", "rest"), str(sign.tag))
        for note in document(spine).iter("note")
        for sign in note.iterfind("notations//*")
        if sign.tag in ("staccato", "accent", "tenuto", "strong-accent", "fermata", "trill-mark")
    ]


def test_articulations() -> None:
    assert marks(kern("4f'\n4g^\n4a~\n4b^^\n=\n4dd'\n4cc^'\n4ee;\n4r;\n=\n1ccT")) == [
        ("F", "staccato"),
        ("G", "accent"),
        ("A", "tenuto"),
        ("B", "strong-accent"),
        ("D", "staccato"),
        ("C", "accent"),
        ("C", "staccato"),
        ("E", "fermata"),
        ("rest", "fermata"),
        ("C", "trill-mark"),
    ]


def test_a_dot_that_makes_a_note_longer_is_no_staccato() -> None:
    spine = kern("4.f'\n8g'\n4.cc\n8dd")
    assert marks(spine) == [("F", "staccato"), ("G", "staccato")]
    assert [len(note.findall("dot")) for note in document(spine).iter("note")] == [1, 0, 1, 0]


def test_a_sign_between_two_staves_goes_to_the_nearer() -> None:
    spine = (
        "**kern\t**kern\n*clefF4\t*clefG2\n*M4/4\t*M4/4\n4C\t4f'\n4D\t4g\n4BB'\t4a\n4C\t4f'\n*-\t*-"
    )
    assert sorted(marks(spine)) == [("B", "staccato"), ("F", "staccato"), ("F", "staccato")]


def clefs(spine: str) -> list[tuple[int, int, str]]:
    """Bar, place among the bar's children, and sign of each clef."""
    return [
        (number, place, clef.findtext("sign", ""))
        for number, measure in enumerate(document(spine).iter("measure"), 1)
        for place, node in enumerate(measure)
        for clef in node.findall("clef")
    ]


def test_a_clef_before_a_bar_line_is_the_next_bars() -> None:
    spine = kern("4c\n4e\n4g\n4c\n*clefF4\n=\n4C\n4E\n*clefG2\n4g\n4c\n=\n1c")
    assert clefs(spine) == [(1, 0, "G"), (2, 0, "F"), (2, 3, "G")]


def test_a_moved_clef_keeps_its_place_on_the_page() -> None:
    spine = kern("4c\n4e\n4g\n4c\n*clefF4\n=\n1C")
    elements = write(page(spine)).elements
    clefs = [element for element in elements if element.kind == "clef"]
    bars = [element for element in elements if element.kind == "measure"]
    assert clefs[1].id.startswith(f"{bars[1].id}-")
    assert bars[0].box.left < clefs[1].box.left < bars[1].box.left


def test_ink_between_two_voices_of_one_onset_is_no_slur() -> None:
    reading = page(TWO_VOICES.replace("(", "").replace(")", "").replace("gg", "g"))
    low = min(reading.bars[0].events, key=lambda event: (event.onset, -event.y)).heads[0].symbol
    stray = Curve(low.left + 2, low.y + 5, low.right, low.y - 2, up=False)
    seen = attrs.evolve(reading.seen, curves=(stray,))
    assert not any(event.slur_starts for bar in read(seen).bars for event in bar.events)
