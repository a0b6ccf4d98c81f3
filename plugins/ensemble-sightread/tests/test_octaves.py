"""Octave lines: found by sign and dashes, and the notes along them sound where they do."""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
import cv2
import numpy as np
import pytest
from lxml import etree

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ensemble_sightread.dashes import find_dashes
from ensemble_sightread.meaning import Reading, read
from ensemble_sightread.musicxml import write
from ensemble_sightread.normalise import Normalised
from ensemble_sightread.octaves import find_octaves
from ensemble_sightread.options import SightreadOptions
from ensemble_sightread.reader import see
from ensemble_sightread.symbols import SPACE, Octave, Seen, Staff, Symbol, System
from test_meaning import kern, page, verovio

from ensemble_core.musicxml.schema import validate

FOUR = kern("4c\n4d\n4e\n4f\n=\n4g\n4a\n4b\n4cc\n=\n1c")


def line(reading: Reading, first: tuple[int, int], last: tuple[int, int], **how: object) -> Octave:
    """A line from one chord (bar, number) to another."""
    a, b = (reading.bars[bar].events[number] for bar, number in (first, last))
    sign = Symbol("ottava", a.middle - 5, 20, a.middle + 5, 34)
    return attrs.evolve(Octave(0, sign, b.right + 3, 27), **how)


def octaves(seen: Seen) -> str:
    """Octaves of the notes, with the lines around them."""
    written = write(read(seen)).musicxml
    assert not list(validate(written))
    said = []
    for node in etree.fromstring(written).iter("octave", "octave-shift"):
        said.append(node.text or f"<{node.get('type')}{node.get('size')}>")
    return " ".join(said)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, "4 4 <down8> 5 5 5 <stop8> 4 4 5 4"),
        ({"size": 15}, "4 4 <down15> 6 6 6 <stop15> 4 4 5 4"),
        ({"above": False}, "4 4 <up8> 3 3 3 <stop8> 4 4 5 4"),
    ],
)
def test_notes_along_a_line_sound_octaves_away(how: dict[str, object], said: str) -> None:
    reading = page(FOUR)
    seen = attrs.evolve(reading.seen, octaves=(line(reading, (0, 2), (1, 0), **how),))
    assert octaves(seen) == said


def test_a_line_beyond_what_sounds_is_none() -> None:
    reading = page(kern("4cccc\n4cccc\n4cccc\n4cccc"))
    high = line(reading, (0, 0), (0, 3), size=22)
    assert octaves(attrs.evolve(reading.seen, octaves=(high,))) == "7 7 7 7"


def drawn(dash: int, gap: int, hook: int) -> tuple[np.ndarray, np.ndarray, Seen]:
    """A row of dashes from 300 to 500 at 130 above a staff, what a net sees of it, the staff."""
    staff = Staff(np.array([50.0, 950.0]), np.array([200.0, 200.0]), np.full(2, SPACE))
    ink, sure = np.zeros((800, 2000), np.uint8), np.zeros((200, 500), np.uint8)
    for x in range(600, 1000, dash + gap):
        ink[259:262, x : x + dash] = 1
    if hook:
        cv2.line(ink, (1000, 260), (1000, 260 + 18 * hook), 1, 3)
    sure[65, 150:250] = 200
    return ink, sure, Seen(1000, 400, 1.0, (staff,), (System((0,)),))


@pytest.mark.parametrize("hook", [1, 0, -1])
@pytest.mark.parametrize(("dash", "gap"), [(8, 12), (6, 6), (10, 2)])
def test_dashes_are_followed_to_their_hook(dash: int, gap: int, hook: int) -> None:
    (row,) = find_dashes(*drawn(dash, gap, hook))
    assert (row.staff, row.above, row.hook, row.solid) == (0, True, hook, False)
    assert (row.x1, row.x2, row.y1) == pytest.approx((300, 500, 130), abs=7)


MEASURE = (
    "<measure number='{n}'>{start}<note><pitch><step>E</step><octave>6</octave></pitch>"
    "<duration>2</duration><type>half</type></note><note><pitch><step>G</step><octave>6</octave>"
    "</pitch><duration>2</duration><type>half</type></note>{stop}</measure>"
)
SHIFT = "<direction><direction-type><octave-shift type='{}' size='8'/></direction-type></direction>"
START = (
    "<attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time>"
    "<clef><sign>G</sign><line>2</line></clef></attributes>"
)


def test_an_engraved_line_is_read() -> None:
    resvg = pytest.importorskip("resvg_py")
    bars = "".join(
        MEASURE.format(
            n=n,
            start=(START if n == 1 else "") + (SHIFT.format("down") if n == 2 else ""),
            stop=SHIFT.format("stop") if n == 3 else "",
        )
        for n in range(1, 5)
    )
    kit = verovio.toolkit()
    kit.setOptions({"pageWidth": 1600, "pageHeight": 900, "scale": 50, "footer": "none"})
    assert kit.loadData(
        "<score-partwise version='4.0'><part-list><score-part id='P1'><part-name/></score-part>"
        f"</part-list><part id='P1'>{bars}</part></score-partwise>"
    )
    png = resvg.svg_to_bytes(svg_string=kit.renderToSVG(1), background="#ffffff", width=1900)
    gray = cv2.imdecode(np.frombuffer(bytes(png), np.uint8), cv2.IMREAD_GRAYSCALE)
    seen = see(gray, SightreadOptions())[0]
    assert octaves(seen) == "6 6 <down8> 6 6 6 6 <stop8> 6 6"


def test_the_number_of_a_bar_is_no_octave_sign() -> None:
    """An eight at the beginning of a system, with a dashed line beside it."""
    ink, sure, seen = drawn(8, 12, 1)
    moved = attrs.evolve(seen.staves[0], xs=np.array([280.0, 950.0]))
    seen = attrs.evolve(seen, staves=(moved,), symbols=(Symbol("tuplet-8", 285, 122, 295, 138),))
    cv2.rectangle(ink, (572, 246), (588, 276), 1, 3)
    paper = np.full((400, 1000), 255, np.uint8)
    fine = np.asarray(255 * (1 - ink), np.uint8)
    assert find_octaves(Normalised(paper, fine, ink, 1.0, SPACE, 2.0), ink, sure, seen) == ()
    farther = attrs.evolve(seen, staves=(attrs.evolve(moved, xs=np.array([50.0, 950.0])),))
    found = find_octaves(Normalised(paper, fine, ink, 1.0, SPACE, 2.0), ink, sure, farther)
    assert [(o.above, o.hooked) for o in found] == [(True, True)]
