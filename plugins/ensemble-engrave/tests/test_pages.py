"""SVG, PDF, PNG and MEI hold the music, whole, and say the same each time."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ensemble_engrave.exporters import MeiExporter, PdfExporter, PngExporter, SvgExporter
from ensemble_engrave.options import MeiOptions, PdfOptions, PngOptions, SvgOptions
from lxml import etree
from PIL import Image

from ensemble_core.model import Context, ContractError, LimitExceeded, Limits, Score
from ensemble_core.musicxml import parse

SVG = "{http://www.w3.org/2000/svg}"
MEI = "{http://www.music-encoding.org/ns/mei}"


def long_score(score: Score, times: int) -> Score:
    """The first part's measures again and again, without ids."""
    root = parse(score.musicxml)
    part = root.find("part")
    measures = list(part)
    for measure in [one for one in measures for _ in range(times - 1)]:
        part.append(etree.fromstring(etree.tostring(measure)))
    for element in root.iter():
        element.attrib.pop("id", None) if element.tag in ("note", "measure") else None
    return Score(etree.tostring(root))


def drawn(svg: Path, kind: str) -> list[str]:
    tree = etree.parse(svg)
    return [g.get("id") for g in tree.iter(f"{SVG}g") if kind in (g.get("class") or "").split()]


def test_each_note_and_rest_is_drawn_once_under_its_own_id(
    brahms: Score, ctx: Context, said: list[Any]
) -> None:
    (page,) = SvgExporter().export(brahms, ctx)
    notes = list(parse(brahms.musicxml).iter("note"))
    sounding = Counter(note.get("id") for note in notes if note.find("rest") is None)
    assert len(sounding) == 331
    assert Counter(drawn(page.path, "note")) == sounding
    measures = [measure.get("id") for measure in parse(brahms.musicxml).iter("measure")]
    assert drawn(page.path, "measure") == measures
    assert page.suffix == ".svg"
    assert [one["type"] for one in said] == ["progress"]  # nothing to complain about


def test_what_has_no_id_gets_one(tied: Score, ctx: Context) -> None:
    nameless = Score(re.sub(rb'(<note) id="\w+"', rb"\1", tied.musicxml))
    (page,) = SvgExporter().export(nameless, ctx)
    assert drawn(page.path, "note") == ["n0", "n1", "n2"]
    assert drawn(page.path, "measure") == ["m0", "m1"]


def test_several_pages_are_numbered(brahms: Score, ctx: Context) -> None:
    pages = SvgExporter().export(long_score(brahms, 3), ctx)
    assert [page.suffix for page in pages] == [f"-{n}.svg" for n in range(1, len(pages) + 1)]
    assert len(pages) >= 3
    notes = sum(len(drawn(page.path, "note")) for page in pages)
    assert notes == 3 * 331


def test_the_page_is_as_large_as_asked(brahms: Score, ctx: Context) -> None:
    (page,) = SvgExporter(SvgOptions(paper="a3", landscape=True)).export(brahms, ctx)
    root = etree.parse(page.path).getroot()
    assert (root.get("width"), root.get("height")) == ("420mm", "297mm")
    (cut,) = SvgExporter(SvgOptions(crop=True, staff_height=5.0)).export(brahms, ctx)
    assert float(etree.parse(cut.path).getroot().get("height")[:-2]) < 250


def test_systems_end_where_the_score_says(tied: Score, ctx: Context) -> None:
    broken = tied.musicxml.replace(
        b'<measure number="2">', b'<measure number="2"><print new-system="yes"/>'
    )
    for options, systems in (({}, 2), ({"breaks": "fit"}, 1), ({"breaks": "encoded"}, 2)):
        (page,) = SvgExporter(SvgOptions(**options)).export(Score(broken), ctx)
        assert len(drawn(page.path, "system")) == systems, options


def test_the_text_font_can_be_embedded(tied: Score, ctx: Context) -> None:
    (plain,) = SvgExporter().export(tied, ctx)
    assert b"@font-face" not in plain.path.read_bytes()
    (rich,) = SvgExporter(SvgOptions(embed_text_font=True)).export(tied, ctx)
    assert b"@font-face" in rich.path.read_bytes()


def test_the_pdf_has_all_pages_and_its_words_can_be_searched(brahms: Score, ctx: Context) -> None:
    import pypdfium2 as pdfium

    (file,) = PdfExporter().export(brahms, ctx)
    with pdfium.PdfDocument(file.path) as document:
        assert len(document) == 1
        assert document[0].get_size() == pytest.approx((595.28, 841.89), abs=0.5)
        words = document[0].get_textpage().get_text_range()
        assert document.get_metadata_dict()["Title"] == "Volkslied"
    assert "Johannes Brahms" in words
    assert "cresc." in words
    many = PdfExporter(PdfOptions(paper="letter", landscape=True)).export(
        long_score(brahms, 3), ctx
    )
    with pdfium.PdfDocument(many[0].path) as document:
        assert len(document) > 3
        assert document[2].get_size() == pytest.approx((792, 612), abs=0.5)


