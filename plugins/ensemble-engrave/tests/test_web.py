"""The web page without a browser: its data, its pictures, its safety."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import attrs
import pytest
from ensemble_engrave.engraver import Engraver
from ensemble_engrave.options import HtmlOptions
from ensemble_engrave.web.exporter import HtmlExporter
from ensemble_engrave.web.facts import gather
from ensemble_engrave.web.pictures import embed
from ensemble_engrave.web.remarks import remarks
from ensemble_engrave.web.timeline import read
from lxml import html
from PIL import Image, ImageDraw

from ensemble_core.model import Context, ContractError, Diagnostic, InputError, PageOfScore, Score
from ensemble_core.musicxml import parse


def page_of(score: Score, ctx: Context, **options: Any) -> Any:
    (made,) = HtmlExporter(HtmlOptions(**options)).export(score, ctx)
    return html.fromstring(made.path.read_text(encoding="utf-8"))


def data_of(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.get_element_by_id("data").text)
    return found


def timeline_of(score: Score) -> Any:
    engraver = Engraver(score)
    return read(engraver.timemap(), gather(engraver.root))


def test_a_tied_note_sounds_once_and_as_written_for_the_instrument(tied: Score) -> None:
    played = [(s.id, s.on, s.off, s.until, s.midi) for s in timeline_of(tied).sounds]
    assert played == [
        ("c", 0, 2000, 2000, 70),  # a clarinet's C sounds B flat
        ("e1", 2000, 4000, 6000, 74),
        ("e2", 4000, 6000, 6000, 0),
    ]


def test_repeats_and_endings_are_played_out(brahms: Score) -> None:
    timeline = timeline_of(brahms)
    order = [position + 1 for _, position in timeline.measures]
    assert order == [*range(1, 32), *range(3, 30), 32, 33]
    root = parse(brahms.musicxml)
    bars = [measure.findall("note") for measure in root.iter("measure")]
    written = [sum(one.find("pitch") is not None for one in bars[number - 1]) for number in order]
    assert len(timeline.sounds) == sum(written)
    assert timeline.length == pytest.approx(len(order) * 3 * 500)  # 3/4, 120 a minute


def test_a_second_tempo_is_heard(line: Any, note: Any) -> None:
    faster = "<sound tempo='120'/>" + note("G", 4, 8, "g")
    timeline = timeline_of(line(faster))
    assert timeline.tempi == ((0, 60), (4000, 120))
    assert timeline.length == 6000


def test_labels_say_what_a_musician_would_say(brahms: Score) -> None:
    facts = gather(Engraver(brahms).root)
    assert facts.parts == ("Pianoforte",)
    assert facts.notes["note0"].label == "G3 eighth · lower staff"
    labels = {fact.label for fact in facts.notes.values()}
    assert {"G♯4 eighth · upper staff", "E3 dotted half · lower staff"} <= labels
    assert len(facts.measures) == 33


def test_the_page_holds_source_boxes_score_and_remarks(brahms: Score, ctx: Context) -> None:
    page = page_of(brahms, ctx)
    data = data_of(page)
    boxes = page.xpath("//figure[contains(@class,'source')]//rect")
    assert boxes[0].get("data-ref") == "measure0"  # large ones below
    doubtful = [b.get("data-ref") for b in boxes if "doubtful" in b.get("class").split()]
    assert doubtful == ["note2"]
    drawn = page.xpath("//figure[contains(@class,'wide')]//g[@class='note']/@data-id")
    assert sorted(drawn) == sorted(
        n for n, (label, _) in data["notes"].items() if "rest" not in label
    )
    assert [(one["message"], one["measure"]) for one in data["remarks"]] == [
        ("bar 1: note read with doubt", 0),
        ("bar 13: the notes fill 2 quarters", 12),
    ]
    assert "331 notes" in page.text_content()
    assert page.findtext(".//h1") == "Volkslied"


def test_the_page_needs_nothing_from_elsewhere(brahms: Score, ctx: Context) -> None:
    page = page_of(brahms, ctx)
    for attribute in ("src", "href", "action", "data", "poster"):
        for value in page.xpath(f"//*/@{attribute}"):
            assert value.startswith(("data:image/", "#")), value
    text = (ctx.workspace / "score.html").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|\bfetch\(|XMLHttpRequest|WebSocket", text)
    assert len(text) < 1_500_000


def test_a_title_cannot_run_as_a_script(line: Any, ctx: Context) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    score = line(title=evil)
    remark = Diagnostic("warning", "x", f"bar 1: {evil}")
    page = page_of(attrs.evolve(score, diagnostics=(remark,)), ctx)
    assert page.findtext(".//h1") == evil
    scripts = page.findall(".//script")
    assert len(scripts) == 2
    policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert "default-src 'none'" in policy
    digest = base64.b64encode(hashlib.sha256(scripts[1].text.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert data_of(page)["remarks"][0]["message"] == f"bar 1: {evil}"
    assert not page.xpath("//img")


def test_without_pictures_the_score_stands_alone(tied: Score, ctx: Context) -> None:
    page = page_of(tied, ctx)
    assert page.body.get("data-layout") == "alone"
    assert not page.xpath("//figure[contains(@class,'source')]")


def test_the_same_score_gives_the_same_page(brahms: Score, tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (one,) = HtmlExporter().export(brahms, Context(workspace=tmp_path / name))
        made.append(one.path.read_bytes())
    assert made[0] == made[1]


def test_a_remark_finds_its_measure_on_its_own_page(brahms: Score) -> None:
    facts = gather(Engraver(brahms).root)
    pages = (PageOfScore(0, 0, 20), PageOfScore(1, 20, 13))
    said = (
        Diagnostic("warning", "a", "bar 3 is too short", page=1),
        Diagnostic("warning", "b", "Measure 3: odd"),
        Diagnostic("info", "c", "a slur was lost", page=0),
        Diagnostic("info", "d", "bar 99 is not there", page=0),
    )
    found = remarks(attrs.evolve(brahms, pages=pages, diagnostics=said), facts)
    assert [one["measure"] for one in found] == [2, 22, None, None]


def picture(folder: Path, mode: str, size: tuple[int, int] = (1800, 1200)) -> Path:
    """Dark lines on white paper; in colour, with noise like a photo's."""
    image = Image.new(mode, size, "white")
    draw = ImageDraw.Draw(image)
    for y in range(100, size[1], 90):
        draw.line((50, y, size[0] - 50, y), fill="black", width=4)
    if mode == "RGB":
        noise = Image.effect_noise(size, 60).convert("RGB")
        tint = Image.new("RGB", size, (200, 140, 60))
        image = Image.blend(Image.blend(image, noise, 0.4), tint, 0.5)
    path = folder / f"{mode}.png"
    image.save(path)
    return path


