"""The contracts of loaders: of pages, and of scores."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from ensemble_core.imaging import open_image
from ensemble_core.model import (
    Context,
    Document,
    EnsembleError,
    LimitExceeded,
    Limits,
    LoaderSpec,
    Page,
    Score,
)
from ensemble_core.musicxml import check_wellformed_score, write_mxl
from ensemble_core.sniff import IMAGES, MUSICXML, MXL, PDF

from .pages import document_of, draw
from .scores import PIANO, sample_score
from .working import WorkingContract

_FORMATS = {
    "image/png": "PNG", "image/jpeg": "JPEG", "image/tiff": "TIFF", "image/gif": "GIF",
    "image/bmp": "BMP", "image/webp": "WEBP", "image/x-portable-anymap": "PPM", PDF: "PDF",
}  # fmt: skip


def sample_file(folder: Path, media_type: str) -> Path | None:
    """A small document of a media type; None for a type the kit cannot make."""
    path = folder / "sample"
    if media_type in (MUSICXML, MXL):
        data = sample_score(3, (PIANO,), title="Sample").musicxml
        path.write_bytes(write_mxl(data) if media_type == MXL else data)
    elif media_type in (*IMAGES, PDF):
        draw().save(path, format=_FORMATS[media_type])
    else:
        return None
    return path


class _DocumentContract(WorkingContract):
    kind: ClassVar[str] = "loader"

    def sample(self, folder: Path, media_type: str) -> Path | None:
        """A file of a media type the loader accepts; override it for types of your own."""
        return sample_file(folder, media_type)

    def samples(self, folder: Path) -> Iterator[Document]:
        """A document of every media type there is a sample of."""
        spec = self.spec()
        assert isinstance(spec, LoaderSpec)
        for number, media_type in enumerate(spec.accepts):
            place = folder / f"sample-{number}"
            place.mkdir(exist_ok=True)
            path = self.sample(place, media_type)
            if path is not None:
                yield document_of(path, media_type)

    def given(self, folder: Path) -> Document:
        """The first sample."""
        found = next(self.samples(folder), None)
        assert found is not None, "override sample() to give a file this loader accepts"
        return found

    def broken(self, folder: Path) -> Iterator[tuple[str, Document]]:
        """Samples emptied, replaced by text, and cut short."""
        for number, whole in enumerate(self.samples(folder)):
            data = whole.path.read_bytes()
            contents = {
                "an empty file": b"",
                "a text": b"Neither a picture nor a score.\n" * 9,
                "its first 16 bytes": data[:16],
            }
            for place, (label, content) in enumerate(contents.items()):
                path = folder / f"broken-{number}-{place}"
                path.write_bytes(content)
                yield f"{whole.media_type}: {label}", document_of(path, whole.media_type)
            gone = folder / f"gone-{number}"
            shutil.copy(whole.path, gone)
            document = document_of(gone, whole.media_type)
            gone.unlink()
            yield f"{whole.media_type}: a file that is gone", document

    def odd(self, folder: Path) -> Iterator[tuple[str, Document]]:
        """Samples cut in half and with a damaged middle: what can be read of them may be."""
        for number, whole in enumerate(self.samples(folder)):
            data = whole.path.read_bytes()
            middle = len(data) // 2
            for place, content in enumerate((data[:middle], data[:middle] + b"\xff" * 40)):
                path = folder / f"odd-{number}-{place}"
                path.write_bytes(content)
                yield f"{whole.media_type}: half of it", document_of(path, whole.media_type)

    def test_every_media_type_is_accepted_for_real(self, tmp_path: Path) -> None:
        """What the spec accepts is read."""
        component = self.make()
        for document in self.samples(tmp_path):
            ctx = self.context(tmp_path)
            self.check_result(self.run(component, document, ctx), document, ctx)


class LoaderContract(_DocumentContract):
    """What a loader of pages must keep. Subclass it in a test file::

    class TestDjvu(LoaderContract):
        name = "djvu"

        def sample(self, folder, media_type):
            return Path(__file__).parent / "one-page.djvu"
    """

    def check_result(self, result: Any, given: Any, ctx: Context) -> None:
        """Pages in order, their pictures open."""
        assert result, "it found no page"
        for index, page in enumerate(result):
            assert isinstance(page, Page), f"it gave {type(page).__name__}, not a Page"
            assert page.index == index, f"page {index} calls itself {page.index}"
            assert ctx.workspace.resolve() in page.image.resolve().parents, (
                "its picture is not in the workspace"
            )
            assert open_image(page, ctx).size == (page.width, page.height)
            assert not page.history, "a loader's page has no history"

    def test_inspecting_tells_the_size_of_the_pages(self, tmp_path: Path) -> None:
        """``inspect`` lists what ``load`` gives, pages numbered from 0, sizes right."""
        component, document = self.make(), self.given(tmp_path)
        infos = component.inspect(document, self.context(tmp_path))
        assert [info.index for info in infos] == list(range(len(infos)))
        for info in infos:
            page = component.load(document, info.index, self.context(tmp_path))
            assert abs(page.width - info.width) <= 2, "inspect told another width"
            assert abs(page.height - info.height) <= 2, "inspect told another height"

    def test_a_page_over_the_limit_is_refused(self, tmp_path: Path) -> None:
        """The pixel limit of the context holds, by refusing the page or by loading it smaller."""
        document, limits = self.given(tmp_path), Limits(max_pixels=5000)
        try:
            pages = self.run(self.make(), document, self.context(tmp_path, limits=limits))
        except LimitExceeded:
            return
        assert all(page.width * page.height <= limits.max_pixels for page in pages)

    def test_there_is_no_page_after_the_last(self, tmp_path: Path) -> None:
        """Asking for a page that is not there is a typed error."""
        component, document = self.make(), self.given(tmp_path)
        count = len(component.inspect(document, self.context(tmp_path)))
        try:
            component.load(document, count, self.context(tmp_path))
        except EnsembleError:
            return
        raise AssertionError(f"it loaded page {count} of {count}")


class ScoreLoaderContract(_DocumentContract):
    """What a loader whose spec says ``gives="score"`` must keep."""

    def check_result(self, result: Any, given: Any, ctx: Context) -> None:
        """A MusicXML score without pages."""
        assert isinstance(result, Score), f"it gave {type(result).__name__}, not a Score"
        check_wellformed_score(result.musicxml, self.name)
        assert not result.pages, "a score that was the input has no pages"

    def test_a_document_over_the_limit_is_refused(self, tmp_path: Path) -> None:
        """The byte limit of the context is kept."""
        limits = Limits(max_input_bytes=10)  # type: ignore[arg-type]
        try:
            self.run(self.make(), self.given(tmp_path), self.context(tmp_path, limits=limits))
        except LimitExceeded:
            return
        raise AssertionError("it read a document that is over the limit")
