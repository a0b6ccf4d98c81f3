"""Rests of several bars: found on engraved pages, read, and counted out."""

from __future__ import annotations

import attrs
import cv2
import numpy as np
import pytest
from ensemble_sightread.meaning import read
from ensemble_sightread.musicxml import Written, write
from ensemble_sightread.options import SightreadOptions
from ensemble_sightread.reader import read_page, see
from ensemble_sightread.symbols import MultiRest
from lxml import etree

from ensemble_core.musicxml.schema import validate

verovio = pytest.importorskip("verovio")
resvg = pytest.importorskip("resvg_py")

MEASURE = "<measure number='{n}'>{start}{notes}</measure>"
START = (
    "<attributes><divisions>1</divisions><key><fifths>2</fifths></key><time><beats>3</beats>"
    "<beat-type>4</beat-type></time><clef><sign>G</sign><line>2</line></clef></attributes>"
)
LONG = "<attributes><measure-style><multiple-rest>{}</multiple-rest></measure-style></attributes>"
NOTE = (
    "<note><pitch><step>{step}</step><octave>5</octave></pitch><duration>1</duration>"
    "<voice>1</voice><type>quarter</type></note>"
)
REST = "<note><rest measure='yes'/><duration>3</duration><voice>1</voice></note>"


def part(*rests: int) -> str:
    """Two bars of notes, then rests of several bars, with two bars of notes after each."""
    bars = [(START, "GAB"), ("", "GAB")]
    for count in rests:
        bars += [(LONG.format(count), ""), *[("", "")] * (count - 1), ("", "CED"), ("", "CED")]
    measures = "".join(
        MEASURE.format(n=n, start=start, notes="".join(NOTE.format(step=s) for s in notes) or REST)
        for n, (start, notes) in enumerate(bars, 1)
    )
    return f"<part id='P1'>{measures}</part>"


def picture(*parts: str, **options: object) -> np.ndarray:
    """A page of parts, engraved."""
    names = "".join(
        f"<score-part id='P{n}'><part-name/></score-part>" for n in range(1, len(parts) + 1)
    )
    music = "".join(one.replace("'P1'", f"'P{n}'") for n, one in enumerate(parts, 1))
    kit = verovio.toolkit()
    kit.setOptions({"pageWidth": 1600, "pageHeight": 900, "scale": 50, "footer": "none"} | options)
    assert kit.loadData(
        f"<score-partwise version='4.0'><part-list>{names}</part-list>{music}</score-partwise>"
    )
    png = resvg.svg_to_bytes(svg_string=kit.renderToSVG(1), background="#ffffff", width=1900)
    return cv2.imdecode(np.frombuffer(bytes(png), np.uint8), cv2.IMREAD_GRAYSCALE)


def signs(gray: np.ndarray) -> list[int]:
    return [rest.bars for rest in see(gray, SightreadOptions())[0].multirests]


def written(gray: np.ndarray) -> Written:
    return write(read_page(gray, SightreadOptions()))


@pytest.mark.parametrize("font", ["Leipzig", "Leland"])
def test_thick_bars_and_their_numbers_are_read(font: str) -> None:
    gray = picture(part(2, 7, 15, 40), font=font, multiRestStyle="block")
    assert signs(gray) == [2, 7, 15, 40]


def test_old_signs_are_read() -> None:
    assert signs(picture(part(2, 3, 6), multiRestStyle="symbols")) == [2, 3, 6]


def test_every_bar_of_a_long_rest_is_written() -> None:
    found = written(picture(part(7), multiRestStyle="block"))
    assert validate(found.musicxml) == []
    measures = etree.fromstring(found.musicxml).findall("part/measure")
    assert [m.get("number") for m in measures] == [str(n) for n in range(1, 12)]
    rests = [bool(m.findall("note/rest[@measure='yes']")) for m in measures]
    assert rests == [False] * 2 + [True] * 7 + [False] * 2
    styles = [m.findtext("attributes/measure-style/multiple-rest") for m in measures]
    assert styles == [None, None, "7", *[None] * 8]
    assert not any(d.code == "rest-not-counted" for d in found.diagnostics)


def test_all_staves_of_a_system_rest() -> None:
    assert signs(picture(part(5), part(5), multiRestStyle="block")) == [5]


def test_rests_and_beams_are_no_long_rests() -> None:
    beams = "<beam number='1'>{}</beam></note>"
    eighth = NOTE.replace("quarter", "eighth").replace("<duration>1<", "<duration>.5<")
    beamed = "".join(
        eighth.format(step=step).replace("</note>", beams.format(kind))
        for step, kind in zip("CCCCCC", ["begin", *["continue"] * 4, "end"], strict=True)
    )
    bars = [START.replace("2</fifths>", "0</fifths>") + beamed, REST, beamed, REST, REST]
    music = "".join(MEASURE.format(n=n, start="", notes=b) for n, b in enumerate(bars, 1))
    assert signs(picture(f"<part id='P1'>{music}</part>")) == []


def test_a_number_that_cannot_be_read_is_told() -> None:
    gray = picture(part(7), multiRestStyle="block")
    seen, arcs, ledgers = see(gray, SightreadOptions())
    (sign,) = seen.multirests
    staff = seen.staves[0]
    middle = (sign.left + sign.right) / 2 * seen.scale
    top, reach = staff.y(9, middle / seen.scale) * seen.scale, 30 * seen.scale
    gray[: int(top), int(middle - reach) : int(middle + reach)] = 255
    seen, arcs, ledgers = see(gray, SightreadOptions())
    assert [rest.bars for rest in seen.multirests] == [0]
    found = write(read(seen, None, ledgers, arcs))
    assert [d.code for d in found.diagnostics] == ["rest-not-counted"]
    assert len(etree.fromstring(found.musicxml).findall("part/measure")) == 5


def test_a_sign_among_notes_is_none() -> None:
    gray = picture(part(7), multiRestStyle="block")
    seen, arcs, ledgers = see(gray, SightreadOptions())
    (sign,) = seen.multirests
    line = seen.systems[0].barlines[0].x
    moved = MultiRest(0, line - 60, line - 50, 7)
    reading = read(attrs.evolve(seen, multirests=(moved,)), None, ledgers, arcs)
    assert sum(len(bar.events) > 1 for bar in reading.bars) == 4
    assert sign.bars == 7
