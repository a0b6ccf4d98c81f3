"""The mock recognizer gives valid scores that nobody takes for real ones."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from ensemble_mock.options import MockOptions
from ensemble_mock.plugin import ensemble_recognizers
from ensemble_mock.recognizer import MockRecognizer
from PIL import Image

from ensemble_core.model import Cancelled, CancelToken, Context, Page, RecognitionError
from ensemble_core.musicxml import parse, validate


@pytest.fixture
def page(tmp_path: Path) -> Page:
    path = tmp_path / "page.png"
    Image.new("L", (400, 200), 255).save(path)
    return Page(3, path, 400, 200)


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return Context(tmp_path, page=3)


SIZES = [
    MockOptions(),
    MockOptions(measures=1, notes=1),
    MockOptions(measures=9, parts=3, staves=2, notes=16),
    MockOptions(parts=2, staves=4, notes=8, seed=7),
]


@pytest.mark.parametrize("options", SIZES)
def test_score_is_valid_and_of_the_size_asked_for(
    options: MockOptions, page: Page, ctx: Context
) -> None:
    score = MockRecognizer(options).recognize(page, ctx)
    assert validate(score.musicxml) == []
    root = parse(score.musicxml)
    assert len(root.findall("part")) == options.parts
    assert [len(part) for part in root.findall("part")] == [options.measures] * options.parts
    notes = root.findall("part/measure/note")
    assert len(notes) == options.parts * options.measures * options.staves * options.notes
    assert score.pages[0].measures == options.measures


@pytest.mark.parametrize("options", SIZES)
def test_each_note_and_measure_has_a_box_on_the_page(
    options: MockOptions, page: Page, ctx: Context
) -> None:
    score = MockRecognizer(options).recognize(page, ctx)
    root = parse(score.musicxml)
    named = {e.get("id") for tag in ("note", "measure") for e in root.iter(tag)}
    assert {element.id for element in score.elements} == named
    assert len(score.elements) == len(named)
    for element in score.elements:
        assert 0 <= element.box.left < element.box.right <= page.width + 1e-6
        assert 0 <= element.box.top < element.box.bottom <= page.height + 1e-6


def test_measures_are_full(page: Page, ctx: Context) -> None:
    root = parse(MockRecognizer(MockOptions(staves=2, notes=8)).recognize(page, ctx).musicxml)
    for measure in root.iter("measure"):
        time = 0
        for element in measure:
            length = int(element.findtext("duration") or 0)
            time += -length if element.tag == "backup" else length
        assert time == 16


def test_it_says_that_it_is_a_mock(page: Page, ctx: Context) -> None:
    score = MockRecognizer().recognize(page, ctx)
    root = parse(score.musicxml)
    assert "MOCK" in score.title
    assert "MOCK" in str(root.findtext("work/work-title"))
    assert "mock" in str(root.findtext("identification/encoding/software"))
    field = root.find("identification/miscellaneous/miscellaneous-field")
    assert field is not None and field.get("name") == "mock"


def test_same_options_and_page_same_bytes(page: Page, ctx: Context) -> None:
    first = MockRecognizer().recognize(page, ctx)
    assert MockRecognizer().recognize(page, ctx) == first
    other = MockRecognizer().recognize(attrs.evolve(page, index=4), ctx)
    assert other.musicxml != first.musicxml
    assert MockRecognizer(MockOptions(seed=1)).recognize(page, ctx).musicxml != first.musicxml


def test_auto_would_take_anything_else_first() -> None:
    (spec,) = ensemble_recognizers()
    assert spec.name == "mock" and spec.priority < -1000


def test_fault_only_on_the_pages_named(page: Page, ctx: Context) -> None:
    there = MockRecognizer(MockOptions(fault="nothing", fault_pages=(1, 3)))
    with pytest.raises(RecognitionError, match="no music"):
        there.recognize(page, ctx)
    elsewhere = MockRecognizer(MockOptions(fault="nothing", fault_pages=(2,)))
    assert elsewhere.recognize(page, ctx) == MockRecognizer().recognize(page, ctx)


def test_fault_only_on_pages_with_a_dark_corner(page: Page, ctx: Context) -> None:
    reader = MockRecognizer(MockOptions(fault="nothing", fault_corner=True))
    assert reader.recognize(page, ctx).pages
    with Image.open(page.image) as picture:
        picture.putpixel((0, 0), 0)
        picture.save(page.image)
    with pytest.raises(RecognitionError):
        reader.recognize(page, ctx)


def test_fault_once_with_a_marker(page: Page, ctx: Context, tmp_path: Path) -> None:
    options = MockOptions(fault="raise", fault_marker=tmp_path / "marker")
    with pytest.raises(RuntimeError):
        MockRecognizer(options).recognize(page, ctx)
    assert MockRecognizer(options).recognize(page, ctx).pages


def test_garbage_is_no_score(page: Page, ctx: Context) -> None:
    score = MockRecognizer(MockOptions(fault="garbage")).recognize(page, ctx)
    assert validate(score.musicxml) != [] and b"<" not in score.musicxml


def test_delay_ends_when_cancelled(page: Page, tmp_path: Path) -> None:
    token = CancelToken()
    told = []

    def send(message: dict[str, object]) -> None:
        told.append(message)
        token.cancel()

    ctx = Context(tmp_path, cancel=token, send=send)
    with pytest.raises(Cancelled):
        MockRecognizer(MockOptions(fault="delay", delay=600.0)).recognize(page, ctx)
    assert told
