"""What oemer writes, repaired: valid, complete, and with the notes it read."""

from __future__ import annotations

from typing import Any

import pytest
from ensemble_oemer.repair import repair
from lxml import etree
from oemer_written import oemer_page

from ensemble_core.musicxml import check_wellformed_score, find_schema, validate

FOUR = "C4/16 D4/16 E4/16 F4/16"
EIGHTHS = " ".join(["C4/8"] * 8)


def repaired(bars: str, staves: int = 1, fifths: int = 0) -> Any:
    """The repaired tree, checked to be valid and to stay as it is when repaired again."""
    data, _ = repair(oemer_page(bars, staves, fifths))
    check_wellformed_score(data)
    if find_schema():
        assert validate(data) == []
    assert repair(data)[0] == data
    return etree.fromstring(data)


def told(bars: str, staves: int = 1) -> dict[str, str]:
    """The repairs' messages by code."""
    found = repair(oemer_page(bars, staves))[1]
    assert len({diagnostic.code for diagnostic in found}) == len(found)
    return {diagnostic.code: diagnostic.message for diagnostic in found}


def measure(root: Any, place: int) -> list[str]:
    """A measure in the notation of the input, backups left out, beams and signs put in."""
    words = []
    for note in root.findall("part/measure")[place].findall("note"):
        name = "r" if note.find("rest") is not None else "".join(
            note.findtext(f"pitch/{tag}", "") for tag in ("step", "alter", "octave")
        )  # fmt: skip
        name = ("+" if note.find("chord") is not None else "") + name
        words.append(f"{name}/{note.findtext('duration')}")
    return words


def test_the_header_says_nothing_that_was_not_read() -> None:
    root = repaired(f"{FOUR} | {FOUR}")
    assert root.find("work") is None and root.find("identification/creator") is None
    assert root.findtext("identification/encoding/software") == "oemer 0.1.8"
    assert root.findtext("part-list/score-part/part-name") == "Part 1"
    assert root.find("part-list/score-part/score-instrument") is None
    assert root.find("part/measure/sound").get("tempo") == "90"
    piano = repaired(f"{FOUR} <64 2:C3/64", staves=2)
    assert piano.findtext("part-list/score-part/part-name") == "Piano"
    assert piano.find("part-list/score-part/midi-instrument") is not None


@pytest.mark.parametrize(
    ("bars", "meter"),
    [
        (" | ".join([FOUR] * 4), "4/4"),
        (" | ".join(["C4/16 D4/32"] * 4), "3/4"),
        (" | ".join(["C4/16 D4/8 E4/16 F4/8"] * 4), "6/8"),
        (" | ".join(["C4/24 D4/8 E4/16"] * 4), "3/4"),
        (" | ".join(["C4/16 D4/16"] * 4), "2/4"),
        (" | ".join(["C4/24 D4/24 E4/24"] * 4), "9/8"),
        (" | ".join(["C4/16 D4/8"] * 4), "3/8"),
        (f"{FOUR} | {FOUR} | C4/16 D4/16 E4/16 | {FOUR} | {FOUR} C5/16", "4/4"),
    ],
)
def test_the_meter_is_that_of_most_bars(bars: str, meter: str) -> None:
    root = repaired(bars)
    times = root.findall("part/measure/attributes/time")
    assert [f"{t.findtext('beats')}/{t.findtext('beat-type')}" for t in times] == [meter]
    assert meter in told(bars)["oemer-meter-inferred"]


def test_a_meter_changes_only_where_a_run_of_bars_says_so() -> None:
    three = "C4/16 D4/16 E4/16"
    root = repaired(" | ".join([FOUR] * 8 + [three] * 8))
    changes = [
        i for i, m in enumerate(root.iter("measure")) if m.find("attributes/time") is not None
    ]
    assert changes == [0, 8]
    root = repaired(" | ".join([FOUR] * 6 + [three] * 2 + [FOUR] * 6))
    assert len(root.findall("part/measure/attributes/time")) == 1


def test_a_run_of_bars_with_one_kind_of_rest_misread_is_no_change_of_meter() -> None:
    five = "C4/16 r/32 E4/16 F4/16"
    root = repaired(" | ".join([FOUR] * 8 + [five] * 7 + [FOUR] * 8))
    assert len(root.findall("part/measure/attributes/time")) == 1
    assert measure(root, 10) == ["C4/16", "r/16", "E4/16", "F4/16"]


def test_a_short_first_bar_is_a_pickup() -> None:
    root = repaired(f"G4/16 | {FOUR} | {FOUR}")
    bars = root.findall("part/measure")
    assert [bar.get("number") for bar in bars] == ["0", "1", "2"]
    assert bars[0].get("implicit") == "yes" and measure(root, 0) == ["G4/16"]
    assert "1 quarter" in told(f"G4/16 | {FOUR} | {FOUR}")["oemer-pickup"]


def test_a_first_bar_that_merely_lacks_something_is_none() -> None:
    root = repaired(f"C4/16 D4/16 E4/16 | {FOUR} | {FOUR}")
    assert root.find("part/measure").get("number") == "1"
    assert measure(root, 0)[-1] == "r/16"


