from __future__ import annotations

from pathlib import Path

import pytest
from ensemble_evaluate.difference import kind_of
from ensemble_evaluate.omr_ned import omr_ned
from lxml import etree

from ensemble_core.testing import sample_score

FOUR = sample_score(4).musicxml


def with_slur() -> bytes:
    root = etree.fromstring(FOUR)
    notes = root.findall(".//note")
    for note, kind in ((notes[0], "start"), (notes[2], "stop")):
        etree.SubElement(etree.SubElement(note, "notations"), "slur", type=kind, number="1")
    return etree.tostring(root)


def test_the_same_score_is_perfect_whenever_it_was_made(tmp_path: Path) -> None:
    dated = FOUR.replace(
        b"<part-list>",
        b"<identification><encoding><encoding-date>2020-01-01</encoding-date></encoding>"
        b"</identification><part-list>",
    )
    same = omr_ned(FOUR, dated, 60, tmp_path)
    assert same.all is not None
    assert (same.all.ned, same.all.kinds) == (0, {})
    assert same.all.truth > 16
    kept = sorted(tmp_path.rglob("*.json"))
    again = omr_ned(FOUR, FOUR, 0.001, tmp_path)  # no time: it must be remembered
    assert (again, sorted(tmp_path.rglob("*.json"))) == (same, kept)


def test_a_missed_slur_is_told_as_one_and_is_no_note(tmp_path: Path) -> None:
    found = omr_ned(with_slur(), FOUR, 60, tmp_path)
    assert found.all is not None
    assert found.basic is not None
    assert list(found.all.kinds) == ["slurs"]
    assert found.all.kinds["slurs"]["missed"] == found.all.edits > 0
    assert found.basic.ned == 0


def test_nothing_read_is_completely_wrong(tmp_path: Path) -> None:
    found = omr_ned(FOUR, None, 60, tmp_path)
    assert found.all is not None
    assert found.all.ned == 1
    assert found.all.edits == found.all.truth


def test_what_takes_too_long_is_named_and_not_remembered(tmp_path: Path) -> None:
    late = omr_ned(FOUR, with_slur(), 0.01, tmp_path)
    assert late.all is None
    assert "more than" in late.reason
    assert not list(tmp_path.rglob("*.json"))


def test_what_is_no_score_is_named(tmp_path: Path) -> None:
    broken = omr_ned(FOUR, b"<score-partwise><part", 60, tmp_path)
    assert broken.all is None
    assert "musicdiff failed" in broken.reason


@pytest.mark.parametrize(
    ("operation", "extra", "told"),
    [
        ("noteins", "", ("notes and rests", "missed")),
        ("notedel", "", ("notes and rests", "invented")),
        ("insbeam", "", ("flags and beams", "missed")),
        ("editarticulation", "", ("articulations", "changed")),
        ("delexpression", "", ("ornaments and fermatas", "invented")),
        ("inspart", "", ("whole staves", "missed")),
        ("delbar", "", ("whole bars", "invented")),
        ("pitchnameedit", "", ("notes and rests", "changed")),
        ("headedit", "", ("note heads", "changed")),
        ("lyricdel", "", ("lyrics", "invented")),
        ("extrains", "dynamic", ("dynamics", "missed")),
        ("extradurationedit", "crescendo", ("hairpins", "changed")),
        ("extrainfoedit", "keysig", ("keys", "changed")),
        ("staffgrpnameedit", "", ("staff groups", "changed")),
        ("staffgrppartindicesedit", "", ("staff groups", "changed")),
        ("extrains", "something new", ("something new", "missed")),
    ],
)
def test_what_an_edit_is_about(operation: str, extra: str, told: tuple[str, str]) -> None:
    assert kind_of(operation, extra) == told
