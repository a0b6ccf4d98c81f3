"""Dynamic signs and hairpins: what is written for letters and lines beside the staves."""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
import cv2
import numpy as np
import pytest
from lxml import etree

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ensemble_sightread.hairpins import find_hairpins
from ensemble_sightread.meaning import Reading, read
from ensemble_sightread.musicxml import write
from ensemble_sightread.symbols import Hairpin, Seen, Symbol
from test_meaning import kern, page

from ensemble_core.musicxml.schema import validate

FOUR = kern("4c\n4d\n4e\n4f\n=\n4c\n4d\n4e\n4f")
PIANO = "**kern\t**kern\n*clefF4\t*clefG2\n*M4/4\t*M4/4\n2C\t4f\n.\t4g\n2D\t4a\n.\t4f\n*-\t*-"


def letters(text: str, x: float, y: float) -> tuple[Symbol, ...]:
    """A dynamic sign whose middle is at x, y."""
    left = x - 6 * len(text)
    return tuple(
        Symbol(f"dynamic-{letter}", left + 12 * n, y - 6, left + 12 * n + 13, y + 6)
        for n, letter in enumerate(text)
    )


def below(reading: Reading, bar: int, number: int, staff: int = 0) -> tuple[float, float]:
    """A place below a chord."""
    events = [event for event in reading.bars[bar].events if event.staff == staff]
    return events[number].middle, reading.seen.staves[staff].y(-8, events[number].x)


