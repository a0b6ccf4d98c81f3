"""From a picture to a score, with the real net and the real picture."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import cv2
import numpy as np
import pytest
from ensemble_evaluate import notes
from ensemble_sightread import glyphs
from ensemble_sightread.glyphs import Glance
from ensemble_sightread.normalise import normalise
from ensemble_sightread.options import SightreadOptions
from ensemble_sightread.reader import see
from ensemble_sightread.recognizer import Sightread
from ensemble_sightread.staves import find_staves
from lxml import etree
from PIL import Image, ImageDraw

from ensemble_core.model import (
    Cancelled,
    CancelToken,
    ConfigError,
    Context,
    LimitExceeded,
    Limits,
    Page,
    RecognitionError,
    Score,
)
from ensemble_core.musicxml.schema import validate

REPOSITORY = Path(__file__).resolve().parents[3]
PICTURE = REPOSITORY / "examples" / "brahms-volkslied.png"
TRUTH = PICTURE.with_suffix(".musicxml")

pytestmark = pytest.mark.skipif(not PICTURE.exists(), reason="not in a checkout")


def page_of(path: Path) -> Page:
    with Image.open(path) as picture:
        return Page(0, path, *picture.size)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Score:
    return Sightread().recognize(page_of(PICTURE), Context(tmp_path_factory.mktemp("work")))


def test_the_example_is_read_right(read: Score) -> None:
    found = notes.agreement(TRUTH.read_bytes(), read.musicxml)
    assert found.pitch_f1 > 0.95
    assert found.note_f1 > 0.9


def test_two_threads_read_the_same_as_one(read: Score, tmp_path: Path) -> None:
    two = Sightread().recognize(page_of(PICTURE), Context(tmp_path, threads=2))
    assert two.musicxml == read.musicxml
    assert two.elements == read.elements


def test_no_staff_is_said_with_two_threads_too(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    Image.new("L", (900, 1200), 255).save(path)
    with pytest.raises(RecognitionError, match="no staff"):
        Sightread().recognize(page_of(path), Context(tmp_path, threads=2))


def test_the_endings_of_the_example_are_its_own(read: Score) -> None:
    endings = re.findall(rb'<ending number="(\d)" type="(\w+)"', read.musicxml)
    assert endings == [(b"1", b"start"), (b"1", b"stop"), (b"2", b"start"), (b"2", b"stop")]


def test_what_is_written_is_valid_and_complete(read: Score) -> None:
    assert validate(read.musicxml) == []
    measures = etree.fromstring(read.musicxml).find("part").findall("measure")
    assert [page.measures for page in read.pages] == [len(measures)]


def test_boxes_lie_on_the_page_as_given_and_on_the_ink(read: Score) -> None:
    with Image.open(PICTURE) as picture:
        gray = picture.convert("L")
    notes = [element for element in read.elements if element.kind == "note"]
    assert notes
    for element in notes:
        box = element.box
        assert 0 <= box.left < box.right <= gray.width
        assert 0 <= box.top < box.bottom <= gray.height
        middle = gray.crop(tuple(round(n) for n in (box.left, box.top, box.right, box.bottom)))
        assert middle.getextrema()[0] < 100
        assert element.confidence is not None and 0 <= element.confidence <= 1


def test_bows_that_the_net_draws_again_hide_no_hairpin(monkeypatch: pytest.MonkeyPatch) -> None:
    with Image.open(PICTURE) as picture:
        gray = np.array(picture.convert("L"))
    page = normalise(gray)
    staff = find_staves(page)[0]
    left, y = 2 * round(staff.left + 200), 2 * round(staff.y(0, staff.left) + 50)
    drawn = np.full(page.ink.shape, 255, np.uint8)
    for side in (-1, 1):
        cv2.line(drawn, (left, y + 22 * side), (left + 200, y), 0, 3)
    size = (gray.shape[1], gray.shape[0])
    mine = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA)
    shape = tuple(-(-n // 2) for n in page.image.shape)
    curve = np.zeros(shape, np.uint8)
    curve[y // 4 - 2 : y // 4 + 3, left // 4 + 20 : left // 4 + 50] = 255
    glance = Glance(lambda: ((), ()), {"curve": curve})
    monkeypatch.setattr(glyphs, "look", lambda *_: glance)
    seen, *_ = see(np.minimum(gray, mine), SightreadOptions())
    near = [h for h in seen.hairpins if abs(h.y - y / 2) < 6 and abs(h.x1 - left / 2) < 6]
    assert [round(h.x2 - left / 2, -1) for h in near] == [100]


def test_half_the_resolution_reads_the_same_notes(read: Score, tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    with Image.open(PICTURE) as picture:
        gray = picture.convert("L")
        gray.resize((gray.width * 3 // 5, gray.height * 3 // 5), Image.Resampling.BOX).save(small)
    score = Sightread().recognize(page_of(small), Context(tmp_path))
    assert notes.agreement(read.musicxml, score.musicxml).pitch_f1 > 0.93


@pytest.mark.parametrize("draw", ["nothing", "text"])
def test_a_page_without_music_says_so(draw: str, tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    picture = Image.new("L", (900, 1200), 255)
    if draw == "text":
        pen = ImageDraw.Draw(picture)
        for line in range(40):
            pen.text((60, 60 + 26 * line), "a line of words and no staff at all " * 3, fill=0)
    picture.save(path)
    with pytest.raises(RecognitionError) as raised:
        Sightread().recognize(page_of(path), Context(tmp_path))
    assert "\n" not in str(raised.value)


def test_empty_staves_are_no_music(tmp_path: Path) -> None:
    path = tmp_path / "staves.png"
    picture = Image.new("L", (1600, 1000), 255)
    pen = ImageDraw.Draw(picture)
    for staff in range(4):
        for line in range(5):
            y = 120 + 220 * staff + 20 * line
            pen.line((80, y, 1520, y), fill=0, width=2)
    picture.save(path)
    with pytest.raises(RecognitionError) as raised:
        Sightread().recognize(page_of(path), Context(tmp_path))
    assert raised.value.code == "no-music"


def draw_tablature(picture: Image.Image, tops: range, space: int) -> None:
    pen = ImageDraw.Draw(picture)
    for top in tops:
        for line in range(6):
            y = top + space * line
            pen.line((90, y, picture.width - 90, y), fill=0, width=3)
            for x in range(200 + 40 * line, picture.width - 200, 260):
                pen.text((x, y - 12), str((x + line) % 10), fill=0, font_size=26)


def test_tablature_alone_is_said_to_be_that(tmp_path: Path) -> None:
    picture = Image.new("L", (1600, 1400), 255)
    draw_tablature(picture, range(100, 1300, 280), 30)
    picture.save(tmp_path / "tab.png")
    with pytest.raises(RecognitionError) as raised:
        Sightread().recognize(page_of(tmp_path / "tab.png"), Context(tmp_path))
    assert raised.value.code == "tablature"


def test_tablature_beside_music_is_left_out(read: Score, tmp_path: Path) -> None:
    with Image.open(PICTURE) as page:
        both = Image.new("L", (page.width, page.height + 4000), 255)
        both.paste(page.convert("L"))
    draw_tablature(both, range(page.height + 100, both.height - 300, 260), 28)
    both.save(tmp_path / "both.png")
    score = Sightread().recognize(page_of(tmp_path / "both.png"), Context(tmp_path))
    assert notes.agreement(read.musicxml, score.musicxml).note_f1 > 0.97
    (left_out,) = (d for d in score.diagnostics if d.code == "tablature-left-out")
    assert "14 staves" in left_out.message


def test_too_many_pixels_are_refused_unopened(tmp_path: Path) -> None:
    context = Context(tmp_path, limits=Limits(max_pixels=10_000))
    with pytest.raises(LimitExceeded):
        Sightread().recognize(page_of(PICTURE), context)


def test_cancelling_stops_the_reading(tmp_path: Path) -> None:
    cancel = CancelToken()
    context = Context(tmp_path, cancel=cancel)

    def send(message: dict[str, object]) -> None:
        if message["done"] > 0.1:  # type: ignore[operator]
            cancel.cancel()

    with pytest.raises(Cancelled):
        Sightread().recognize(page_of(PICTURE), attrs.evolve(context, send=send))


def test_a_time_signature_can_be_assumed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        Sightread(SightreadOptions(time="waltz")).recognize(page_of(PICTURE), Context(tmp_path))


def test_the_same_page_gives_the_same_bytes(read: Score, tmp_path: Path) -> None:
    again = Sightread().recognize(page_of(PICTURE), Context(tmp_path))
    assert again.musicxml == read.musicxml
