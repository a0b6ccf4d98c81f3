"""Perfect symbols (from Verovio's SVG) must become exactly the music that was engraved."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import attrs
import pytest
from ensemble_evaluate import notes as evaluated
from lxml import etree

verovio = pytest.importorskip("verovio")
pytest.importorskip("fontTools")

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "training"))

import truth  # noqa: E402
from ensemble_sightread.meaning import Reading, read  # noqa: E402
from ensemble_sightread.meaning.rhythm import LEAST_STATES, solve  # noqa: E402
from ensemble_sightread.meaning.search import Budget  # noqa: E402
from ensemble_sightread.musicxml import Written, write  # noqa: E402
from ensemble_sightread.symbols import Symbol  # noqa: E402

from ensemble_core.musicxml.schema import validate  # noqa: E402

HEADER = "**kern\n*clefG2\n*k[]\n*M4/4\n"


def page(kern: str) -> Reading:
    kit = verovio.toolkit()
    kit.setOptions({"pageWidth": 2100, "pageHeight": 2970, "footer": "none", "header": "none"})
    lines = ["\t".join(line.split(" ")) for line in kern.strip().splitlines()]
    assert kit.loadData("\n".join(lines) + "\n")
    return read(truth.seen(kit.renderToSVG(1)))


def read_notes(kern: str) -> list[list[list[tuple[float, int, float]]]]:
    """Staves of bars of (onset, MIDI pitch, duration)."""
    staves = evaluated.staves(write(page(kern)).musicxml)
    return [[[(float(o), p, float(d)) for o, p, d in bar] for bar in staff] for staff in staves]


def kern(body: str, header: str = HEADER) -> str:
    return header + body.strip() + "\n==\n*-"


def test_plain_notes_and_dots() -> None:
    notes = read_notes(kern("4c\n4.d\n8e\n4f\n=\n2.g\n8a\n16b\n16cc\n=\n1C"))
    assert notes == [
        [
            [(0, 60, 1), (1, 62, 1.5), (2.5, 64, 0.5), (3, 65, 1)],
            [(0, 67, 3), (3, 69, 0.5), (3.5, 71, 0.25), (3.75, 72, 0.25)],
            [(0, 48, 4)],
        ]
    ]


@pytest.mark.parametrize(
    ("clef", "names", "pitches"),
    [
        ("*clefF4", "4C 4E 4G 4c", (48, 52, 55, 60)),
        ("*clefC3", "4c 4e 4g 4cc", (60, 64, 67, 72)),
        ("*clefC4", "4c 4A 4E 4e", (60, 57, 52, 64)),
        ("*clefGv2", "4c 4e 4G 4cc", (60, 64, 55, 72)),
    ],
)
def test_clefs(clef: str, names: str, pitches: tuple[int, ...]) -> None:
    notes = read_notes(kern(names.replace(" ", "\n"), f"**kern\n{clef}\n*k[]\n*M4/4\n"))
    assert tuple(note[1] for note in notes[0][0]) == pitches


def test_clef_changes_in_mid_bar() -> None:
    notes = read_notes(kern("4c\n4e\n*clefF4\n4C\n4E\n=\n1C"))
    assert [n[1] for n in notes[0][0]] == [60, 64, 48, 52]
    assert notes[0][1] == [(0, 48, 4)]


@pytest.mark.parametrize(
    ("key", "sounds"),
    [("*k[f#c#]", (66, 61, 71)), ("*k[b-e-a-]", (65, 60, 70)), ("*k[]", (65, 60, 71))],
)
def test_key_signature_sounds(key: str, sounds: tuple[int, ...]) -> None:
    spelled = {66: "f#", 61: "c#", 71: "b", 65: "f", 60: "c", 70: "b-"}
    names = "\n".join(f"4{spelled[s]}" for s in sounds)
    notes = read_notes(kern(f"{names}\n4r", f"**kern\n*clefG2\n{key}\n*M4/4\n"))
    assert tuple(n[1] for n in notes[0][0]) == sounds


def test_accidentals_hold_in_their_bar_and_octave_only() -> None:
    notes = read_notes(kern("4f#\n4f#\n4ff\n4fn\n=\n4f\n4b-\n4b-\n4cc#"))
    assert [n[1] for n in notes[0][0]] == [66, 66, 77, 65]
    assert [n[1] for n in notes[0][1]] == [65, 70, 70, 73]


def test_a_tie_carries_its_accidental_over_the_bar_line() -> None:
    reading = page(kern("2r\n[2f#\n=\n4f#]\n4f#X\n2r"))
    tied = [head for bar in reading.bars for event in bar.events for head in event.heads]
    assert [head.tie_start for head in tied] == [True, False, False]
    assert [head.tie_stop for head in tied] == [False, True, False]
    assert [head.alter for head in tied] == [1, 1, 1]


def test_a_slur_is_not_a_tie() -> None:
    reading = page(kern("(4f\n4g)\n(4a\n4f)"))
    assert not any(h.tie_start for bar in reading.bars for e in bar.events for h in e.heads)


def test_chords_and_two_voices() -> None:
    notes = read_notes(TWO_VOICES)
    assert sorted(notes[0][0]) == [
        (0, 60, 1), (0, 79, 2), (1, 64, 1), (2, 62, 2), (2, 77, 1), (3, 76, 1),
    ]  # fmt: skip


TWO_VOICES = """**kern
*clefG2
*k[]
*M4/4
*^
4c 2gg
4e .
2d 4ff
. 4ee
== ==
*- *-"""


def test_triplets_with_a_digit() -> None:
    reading = page(kern("12c\n12d\n12e\n4f\n2g"))
    ratios = [event.value.ratio for event in reading.bars[0].events]
    assert ratios == [(3, 2)] * 3 + [(1, 1)] * 2
    assert [event.onset for event in reading.bars[0].events] == [0, 1120, 2240, 3360, 6720]


def test_grace_notes_take_no_time() -> None:
    reading = page(kern("4c\n8qd\n4e\n2f"))
    assert [e.grace for e in reading.bars[0].events] == [False, True, False, False]
    notes = evaluated.staves(write(reading).musicxml)[0][0]
    assert notes == [(0, 60, 1), (1, 64, 1), (2, 65, 2)]


def test_staccato_is_no_augmentation() -> None:
    notes = read_notes(kern("4c'\n4a'\n8f'\n8g'\n4cc'"))
    assert [n[2] for n in notes[0][0]] == [1, 1, 0.5, 0.5, 1]


def test_rest_that_fills_the_bar() -> None:
    reading = page(kern("2.c\n=\n2.r\n=\n2.d", "**kern\n*clefG2\n*k[]\n*M3/4\n"))
    assert [bar.length for bar in reading.bars] == [3 * 3360] * 3
    rest = etree.fromstring(write(reading).musicxml).findall(".//measure")[1].find("note")
    assert rest.find("rest").get("measure") == "yes"
    assert rest.findtext("duration") == "3"


def test_meter_is_inferred_when_none_is_printed() -> None:
    body = "4c\n4d\n4e\n=\n4c\n2d\n=\n2.f"
    written = write(page(kern(body, "**kern\n*clefG2\n*k[]\n")))
    time = etree.fromstring(written.musicxml).find(".//time")
    assert (time.findtext("beats"), time.findtext("beat-type")) == ("3", "4")
    assert time.get("print-object") == "no"


def test_pick_up_bar() -> None:
    root = etree.fromstring(write(page(kern("4g\n=1\n4c\n4d\n2e\n=2\n1f"))).musicxml)
    measures = root.findall(".//measure")
    assert measures[0].get("implicit") == "yes"
    assert [m.get("number") for m in measures] == ["0", "1", "2"]


def test_repeats() -> None:
    body = "1c\n=:|!|:\n1d\n=:|!\n1e"
    root = etree.fromstring(write(page(kern(body))).musicxml)
    repeats = [
        (m.get("number"), r.get("direction"))
        for m in root.iter("measure")
        for r in m.iter("repeat")
    ]
    assert repeats == [("1", "backward"), ("2", "forward"), ("2", "backward")]


def test_a_bar_that_does_not_add_up_moves_no_other() -> None:
    written = write(page(kern("4c\n4d\n4e\n4f\n=\n4c\n4d\n4e\n4f\n4g\n4a\n=\n1g\n=\n1a")))
    assert [d.code for d in written.diagnostics] == ["bar-does-not-add-up"]
    staff = evaluated.staves(written.musicxml)[0]
    assert [len(bar) for bar in staff] == [4, 6, 1, 1]
    assert staff[2] == [(0, 67, 4)]


PIANO = """**kern **kern
*staff2 *staff1
*part1 *part1
*clefF4 *clefG2
*k[] *k[]
*M2/4 *M2/4
4C 8c
. 8e
4G 4g
= =
2C 2e
== ==
*- *-"""


def braced(kern: str) -> Reading:
    """The same, with a brace over the first two staves."""
    reading = page(kern)
    systems = tuple(attrs.evolve(s, braces=(s.staves[:2],)) for s in reading.seen.systems)
    return read(attrs.evolve(reading.seen, systems=systems))


def test_a_brace_makes_one_part_with_two_staves() -> None:
    root = etree.fromstring(write(braced(PIANO)).musicxml)
    assert len(root.findall("part")) == 1
    assert root.findtext(".//staves") == "2"
    assert evaluated.staves(etree.tostring(root)) == [
        [[(0, 60, Fraction(1, 2)), (Fraction(1, 2), 64, Fraction(1, 2)), (1, 67, 1)], [(0, 64, 2)]],
        [[(0, 48, 1), (1, 55, 1)], [(0, 48, 2)]],
    ]


def check(written: Written, reading: Reading) -> None:
    root = etree.fromstring(written.musicxml)
    ids = [node.get("id") for node in root.iter() if node.get("id") and node.tag != "part"]
    assert len(ids) == len(set(ids))
    assert {element.id for element in written.elements} <= set(ids)
    seen = reading.seen
    for element in written.elements:
        box = element.box
        assert 0 <= box.left < box.right <= (seen.width + 20) * seen.scale
        assert 0 <= box.top < box.bottom <= (seen.height + 20) * seen.scale
    notes = {e.id for e in written.elements if e.kind == "note"}
    assert len(notes) == len(root.findall(".//pitch"))


@pytest.mark.parametrize("music", [PIANO, TWO_VOICES], ids=["piano", "voices"])
def test_every_note_has_its_box_and_its_id(music: str) -> None:
    reading = page(music)
    check(write(reading), reading)


@pytest.mark.parametrize(
    "music",
    [PIANO, TWO_VOICES, kern("8qd\n12c\n12d\n12e\n4f#\n[2g\n=:|!\n2g]\n*clefF4\n8C\n8D\n4E")],
    ids=["piano", "voices", "much"],
)
def test_the_document_is_valid(music: str) -> None:
    assert validate(write(page(music)).musicxml) == []


def test_bars_outvote_a_misread_time_signature() -> None:
    seen = page(kern("4c\n4d\n4e\n=\n2.f\n=\n4c\n2d\n=\n4e\n4e\n4g", THREE_FOUR)).seen
    wrong = tuple(attrs.evolve(s, kind="time-2") if s.kind == "time-3" else s for s in seen.symbols)
    bars = read(attrs.evolve(seen, symbols=wrong)).bars
    assert [(bar.meter.beats, bar.meter.beat_type) for bar in bars if bar.meter] == [(3, 4)] * 4
    assert all(bar.fits for bar in bars)


THREE_FOUR = "**kern\n*clefG2\n*k[]\n*M3/4\n"


def test_a_missed_dot_is_found_by_the_bar() -> None:
    seen = page(kern("4e\n4f\n=\n4.c\n8d\n=\n2e", "**kern\n*clefG2\n*k[]\n*M2/4\n")).seen
    symbols = tuple(s for s in seen.symbols if s.kind != "dot")
    assert len(symbols) < len(seen.symbols)
    notes = evaluated.staves(write(read(attrs.evolve(seen, symbols=symbols))).musicxml)
    assert notes[0][1] == [(0, 60, 1.5), (1.5, 62, 0.5)]


def test_a_doubtful_mark_that_is_no_note_is_left_out() -> None:
    seen = page(kern("4c\n4d\n4e\n4f\n=\n1c")).seen
    false = attrs.evolve(
        next(s for s in seen.symbols if s.kind == "head-black"),
        kind="rest-quarter",
        confidence=0.35,
    )
    moved = attrs.evolve(false, left=false.left + 19, right=false.right + 17)
    bars = read(attrs.evolve(seen, symbols=(*seen.symbols, moved))).bars
    assert bars[0].fits
    assert [event.rest for event in bars[0].events] == [None] * 4


def test_a_tied_pair_is_written_as_one() -> None:
    root = etree.fromstring(write(page(kern("2.c\n[4e\n=\n4e]\n2.d"))).musicxml)
    ties = [
        (t.get("type"), n.findtext("pitch/step")) for n in root.iter("note") for t in n.iter("tie")
    ]
    assert ties == [("start", "E"), ("stop", "E")]
    assert [t.get("type") for t in root.iter("tied")] == ["start", "stop"]


def test_a_page_whose_budget_is_spent_still_reads_every_bar() -> None:
    crowded = "\n".join(["8c", "16d", "16e", "4f"] * 9)
    bar = page(kern(crowded)).bars[0]
    budget = Budget(0)
    found = solve(bar, 5, page=budget)  # a meter that nothing fits
    assert len(found.placed) == len(bar.events) == 36
    assert not found.fits
    assert budget.left > -3 * LEAST_STATES


def test_what_looks_like_a_percussion_clef_in_mid_staff_moves_no_note() -> None:
    reading = page(kern("4c\n4d\n4e\n4f\n=\n4g\n4a\n4b\n4cc"))
    seen, x = reading.seen, reading.bars[0].right - 20
    staff = seen.staves[0]
    sign = Symbol("clef-percussion", x, staff.y(6, x), x + 12, staff.y(2, x), 0.4)
    fooled = read(attrs.evolve(seen, symbols=(*seen.symbols, sign)))
    assert evaluated.staves(write(fooled).musicxml) == evaluated.staves(write(reading).musicxml)