def directions(seen: Seen) -> list[tuple[int, str, int, str]]:
    """Bar, staff and onset (in quarters) of each direction, and what it says."""
    found = []
    written = write(read(seen)).musicxml
    assert not list(validate(written))
    divisions = 1
    for bar, measure in enumerate(etree.fromstring(written).iter("measure")):
        now = 0
        for node in measure:
            divisions = int(node.findtext("attributes/divisions", str(divisions)))
            if node.tag == "attributes":
                divisions = int(node.findtext("divisions", str(divisions)))
            if node.tag == "direction":
                sign = node.find("direction-type")[0]
                text = sign[0].tag if sign.tag == "dynamics" else sign.get("type")
                at = now + int(node.findtext("offset", "0"))
                found.append((bar, node.findtext("staff", "1"), at // divisions, text))
            length = int(node.findtext("duration", "0"))
            now += -length if node.tag == "backup" else length
    return found


def signs(seen: Seen, *added: tuple[Symbol, ...]) -> Seen:
    return attrs.evolve(seen, symbols=seen.symbols + tuple(s for sign in added for s in sign))


@pytest.mark.parametrize("text", ["p", "pp", "mf", "sfz", "fp", "rf"])
def test_letters_make_a_sign_at_the_chord_above(text: str) -> None:
    reading = page(FOUR)
    seen = signs(reading.seen, letters(text, *below(reading, 1, 2)))
    assert directions(seen) == [(1, "1", 2, text)]


def test_letters_that_say_nothing_are_left_out() -> None:
    reading = page(FOUR)
    assert directions(signs(reading.seen, letters("mz", *below(reading, 0, 1)))) == []


def test_signs_of_two_chords_stay_apart() -> None:
    reading = page(FOUR)
    first, second = (letters(t, *below(reading, 0, n)) for t, n in (("f", 0), ("p", 1)))
    assert directions(signs(reading.seen, first, second)) == [(0, "1", 0, "f"), (0, "1", 1, "p")]


def test_between_the_staves_of_a_piano_signs_are_the_upper_ones() -> None:
    reading = page(PIANO)
    upper, lower = reading.seen.staves[:2]
    x = [event.middle for event in reading.bars[0].events if event.staff == 0][1]
    near_lower = lower.y(8, x) - 12
    assert upper.y(0, x) < near_lower
    seen = signs(reading.seen, letters("mp", x, near_lower))
    braces = attrs.evolve(seen.systems[0], braces=((0, 1),))
    seen = attrs.evolve(seen, systems=(braces, *seen.systems[1:]))
    assert directions(seen) == [(0, "1", 1, "mp")]


def hairpin(x1: float, x2: float, y: float, *, opens: bool) -> Hairpin:
    return Hairpin(x1, x2, y, 0.0 if opens else 11.0, 11.0 if opens else 0.0)


def test_hairpins_go_from_chord_to_chord() -> None:
    reading = page(FOUR)
    (x1, y), (x2, _), (x3, _) = (below(reading, *at) for at in ((0, 1), (0, 3), (1, 2)))
    found = (hairpin(x1 - 5, x2 - 16, y, opens=True), hairpin(x2 - 5, x3 - 7, y, opens=False))
    assert directions(attrs.evolve(reading.seen, hairpins=found)) == [
        (0, "1", 1, "crescendo"),
        (0, "1", 3, "stop"),
        (0, "1", 3, "diminuendo"),
        (1, "1", 2, "stop"),
    ]


def test_a_hairpin_behind_a_sign_begins_with_it() -> None:
    reading = page(FOUR)
    x, y = below(reading, 0, 0)
    seen = signs(reading.seen, letters("pp", x, y))
    found = hairpin(x + 18, below(reading, 0, 2)[0] + 8, y, opens=True)
    assert directions(attrs.evolve(seen, hairpins=(found,))) == [
        (0, "1", 0, "pp"),
        (0, "1", 0, "crescendo"),
        (0, "1", 3, "stop"),
    ]


def test_a_hairpin_goes_on_in_the_next_line() -> None:
    reading = page(kern("4cc\n4dd\n4ee\n4ff\n=\n" * 13 + "1gg"))
    last = max(bar for bar, one in enumerate(reading.bars) if one.system == 0)
    (x1, y1), (x2, y2) = below(reading, last, 2), below(reading, last + 1, 1, staff=1)
    end, start = reading.bars[last].right, reading.bars[last + 1].events[0].x
    found = (
        Hairpin(x1 - 5, end - 8, y1, 0, 8),
        Hairpin(start - 20, x2 + 8, y2, 7, 13),
    )
    assert directions(attrs.evolve(reading.seen, hairpins=found)) == [
        (last, "1", 2, "crescendo"),
        (last + 1, "1", 2, "stop"),
    ]


def test_a_short_closing_hairpin_at_a_chord_is_an_accent() -> None:
    reading = page(FOUR)
    x, y = below(reading, 0, 1)[0], reading.bars[0].events[1].y + 15
    found = attrs.evolve(reading.seen, hairpins=(hairpin(x - 7, x + 7, y, opens=False),))
    assert directions(found) == []
    accents = [e.onset for e in read(found).bars[0].events if e.marks]
    assert accents == [reading.bars[0].events[1].onset]


def sign(kind: str, x: float, y: float, wide: float = 8, high: float = 10) -> tuple[Symbol, ...]:
    return (Symbol(kind, x - wide, y - high, x + wide, y + high),)


def test_the_pedal_goes_up_before_the_chord_behind_the_star() -> None:
    reading = page(FOUR)
    (x1, y), (x2, _), (x3, _) = (below(reading, *at) for at in ((0, 1), (0, 3), (1, 0)))
    seen = signs(
        reading.seen,
        sign("pedal", x1 + 6, y),
        sign("pedal-star", x2 - 15, y),
        sign("pedal", x2 + 6, y),
        sign("pedal-star", x3 - 8, y),
    )
    found = directions(seen)
    assert [(bar, onset, kind) for bar, _, onset, kind in found] == [
        (0, 1, "start"),
        (0, 3, "stop"),
        (0, 3, "start"),
        (0, 4, "stop"),
    ]


def test_signs_through_chords_and_before_them() -> None:
    reading = page(kern("4c\n4d\n8eq\n4f\n4g\n=\n1c"))
    chord, note, grace, *_ = reading.bars[0].events
    seen = signs(
        reading.seen,
        sign("arpeggio", chord.x - 12, chord.y, 3, 14),
        sign("tremolo-2", note.stem.x, (note.stem.top + note.stem.bottom) / 2),
        sign("grace-slash", grace.stem.x + 3, (grace.stem.top + grace.stem.bottom) / 2),
        sign("turn", reading.bars[0].events[3].middle, reading.seen.staves[0].y(11, 0)),
        sign("breath", reading.bars[0].right - 12, reading.seen.staves[0].y(9, 0)),
    )
    written = write(read(seen)).musicxml
    assert not list(validate(written))
    notes = list(etree.fromstring(written).iter("note"))
    assert notes[0].find("notations/arpeggiate") is not None
    assert notes[1].findtext("notations/ornaments/tremolo") == "2"
    assert notes[2].find("grace").get("slash") == "yes"
    assert notes[3].find("notations/ornaments/turn") is not None
    assert notes[4].find("notations/articulations/breath-mark") is not None
    assert sum(1 for note in notes for _ in note.iterfind("notations")) == 4


def test_a_grace_note_of_the_lower_voice_stands_before_its_note() -> None:
    spine = "**kern\n*clefG2\n*M4/4\n*^\n2gg 2c\n. 8dq\n2ff 2e\n*v *v\n==\n*-"
    (measure,) = etree.fromstring(write(page(spine)).musicxml).iter("measure")
    tags = [n.tag if n.find("grace") is None else "grace" for n in measure]
    assert tags[-4:] == ["note", "grace", "note", "barline"]


def test_hairpins_are_pairs_of_lines_even_where_a_bar_line_cuts_them() -> None:
    ink = np.zeros((400, 1200), np.uint8)
    for sign in (-1, 1):
        cv2.line(ink, (100, 100), (400, 100 + 12 * sign), 1, 2)
        cv2.line(ink, (1000, 300), (600, 300 + 12 * sign), 1, 2)
        cv2.line(ink, (100, 200), (300, 200 + 6 * sign), 1, 2)
    cv2.line(ink, (300, 20), (300, 180), 1, 3)
    ink[180:220, 100:102] = 1
    cv2.line(ink, (600, 50), (900, 50), 1, 2)
    cv2.line(ink, (600, 75), (900, 75), 1, 2)
    found = find_hairpins(ink, ())
    assert [(round(h.x1, -1), round(h.x2, -1), h.opens) for h in found] == [
        (50, 200, True),
        (50, 150, True),
        (300, 500, False),
    ]


def test_an_accent_is_no_hairpin() -> None:
    ink = np.zeros((100, 200), np.uint8)
    for sign in (-1, 1):
        cv2.line(ink, (80, 50), (50, 50 + 9 * sign), 1, 2)
    assert len(find_hairpins(ink, ())) == 1
    assert find_hairpins(ink, (Symbol("accent", 24, 19, 41, 31),)) == ()