def decoded(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))


def test_clean_pages_become_png_photos_jpeg(tmp_path: Path, ctx: Context) -> None:
    clean = embed(picture(tmp_path, "L"), 1500, 72, 10**6, ctx)
    assert clean.address.startswith("data:image/png;")
    assert clean.paper
    assert decoded(clean.address).size == (1500, 1000)
    assert (clean.width, clean.height) == (1800, 1200)
    photo = embed(picture(tmp_path, "RGB"), 1500, 72, 10**6, ctx)
    assert photo.address.startswith("data:image/jpeg;")
    assert decoded(photo.address).mode == "RGB"
    assert not photo.paper


def test_pictures_shrink_to_the_budget_but_stay_readable(tmp_path: Path, ctx: Context) -> None:
    path = picture(tmp_path, "RGB")
    wide = decoded(embed(path, 1600, 72, 10**7, ctx).address)
    small = decoded(embed(path, 1600, 72, 90_000, ctx).address)
    tiny = decoded(embed(path, 1600, 72, 1, ctx).address)
    assert wide.width == 1600 > small.width > tiny.width == 700


def test_a_broken_picture_is_a_typed_error(brahms: Score, ctx: Context) -> None:
    broken = ctx.workspace / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    page = attrs.evolve(brahms.pages[0], picture=broken)
    with pytest.raises(InputError):
        HtmlExporter().export(attrs.evolve(brahms, pages=(page,)), ctx)
    with pytest.raises(ContractError):
        HtmlExporter().export(Score(b"<x/>"), ctx)