def test_png_has_the_resolution_and_the_ink(brahms: Score, ctx: Context) -> None:
    (page,) = PngExporter(PngOptions(dpi=100)).export(brahms, ctx)
    with Image.open(page.path) as picture:
        assert picture.size == pytest.approx((827, 1169), abs=1)
        assert picture.info["dpi"] == pytest.approx((100, 100), abs=0.1)
        dark = sum(picture.convert("L").histogram()[:128])
    assert 0.02 < dark / (827 * 1169) < 0.15
    assert not list(ctx.workspace.glob("*.pdf"))
    (clear,) = PngExporter(PngOptions(dpi=50, transparent=True)).export(brahms, ctx)
    with Image.open(clear.path) as picture:
        assert picture.mode == "RGBA"
        assert picture.getpixel((2, 2))[3] == 0


def test_a_png_too_large_is_refused(brahms: Score, tmp_path: Path) -> None:
    small = Context(workspace=tmp_path, limits=Limits(max_pixels=100_000))
    with pytest.raises(LimitExceeded, match="827 × 11"):
        PngExporter(PngOptions(dpi=100)).export(brahms, small)


def test_mei_has_every_note_and_its_pitch(brahms: Score, ctx: Context) -> None:
    (file,) = MeiExporter().export(brahms, ctx)
    found = Counter(
        (note.get("pname"), note.get("oct")) for note in etree.parse(file.path).iter(f"{MEI}note")
    )
    wanted = Counter(
        (note.findtext("pitch/step", "").lower(), note.findtext("pitch/octave"))
        for note in parse(brahms.musicxml).iter("note")
        if note.find("pitch") is not None
    )
    assert found == wanted
    (basic,) = MeiExporter(MeiOptions(basic=True)).export(brahms, ctx)
    assert etree.parse(basic.path).getroot().tag == f"{MEI}mei"


def test_words_beyond_latin_are_written(ctx: Context, tied: Score) -> None:
    import pypdfium2 as pdfium

    words = (
        "<direction><direction-type><words>Życzenie Доля λύρα</words></direction-type></direction>"
    )
    text = tied.musicxml.replace(b"<sound tempo='60'/>", words.encode())
    (file,) = PdfExporter().export(Score(text), ctx)
    with pdfium.PdfDocument(file.path) as document:
        assert "Życzenie Доля λύρα" in document[0].get_textpage().get_text_range()


@pytest.mark.parametrize("colour", ["#D00000", "#80D00000"])
def test_coloured_notes_keep_their_colour(tied: Score, ctx: Context, colour: str) -> None:
    text = tied.musicxml.replace(b'<note id="c">', f'<note id="c" color="{colour}">'.encode())
    (page,) = PngExporter().export(Score(text), ctx)
    with Image.open(page.path) as picture:
        assert picture.mode == "RGB"
        assert (208, 0, 0) in {found for _, found in picture.getcolors(100_000)}


def test_what_is_no_colour_is_black(tied: Score, ctx: Context) -> None:
    text = tied.musicxml.replace(b'<note id="c">', b'<note id="c" color="sky-blue-pink">')
    (page,) = PngExporter().export(Score(text), ctx)
    with Image.open(page.path) as picture:
        assert picture.mode == "L"


@pytest.mark.parametrize("exporter", [SvgExporter, PdfExporter, PngExporter, MeiExporter])
@pytest.mark.parametrize("bad", [b"", b"nothing", b"<html/>", b"<score-partwise><part-list/>"])
def test_what_is_no_score_is_a_typed_error(exporter: Any, bad: bytes, ctx: Context) -> None:
    with pytest.raises(ContractError):
        exporter().export(Score(bad), ctx)
    assert not list(ctx.workspace.iterdir())


def test_nothing_is_printed(tied: Score, ctx: Context, capfd: pytest.CaptureFixture[str]) -> None:
    # An octave shift that never began makes Verovio complain.
    shift = b'<direction><direction-type><octave-shift type="stop"/></direction-type></direction>'
    odd = tied.musicxml.replace(b"<sound tempo='60'/>", shift)
    for exporter in (SvgExporter, PdfExporter, PngExporter, MeiExporter):
        exporter().export(Score(odd), ctx)
    assert capfd.readouterr() == ("", "")


def test_another_process_writes_the_same_bytes(brahms: Score, ctx: Context) -> None:
    source = ctx.workspace / "in.musicxml"
    source.write_bytes(brahms.musicxml)
    code = (
        "import sys, hashlib, pathlib\n"
        "from ensemble_core.model import Context, Score\n"
        "from ensemble_engrave.exporters import *\n"
        "ctx = Context(workspace=pathlib.Path(sys.argv[1]).parent)\n"
        "score = Score(pathlib.Path(sys.argv[1]).read_bytes(), 'Volkslied')\n"
        "for exporter in (SvgExporter, PdfExporter, PngExporter, MeiExporter):\n"
        "    for made in exporter().export(score, ctx):\n"
        "        print(hashlib.sha256(made.path.read_bytes()).hexdigest())\n"
    )
    here = [
        hashlib.sha256(made.path.read_bytes()).hexdigest()
        for exporter in (SvgExporter, PdfExporter, PngExporter, MeiExporter)
        for made in exporter().export(Score(brahms.musicxml, "Volkslied"), ctx)
    ]
    there = subprocess.run(
        [sys.executable, "-c", code, str(source)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
    )
    assert there.stdout.split() == here
