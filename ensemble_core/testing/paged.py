"""The contracts of preprocessors and recognizers: what takes a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from ensemble_core.imaging import open_image
from ensemble_core.model import Context, LimitExceeded, Limits, Page, RecognitionError, Score
from ensemble_core.musicxml import check_wellformed_score, find_schema, parse, validate

from .pages import broken_pages, drawn_page, engraved_page, odd_pages
from .working import WorkingContract


class PageContract(WorkingContract):
    """Common to the kinds that are given a page."""

    def given(self, folder: Path) -> Page:
        """An engraved page."""
        return engraved_page(folder)

    def broken(self, folder: Path) -> Iterator[tuple[str, Page]]:
        """Pages whose picture cannot be read."""
        yield from broken_pages(folder)

    def odd(self, folder: Path) -> Iterator[tuple[str, Page]]:
        """Pages nobody expects."""
        yield from odd_pages(folder)

    def test_a_page_over_the_limit_is_refused(self, tmp_path: Path) -> None:
        """The pixel limit of the context is kept, before anything is decoded."""
        if not self.reads_input:
            return
        ctx = self.context(tmp_path, limits=Limits(max_pixels=1000))
        try:
            self.run(self.make(), drawn_page(tmp_path), ctx)
        except LimitExceeded:
            return
        raise AssertionError("it opened a page that is over the limit: use imaging.open_image")


class PreprocessorContract(PageContract):
    """What a preprocessor must keep. Subclass it in a test file::

    class TestSharpen(PreprocessorContract):
        name = "sharpen"
    """

    kind: ClassVar[str] = "preprocessor"

    def check_result(self, result: Any, given: Any, ctx: Context) -> None:
        """A page whose picture opens, with a sane map back to the source."""
        assert isinstance(result, Page), f"it gave {type(result).__name__}, not a Page"
        assert result.index == given.index
        inside = ctx.workspace.resolve() in result.image.resolve().parents
        assert inside or result.image == given.image, "its picture is not in the workspace"
        image = open_image(result, ctx)
        assert image.size == (result.width, result.height), "width and height are not the picture's"
        assert result.history[: len(given.history)] == given.history, "it forgot earlier steps"
        if inside:
            steps = [step.component for step in result.history[len(given.history) :]]
            assert steps == [self.name], "its step is not in the history: use imaging.derive"
        self._check_affine(result, given)

    @staticmethod
    def _check_affine(result: Page, given: Page) -> None:
        result.to_source.inverse()
        for x, y in ((0.5, 0.5), (0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0)):
            at = result.to_source(x * result.width, y * result.height)
            for place, size in zip(at, (given.width, given.height), strict=True):
                assert -0.6 * size - 8 <= place <= 1.6 * size + 8, (
                    f"the point {x, y} of its page lies at {at} on the source page of "
                    f"{given.width} x {given.height} pixels: the affine map is wrong"
                )

    def test_it_works_in_every_mode(self, tmp_path: Path) -> None:
        """One-bit, gray, colour, transparent and CMYK pages come out as pages."""
        component = self.make()
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK"):
            given, ctx = drawn_page(tmp_path, mode), self.context(tmp_path)
            self.check_result(self.run(component, given, ctx), given, ctx)


class RecognizerContract(PageContract):
    """What a recognizer must keep. Subclass it in a test file::

    class TestMyReader(RecognizerContract):
        name = "my-reader"
    """

    kind: ClassVar[str] = "recognizer"

    def check_result(self, result: Any, given: Any, ctx: Context) -> None:
        """A score by the MusicXML schema; boxes on the page, each of an element it has."""
        assert isinstance(result, Score), f"it gave {type(result).__name__}, not a Score"
        check_wellformed_score(result.musicxml, self.name)
        if find_schema() is not None:
            found = validate(result.musicxml)
            assert not found, f"not valid MusicXML 4.0: {found[0]}"
        ids = {element.get("id") for element in parse(result.musicxml).iter()}
        for element in result.elements:
            assert element.id in ids, f"no element of the score has the id {element.id!r}"
            box = element.box
            assert box.left <= box.right and box.top <= box.bottom, f"{element.id}: {box}"
            assert -given.width <= box.left and box.right <= 2 * given.width, f"{element.id}: {box}"
            confidence = element.confidence
            assert confidence is None or 0 <= confidence <= 1, f"{element.id}: {confidence}"

    def test_an_empty_page_is_a_typed_error_or_an_empty_score(self, tmp_path: Path) -> None:
        """White paper holds no notes."""
        if not self.reads_input:
            return
        empty = next(page for label, page in odd_pages(tmp_path) if label == "an empty page")
        try:
            score = self.run(self.make(), empty, self.context(tmp_path))
        except RecognitionError:
            return
        pitches = list(parse(score.musicxml).iter("pitch"))
        assert not pitches, f"it read {len(pitches)} notes on an empty page"
