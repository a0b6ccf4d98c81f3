from __future__ import annotations

from ensemble_evaluate.notes import agreement
from ensemble_evaluate.scoring import sign_accuracy
from ensemble_evaluate.worst import bad_bars, one_bar, worst_of
from lxml import etree

from ensemble_core.testing import sample_score
from ensemble_core.testing.scores import PIANO

EIGHT = sample_score(8, (PIANO,)).musicxml


def edited(change: str, document: bytes = EIGHT) -> bytes:
    """The document with one thing done to it."""
    root = etree.fromstring(document)
    part = root.find("part")
    measures = part.findall("measure")
    if change == "lose bar 3":
        part.remove(measures[2])
    elif change == "lower a note":
        measures[4].find("note/pitch/octave").text = "2"
    elif change == "shorten a note":
        measures[4].find("note/duration").text = "1"
    elif change == "another key":
        root.find(".//fifths").text = "3"
    elif change == "another meter":
        root.find(".//beats").text = "2"
    elif change == "another clef later":
        attributes = etree.SubElement(measures[5], "attributes")
        clef = etree.SubElement(attributes, "clef", number="2")
        etree.SubElement(clef, "sign").text = "C"
        etree.SubElement(clef, "line").text = "3"
        measures[5].remove(attributes)
        measures[5].insert(0, attributes)
    return etree.tostring(root)


def test_a_reading_without_faults_is_perfect() -> None:
    same = agreement(EIGHT, EIGHT)
    assert (same.note_f1, same.pitch_f1, same.exact_bars, same.bars) == (1, 1, 16, 16)


def test_one_lost_bar_costs_one_bar_on_each_staff() -> None:
    found = agreement(EIGHT, edited("lose bar 3"))
    assert (found.exact_bars, found.bars) == (14, 16)
    assert found.note_f1 == 2 * 56 / (64 + 56)


def test_a_wrong_length_costs_the_note_and_keeps_the_pitch() -> None:
    found = agreement(EIGHT, edited("shorten a note"))
    assert found.note_f1 < found.pitch_f1 == 1


def test_nothing_found_is_completely_wrong() -> None:
    nothing = b"<score-partwise><part-list/></score-partwise>"
    assert agreement(EIGHT, nothing).note_f1 == 0
    assert sign_accuracy(EIGHT, None).key == 0 < sign_accuracy(EIGHT, None).bars


def test_keys_meters_and_clefs_count_in_every_bar_they_rule() -> None:
    assert sign_accuracy(EIGHT, EIGHT).clef == 16
    assert sign_accuracy(EIGHT, edited("another key")).key == 0
    assert sign_accuracy(EIGHT, edited("another meter")).meter == 0
    late = sign_accuracy(EIGHT, edited("another clef later"))
    assert (late.clef, late.key, late.meter) == (13, 16, 16)


def test_the_worst_bars_are_found_and_cut_out_with_their_signs() -> None:
    (bad,) = bad_bars("a", "r", EIGHT, edited("lower a note"))
    assert (bad.bar, bad.found, bad.wrong) == (4, 4, 2)
    assert worst_of([bad, bad, bad], 9) == [bad, bad]
    root = etree.fromstring(one_bar(EIGHT, 4))
    assert len(root.findall("part/measure")) == 1
    first = root.find("part/measure")[0]
    assert first.tag == "attributes"
    assert [node.tag for node in first] == ["divisions", "key", "time", "staves", "clef", "clef"]


def test_a_lost_bar_has_no_partner() -> None:
    bars = bad_bars("a", "r", EIGHT, edited("lose bar 3"))
    assert [(bar.bar, bar.found) for bar in bars] == [(2, None)]