def test_rests_are_typed_and_only_a_bar_that_rests_is_a_whole_bar_rest() -> None:
    bars = f"{FOUR} <64 2:C3/16 2:r/24 2:r/8 2:r/16 | {FOUR} <64 2:r/64 | {FOUR}"
    root = repaired(bars, staves=2)
    first = [n for n in root.find("part/measure").iter("note") if n.find("rest") is not None]
    assert [(n.findtext("type"), len(n.findall("dot"))) for n in first] == [
        ("quarter", 1), ("eighth", 0), ("quarter", 0),
    ]  # fmt: skip
    assert all(n.find("rest").get("measure") is None for n in first)
    for bar in root.findall("part/measure")[1:]:
        (rest,) = (n for n in bar.iter("note") if n.find("rest") is not None)
        assert rest.find("rest").get("measure") == "yes"
        assert (rest.findtext("duration"), rest.findtext("voice")) == ("64", "5")
    assert told(bars, 2)["oemer-staves-silent"].startswith("1 of 3 bars: ")


def test_short_bars_are_filled_and_named_and_move_nothing() -> None:
    bars = f"{FOUR} | C4/16 D4/16 E4/8 | {FOUR} | {FOUR}"
    root = repaired(bars)
    assert measure(root, 1) == ["C4/16", "D4/16", "E4/8", "r/8", "r/16"]
    assert measure(root, 2) == FOUR.split()
    assert told(bars)["oemer-bars-filled"].endswith(": 2")


def test_a_gap_is_filled_where_it_is() -> None:
    root = repaired(f"{FOUR} | C4/16 >16 E4/32 | {FOUR}")
    assert measure(root, 1) == ["C4/16", "r/16", "E4/32"]


def test_an_overfull_bar_keeps_its_notes_and_is_named() -> None:
    bars = f"{FOUR} | {FOUR} G4/16 | {FOUR} | {FOUR}"
    root = repaired(bars)
    assert measure(root, 1) == [*FOUR.split(), "G4/16"]
    assert told(bars)["oemer-bars-overfull"].endswith(": 2")


def test_a_rest_read_too_long_is_shortened_and_what_follows_comes_earlier() -> None:
    bars = f"{FOUR} | C4/16 r/32 E4/16 F4/16 | {FOUR} | {FOUR}"
    root = repaired(bars)
    assert measure(root, 1) == ["C4/16", "r/16", "E4/16", "F4/16"]
    assert told(bars)["oemer-lengths-mended"].endswith(": 2")


def test_of_two_pauses_the_one_that_puts_the_notes_on_beats_is_changed() -> None:
    root = repaired(f"{FOUR} | C4/8 r/8 D4/8 r/16 E4/16 F4/16 | {FOUR} | {FOUR}")
    assert measure(root, 1) == ["C4/8", "r/8", "D4/8", "r/8", "E4/16", "F4/16"]


def test_one_kind_of_rest_misread_throughout_a_bar_is_read_as_what_fits() -> None:
    off = "r/16 D4/8 E4/8 F4/8 r/16 D4/8 E4/8 F4/8 <80 2:C3/16 2:r/8 2:r/16 2:C3/16 2:r/24"
    root = repaired(f"{FOUR} <64 2:C3/64 | {off} | {FOUR} <64 2:C3/64", staves=2)
    assert measure(root, 1) == [
        *(["r/8", "D4/8", "E4/8", "F4/8"] * 2), "C3/16", "r/16", "C3/16", "r/16",
    ]  # fmt: skip


def test_a_bar_in_which_two_readings_would_do_as_well_is_left() -> None:
    bars = f"{FOUR} | C4/16 r/16 E4/16 r/16 F4/16 | {FOUR} | {FOUR}"
    assert told(bars)["oemer-bars-overfull"].endswith(": 2")


def test_a_dot_too_many_is_taken_away() -> None:
    root = repaired(f"{FOUR} | C4/16 D4/24 E4/16 F4/16 | {FOUR} | {FOUR}")
    assert measure(root, 1) == FOUR.split()


def test_a_last_note_too_long_ends_with_the_bar_where_another_note_does() -> None:
    bars = f"{FOUR} <64 2:C3/64 | {FOUR} <16 A4/32v2 <80 2:C3/64 | {FOUR} <64 2:C3/64"
    root = repaired(bars, staves=2)
    lengths = {n.findtext("pitch/step"): n.findtext("duration") for n in
               root.findall("part/measure")[1].findall("note")}  # fmt: skip
    assert lengths["A"] == "16"


def test_a_bar_line_not_seen_is_put_in() -> None:
    bars = f"{FOUR} | {FOUR} G4/16 A4/16 B4/32 | {FOUR} | {FOUR}"
    root = repaired(bars)
    assert measure(root, 2) == ["G4/16", "A4/16", "B4/32"]
    assert [m.get("number") for m in root.iter("measure")] == ["1", "2", "3", "4", "5"]
    assert told(bars)["oemer-bars-split"].endswith(": 2")


