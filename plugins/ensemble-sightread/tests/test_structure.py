"""The skeleton of a page: seen against what Verovio says it engraved, and on drawn pages."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from ensemble_sightread.beams import find_beams, gaps_of
from ensemble_sightread.glyphs import look
from ensemble_sightread.normalise import normalise
from ensemble_sightread.structure import analyse, structure
from ensemble_sightread.symbols import Barline, Seen, Stem

from ensemble_core.model import RecognitionError

verovio = pytest.importorskip("verovio")
resvg = pytest.importorskip("resvg_py")

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

import truth  # noqa: E402

PIANO = """**kern\t**kern
*staff2\t*staff1
*clefF4\t*clefG2
*k[b-]\t*k[b-]
*M4/4\t*M4/4
=1\t=1
2FF 2F\t8cc\\L
.\t8dd\\
.\t8ee\\
.\t8ff\\J
4F\t16ee\\LL
.\t16dd\\
.\t16cc\\
.\t16b-\\JJ
8C/L\t4a
8D/J\t.
=2\t=2
1E\t2g/
.\t[2cc
=3||\t=3||
4F\t8.cc\\L]
.\t16dd\\Jk
4A\t4ee
4c\t2ff
4F\t.
=4:|!\t=4:|!
1FF\t1f
==\t==
*-\t*-
"""
LINE = """**kern
*clefG2
*k[]
*M4/4
=1
4e
4f
4g
4a
=2
2f/
2e/
=3
8e/L
8f/
8g/
8a/J
4c/
4e
=4
1g
==
*-
"""


@cache
def drawing(kern: str) -> str:
    kit = verovio.toolkit()
    kit.setOptions({"pageWidth": 1600, "pageHeight": 900, "scale": 50, "footer": "none"})
    assert kit.loadData(kern)
    return str(kit.renderToSVG(1))


def picture(kern: str) -> np.ndarray:
    png = resvg.svg_to_bytes(svg_string=drawing(kern), background="#ffffff", width=1900)
    return cv2.imdecode(np.frombuffer(bytes(png), np.uint8), cv2.IMREAD_GRAYSCALE)


@cache
def engraved(kern: str, degrees: float = 0.0) -> tuple[Seen, Seen]:
    """The page as it is, and as it was seen."""
    svg, gray = drawing(kern), picture(kern)
    if degrees:
        size = (gray.shape[1], gray.shape[0])
        turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), degrees, 1.0)
        gray = cv2.warpAffine(gray, turn, size, borderValue=255, flags=cv2.INTER_CUBIC)
    return truth.seen(svg), structure(gray)


def summary(seen: Seen) -> list[tuple[int, list[tuple[str, str]]]]:
    """Staves and bar lines of each system."""
    return [(len(s.staves), [(b.style, b.repeat) for b in s.barlines]) for s in seen.systems]


@pytest.mark.parametrize("kern", [PIANO, LINE], ids=["piano", "line"])
@pytest.mark.parametrize("degrees", [0.0, 1.0, -2.0, 3.0])
def test_staves_systems_and_barlines_are_those_engraved(kern: str, degrees: float) -> None:
    _, seen = engraved(kern, degrees)
    bars = {
        PIANO: [("single", ""), ("double", ""), ("final", "backward"), ("final", "")],
        LINE: [("single", ""), ("single", ""), ("single", ""), ("final", "")],
    }
    assert summary(seen) == [({PIANO: 2, LINE: 1}[kern], bars[kern])]


def test_staves_lie_on_their_lines() -> None:
    real, seen = engraved(PIANO)
    factor = (seen.staves[0].right - seen.staves[0].left) / (
        real.staves[0].right - real.staves[0].left
    )
    for mine, theirs in zip(seen.staves, real.staves, strict=True):
        shift = seen.staves[0].y(0, 300) - real.staves[0].y(0, 300 / factor) * factor
        assert mine.left == pytest.approx(theirs.left * factor, abs=2)
        for x in (mine.left + 5, 300.0, mine.right - 5):
            for step in (0, 4, 8):
                assert mine.y(step, x) == pytest.approx(
                    theirs.y(step, x / factor) * factor + shift, abs=0.7
                )


@pytest.mark.parametrize("kern", [PIANO, LINE], ids=["piano", "line"])
@pytest.mark.parametrize("degrees", [0.0, 1.0])
def test_every_stem_and_beam_is_seen(kern: str, degrees: float) -> None:
    real, seen = engraved(kern, degrees)
    assert len(seen.stems) == len(real.stems)
    # Verovio draws inner beams in pieces; where they lie side by side one is seen.
    lengths = sorted(round(b.x2 - b.x1) for b in seen.beams)
    assert len(lengths) == {PIANO: 6, LINE: 1}[kern]


def test_beams_that_touch_at_a_place_are_two() -> None:
    ink = np.zeros((200, 300), np.uint8)
    for x, top in ((50, 40), (150, 55), (250, 70)):
        ink[top : top + 90, x - 1 : x + 1] = 1
    for y in (40, 53):
        corners = np.array([[50, y], [250, y + 30], [250, y + 39], [50, y + 9]])
        cv2.fillPoly(ink, [corners], 1)
    ink[61:64, 105:145] = 1
    stems = [Stem(x / 2, top / 2, top / 2 + 45) for x, top in ((50, 40), (150, 55), (250, 70))]
    assert [round(beam.thickness) for beam in find_beams(ink, gaps_of(255 * (1 - ink)), stems)] == [
        5,
        5,
    ]


def test_beams_whose_gap_a_scan_has_filled_with_gray_are_two() -> None:
    page = drawn()
    places = [400, 440, 480, 520]
    for x in places:
        top = 150 - (x - 400) // 3
        page[top : top + 130, x : x + 3] = 0
        cv2.ellipse(page, (x - 11, top + 128), (12, 9), -20, 0, 360, 0, -1)
    for lower in (0, 15):
        corners = np.array([[400, 150], [522, 109], [522, 119], [400, 160]])
        cv2.fillPoly(page, [corners + np.array([0, lower])], 0)
    worn = cv2.GaussianBlur(page, (0, 0), 2.6)
    assert worn[132, 461] < 120  # between the beams: ink, to a threshold
    beams = [beam for beam in structure(worn).beams if beam.x2 - beam.x1 > 50]
    assert len(beams) == 2
    assert beams[1].y1 - beams[0].y1 == pytest.approx(7.5, abs=1.5)


def test_a_hook_is_short_and_beside_its_beam() -> None:
    _, seen = engraved(PIANO)
    shortest = min(seen.beams, key=lambda beam: beam.x2 - beam.x1)
    assert 5 < shortest.x2 - shortest.x1 < 20


def test_two_staves_under_a_brace() -> None:
    _, seen = engraved(PIANO)
    assert [system.braces for system in seen.systems] == [((0, 1),)]


def test_small_and_large_pages_come_out_alike() -> None:
    kit = verovio.toolkit()
    kit.setOptions({"pageWidth": 1600, "pageHeight": 900, "scale": 50, "footer": "none"})
    kit.loadData(LINE)
    svg = kit.renderToSVG(1)
    for width in (800, 1500, 3500):
        png = resvg.svg_to_bytes(svg_string=svg, background="#ffffff", width=width)
        gray = cv2.imdecode(np.frombuffer(bytes(png), np.uint8), cv2.IMREAD_GRAYSCALE)
        seen = structure(gray)
        assert [len(s.barlines) for s in seen.systems] == [4], width
        assert seen.width * seen.scale == pytest.approx(width, abs=2)


def drawn(lines: int = 5, thickness: int = 2, space: int = 20) -> np.ndarray:
    page = np.full((500, 1200), 255, np.uint8)
    for line in range(lines):
        top = 200 + line * space
        page[top : top + thickness, 100:1100] = 0
    return page


@pytest.mark.parametrize("space", [8, 12, 30, 50])
@pytest.mark.parametrize("thickness", [1, 2, 4])
def test_the_staff_space_is_measured(space: int, thickness: int) -> None:
    if thickness * 3 > space:
        pytest.skip("no staff is that black")
    seen = structure(drawn(space=space, thickness=thickness))
    assert seen.scale * 10 == pytest.approx(space, rel=0.03)
    assert len(seen.staves) == 1


def test_white_on_black_and_gray_paper() -> None:
    page = drawn()
    light = np.linspace(0.45, 1.0, page.shape[1])[None, :]
    for picture in (255 - page, (page * light).astype(np.uint8), (page // 2 + 60).astype(np.uint8)):
        assert len(structure(picture).staves) == 1


@pytest.mark.parametrize("wide", [3, 7])
def test_only_what_is_thicker_than_the_other_bar_lines_ends_a_piece(wide: int) -> None:
    page = drawn()  # in a photo all of them may be as thick as 7 pixels are
    for x in (300, 500, 700, 900, 1100 - 10 - 18 - wide):
        page[200:282, x : x + wide] = 0
    page[200:282, 1082:1100] = 0
    styles = [bar.style for bar in structure(page).systems[0].barlines]
    assert styles == ["single"] * 4 + ["final"]


def test_a_staff_alone_is_a_system_without_bars() -> None:
    seen = structure(drawn())
    assert seen.systems[0].staves == (0,)
    assert seen.systems[0].barlines == ()


def test_a_stem_as_high_as_the_staff_is_no_barline() -> None:
    page = drawn()
    page[200:282, 500:503] = 0
    cv2.ellipse(page, (488, 280), (13, 9), -20, 0, 360, 0, -1)
    page[200:282, 800:803] = 0
    bars = structure(page).systems[0].barlines
    assert [type(bar) for bar in bars] == [Barline]
    assert bars[0].x * 2 == pytest.approx(801, abs=2)


def test_stems_that_a_photo_has_thickened_are_stems() -> None:
    page = drawn()
    for x in (500, 700):
        page[210:290, x : x + 8] = 0
        cv2.ellipse(page, (x - 9, 288), (13, 10), -20, 0, 360, 0, -1)
    seen = seen_with(page, "stem", [np.s_[52:73, x : x + 1] for x in (125, 175)])
    assert [stem.x * 2 for stem in seen.stems] == pytest.approx([503.5, 703.5], abs=2)


def test_two_staves_side_by_side_are_two_systems() -> None:
    page = drawn()
    page[:, 560:680] = 255
    seen = structure(page)
    assert [system.staves for system in seen.systems] == [(0,), (1,)]
    assert seen.staves[0].right < seen.staves[1].left


def test_a_staff_seen_late_behind_its_c_clef_belongs_to_its_system() -> None:
    page = drawn()
    tall = np.concatenate([page, page, page])
    begin = int(np.flatnonzero((page < 128).any(axis=0))[0])
    high = page.shape[0]
    tall[high : 2 * high, begin : begin + 45] = 255
    tall[200 : 2 * high + 282, begin : begin + 3] = 0
    assert [system.staves for system in structure(tall).systems] == [(0, 1, 2)]


@pytest.mark.parametrize(
    "page",
    [
        np.full((400, 400), 255, np.uint8),
        np.zeros((300, 300), np.uint8),
        np.full((1, 1), 255, np.uint8),
        np.random.default_rng(7).integers(0, 255, (500, 500)).astype(np.uint8),
        drawn(lines=1),
    ],
    ids=["white", "black", "one pixel", "noise", "one line"],
)
def test_no_staff_is_said_in_one_line(page: np.ndarray) -> None:
    with pytest.raises(RecognitionError, match="no staff"):
        structure(page)


def test_ties_and_slurs_bow_to_the_right_side() -> None:
    page = drawn()
    x = np.arange(300, 421)
    for center, bow in ((340, 1), (160, -1)):
        for thickness in (-1, 0, 1, 2):
            y = center + bow * 18 * (1 - ((x - 360) / 60) ** 2) + thickness
            page[np.rint(y).astype(int), x] = 0
    curves = structure(page).curves
    assert [curve.up for curve in sorted(curves, key=lambda curve: curve.y1)] == [True, False]
    for curve in curves:
        assert (curve.x1 * 2, curve.x2 * 2) == (
            pytest.approx(300, abs=4),
            pytest.approx(420, abs=4),
        )


def test_a_half_note_has_a_stem_and_an_accidental_has_none() -> None:
    kit = verovio.toolkit()
    kit.setOptions({"pageWidth": 1600, "pageHeight": 900, "scale": 50, "footer": "none"})
    kit.loadData("**kern\n*clefG2\n*k[]\n*M4/4\n=1\n2g#\n2b-\n=2\n2ccn\n2dd#\n=3\n1f#\n==\n*-\n")
    png = resvg.svg_to_bytes(svg_string=kit.renderToSVG(1), background="#ffffff", width=1900)
    gray = cv2.imdecode(np.frombuffer(bytes(png), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert len(structure(gray).stems) == 4


def seen_with(page: np.ndarray, name: str, lines: list[tuple[slice, slice]]) -> Seen:
    """What is seen when the net is sure of straight lines, given in pixels of its mask."""
    normal = normalise(page)
    mask = np.zeros([-(-side // 2) for side in normal.image.shape], np.uint8)
    for line in lines:
        mask[line] = 255
    return analyse(normal, {name: mask}).complete()


def test_a_broken_bar_line_is_drawn_again_where_the_net_sees_one() -> None:
    page = drawn()
    page[200:220, 800:803] = 0
    page[262:282, 800:803] = 0
    assert structure(page).systems[0].barlines == ()
    (bar,) = seen_with(page, "barline", [np.s_[50:71, 200:201]]).systems[0].barlines
    assert bar.x * 2 == pytest.approx(801, abs=3)
    assert bar.style == "single"


def test_a_staff_whose_lines_are_lost_for_a_while_is_one_staff() -> None:
    page = drawn()
    page[:, 560:680] = 255
    assert len(structure(page).staves) == 2
    line = seen_with(page, "staff", [np.s_[y : y + 1, 25:275] for y in range(50, 71, 5)])
    assert len(line.staves) == 1
    assert line.staves[0].right - line.staves[0].left == pytest.approx(500, abs=4)


@pytest.mark.parametrize("shear", [-0.06, 0.06])
def test_bar_lines_may_lean_where_staves_lie_level_as_in_a_photo(shear: float) -> None:
    gray = picture(PIANO)
    size = (gray.shape[1], gray.shape[0])
    lean = np.array([[1, shear, -shear * 400], [0, 1, 0]], np.float32)
    normal = normalise(cv2.warpAffine(gray, lean, size, borderValue=255, flags=cv2.INTER_CUBIC))
    seen = analyse(normal, look(normal.image).masks).complete()
    assert summary(seen) == summary(engraved(PIANO)[1])


def test_the_net_tells_a_bar_line_with_a_bow_at_it_from_a_stem_without_its_head() -> None:
    page = drawn()
    page[200:282, 500:503] = 0
    page[200:282, 800:803] = 0
    page[224:240, 803:830] = 0  # what hangs on the second stroke
    clean = structure(page).systems[0].barlines
    assert [bar.x * 2 for bar in clean] == [pytest.approx(501, abs=3)]
    bars = seen_with(page, "barline", [np.s_[50:71, 200:201]]).systems[0].barlines
    assert [bar.x * 2 for bar in bars] == [pytest.approx(801, abs=3)]
