"""The exporters that write pages and MEI."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ensemble_core.model import Artifact, Context, Diagnostic, Score

from .engraver import Engraver, report_missing
from .options import Layout, MeiOptions, PdfOptions, PngOptions, SvgOptions

_POINTS_PER_TENTH = 72 / 254
_ROOT = re.compile(r'<svg viewBox="0 0 (\d+(?:\.\d+)?) (\d+(?:\.\d+)?)"')
_ID = re.compile(r' id="([^"]+)"')


class SvgExporter:
    """Pages as SVG; every note's ``id`` is that of the note in the MusicXML."""

    def __init__(self, options: SvgOptions | None = None) -> None:
        self.options = options or SvgOptions()

    def export(self, score: Score, ctx: Context) -> tuple[Artifact, ...]:
        """Write one file a page.

        Raises:
            ContractError: The score is not usable MusicXML.
            RecognitionError: Verovio cannot engrave it.
        """
        text_font = {"fontTextLiberation": self.options.embed_text_font}
        engraver = Engraver(score, self.options, text_font)
        made, drawn = [], set[str]()
        for index in range(engraver.pages):
            ctx.progress(index, engraver.pages, "pages")
            svg = engraver.svg(index)
            drawn.update(_ID.findall(svg))
            suffix = numbered(index, engraver.pages, ".svg")
            path = ctx.workspace / f"score{suffix}"
            path.write_text(_with_size(svg), encoding="utf-8", newline="\n")
            made.append(Artifact(path, "image/svg+xml", suffix))
        report_missing(engraver, drawn, ctx)
        return tuple(made)


class PdfExporter:
    """All pages as one PDF of vectors and searchable text."""

    def __init__(self, options: PdfOptions | None = None) -> None:
        self.options = options or PdfOptions()

    def export(self, score: Score, ctx: Context) -> tuple[Artifact, ...]:
        """Write one file.

        Raises:
            ContractError: The score is not usable MusicXML.
            RecognitionError: Verovio cannot engrave it.
        """
        path = ctx.workspace / "score.pdf"
        write_pdf(score, self.options, path, ctx)
        return (Artifact(path, "application/pdf", ".pdf"),)


class PngExporter:
    """Pages as pictures: the PDF's pages, rasterised by PDFium with its fonts inside."""

    def __init__(self, options: PngOptions | None = None) -> None:
        self.options = options or PngOptions()

    def export(self, score: Score, ctx: Context) -> tuple[Artifact, ...]:
        """Write one file a page.

        Raises:
            ContractError: The score is not usable MusicXML.
            RecognitionError: Verovio cannot engrave it.
            LimitExceeded: A page would have more pixels than allowed.
        """
        import pypdfium2 as pdfium

        source = ctx.workspace / "score.pdf"
        write_pdf(score, self.options, source, ctx)
        document = pdfium.PdfDocument(source)
        try:
            count = len(document)
            made = []
            for index in range(count):
                ctx.progress(index, count, "pages")
                suffix = numbered(index, count, ".png")
                path = ctx.workspace / f"score{suffix}"
                self._rasterise(document[index], path, ctx)
                made.append(Artifact(path, "image/png", suffix))
        finally:
            document.close()
        source.unlink()
        return tuple(made)

    def _rasterise(self, page: Any, path: Path, ctx: Context) -> None:
        scale = self.options.dpi / 72
        width, height = (round(length * scale) for length in page.get_size())
        ctx.limits.check_pixels(width, height, "the engraved page")
        paper = (255, 255, 255, 0) if self.options.transparent else (255, 255, 255, 255)
        picture = page.render(scale=scale, fill_color=paper, grayscale=False).to_pil()
        if not self.options.transparent:
            red, green, blue = (band.tobytes() for band in picture.convert("RGB").split())
            picture = picture.convert("L" if red == green == blue else "RGB")
        picture.save(path, dpi=(self.options.dpi, self.options.dpi), optimize=True)


class MeiExporter:
    """The score as MEI; its ``xml:id`` s are the MusicXML's."""

    def __init__(self, options: MeiOptions | None = None) -> None:
        self.options = options or MeiOptions()

    def export(self, score: Score, ctx: Context) -> tuple[Artifact, ...]:
        """Write one file.

        Raises:
            ContractError: The score is not usable MusicXML.
            RecognitionError: Verovio cannot read it.
        """
        mei = Engraver(score).mei(basic=self.options.basic)
        ctx.check()
        path = ctx.workspace / "score.mei"
        path.write_text(_without_date(mei), encoding="utf-8", newline="\n")
        return (Artifact(path, "application/mei+xml", ".mei"),)


def write_pdf(score: Score, layout: Layout, path: Path, ctx: Context) -> None:
    """Engrave ``score`` into a PDF file."""
    from lxml import etree
    from reportlab.pdfgen.canvas import Canvas

    from .paint import Painter

    engraver = Engraver(score, layout, {"fontTextLiberation": True})
    canvas = Canvas(str(path), pageCompression=1, invariant=1)
    canvas.setTitle(score.title or "Untitled")
    canvas.setCreator("Ensemble, engraved by Verovio")
    painter, drawn = Painter(canvas), set[str]()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    for index in range(engraver.pages):
        ctx.progress(index, engraver.pages, "pages")
        svg = engraver.svg(index)
        drawn.update(_ID.findall(svg))
        root = etree.fromstring(svg.encode("utf-8"), parser)
        width, height = (
            float(length) * _POINTS_PER_TENTH for length in root.get("viewBox").split()[2:]
        )
        canvas.setPageSize((width, height))
        painter.page(root, width, height)
        canvas.showPage()
    canvas.save()
    report_missing(engraver, drawn, ctx)
    if painter.unknown:
        names = ", ".join(sorted(painter.unknown))
        ctx.report(Diagnostic("warning", "engraving-incomplete", f"could not draw: {names}"))


def numbered(index: int, count: int, suffix: str) -> str:
    """``.svg`` for a single page, else ``-1.svg``, ``-2.svg``, …, zero-padded to sort."""
    return suffix if count == 1 else f"-{index + 1:0{len(str(count))}d}{suffix}"


def _with_size(svg: str) -> str:
    """Say how large the page is on paper; the view box counts tenths of a millimetre."""
    return _ROOT.sub(
        lambda found: (
            f'<svg width="{float(found[1]) / 10:g}mm" height="{float(found[2]) / 10:g}mm" '
            + found[0].removeprefix("<svg ")
        ),
        svg,
        count=1,
    )


def _without_date(mei: str) -> str:
    """Take out when it was written: the same score is to give the same bytes."""
    return re.sub(r'(<application\b[^>]*?) isodate="[^"]*"', r"\1", mei)