def test_two_bars_are_not_parted_through_a_note() -> None:
    root = repaired(f"{FOUR} | C4/16 D4/16 E4/64 G4/32 | {FOUR} | {FOUR}")
    assert len(root.findall("part/measure")) == 4


def test_a_bar_of_clefs_and_keys_alone_at_the_end_of_a_system_is_none() -> None:
    bars = f"{FOUR} | {FOUR} | key:2 | system {FOUR} | {FOUR}"
    root = repaired(bars)
    assert [m.get("number") for m in root.iter("measure")] == ["1", "2", "3", "4"]
    third = root.findall("part/measure")[2]
    assert third.findtext("attributes/key/fifths") == "2"
    assert third.find("print").get("new-system") == "yes"
    assert "1 bar" in told(bars)["oemer-bars-empty"]


def test_accidentals_hold_for_their_staff_and_octave_and_to_the_end_of_the_bar() -> None:
    root = repaired(
        "F#4/16 F#4/16 F4/16 F#5/16 <64 2:F#3/32 2:F3/32 | F#4/32 B4/16 Bb4/16 <64 2:C3/64", 2, 1
    )
    signs = [
        [note.findtext("accidental") for note in bar.findall("note")]
        for bar in root.findall("part/measure")
    ]
    assert signs == [[None, None, "natural", None, None, "natural"], [None, None, "flat", None]]


def test_beams_follow_the_beats_and_stop_at_rests() -> None:
    def beams(bars: str) -> list[str]:
        notes = repaired(bars).find("part/measure").findall("note")
        return ["".join(b.text[0] for b in n.findall("beam")) for n in notes]

    assert beams(f"{EIGHTHS} | {FOUR}") == ["b", "c", "c", "e"] * 2
    assert beams(f"C4/8 D4/8 r/8 E4/8 F4/16 G4/16 | {FOUR}") == ["b", "e", "", "", "", ""]
    assert beams(f"C4/8 D4/4 E4/4 F4/12 G4/4 A4/32 | {FOUR}") == ["b", "cb", "ee", "b", "eb", ""]
    assert beams("C4/8 D4/8 E4/8 F4/16 G4/8 | C4/16 D4/8 E4/24") == ["b", "c", "e", "", ""]
    assert beams(f"C4/8 D4/8 E4/8d F4/8d G4/32 | {FOUR}") == ["b", "e", "b", "e", ""]
    assert beams(f"C4/8 +E4/8 D4/8 +F4/8 E4/16 F4/32 | {FOUR}") == ["b", "", "e", "", "", ""]


def test_voices_are_numbered_by_staff_and_never_overlap() -> None:
    root = repaired(f"{FOUR} <64 G3/64v2 <64 2:C3/64 | {FOUR} <64 2:C3/64", staves=2)
    notes = root.find("part/measure").findall("note")
    assert [(n.findtext("staff"), n.findtext("voice")) for n in notes] == [
        *[("1", "1")] * 4, ("1", "2"), ("2", "5"),
    ]  # fmt: skip


def test_a_chord_without_its_first_note_stands_alone() -> None:
    bars = f"C4/16 +E4/32 F4/16 | {FOUR} | {FOUR}"
    root = repaired(bars)
    assert measure(root, 0) == ["C4/16", "E4/32", "F4/16"]
    assert told(bars)["oemer-chords"].startswith("made 1 ")


def test_a_notehead_written_twice_in_a_chord_is_one() -> None:
    assert measure(repaired(f"C4/64 +E4/64 +C4/64 | {FOUR}"), 0) == ["C4/64", "+E4/64"]


def test_no_note_lies_before_its_bar() -> None:
    root = repaired(f"C4/16 <32 2:C3/16 >16 D4/16 E4/32 | {FOUR} <64 2:C3/64 | {FOUR}", staves=2)
    now = 0
    for child in root.find("part/measure"):
        length = int(child.findtext("duration", "0"))
        now += {"backup": -length, "attributes": 0, "sound": 0}.get(child.tag, length)
        assert now >= 0


def test_a_clef_stands_where_it_changes_and_only_then() -> None:
    root = repaired(
        "C4/32 clef1:F C3/32 <64 2:C3/64 | clef1:F C3/64 <64 2:C3/64 clef2:F | C3/64 <64 2:C3/64", 2
    )
    tags = [child.tag for child in root.find("part/measure")]
    assert tags[:5] == ["attributes", "sound", "note", "attributes", "note"]
    assert len(list(root.iter("clef"))) == 3


def test_of_two_clefs_with_no_note_between_the_last_one_counts() -> None:
    bars = "C4/32 clef1:F r/32 <64 2:C3/64 clef1:G | C4/64 <64 2:C3/64 | clef1:F clef1:G C4/64"
    assert len(list(repaired(bars, staves=2).iter("clef"))) == 4
    assert len(list(repaired("C4/64 clef1:F >32 clef1:G", staves=1).iter("clef"))) == 1


def test_what_is_no_xml_is_an_input_error() -> None:
    from ensemble_core.model import InputError

    with pytest.raises(InputError, match="oemer's MusicXML"):
        repair(b"Traceback (most recent call last):")
