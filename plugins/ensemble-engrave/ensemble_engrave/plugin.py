"""The hook of ensemble-engrave: five exporters, all by way of Verovio."""

from __future__ import annotations

from ensemble_core.hooks import hookimpl
from ensemble_core.model import ExporterSpec, Requirement

_VEROVIO = Requirement("module", "verovio", "pip install verovio")


@hookimpl
def ensemble_exporters() -> list[ExporterSpec]:
    """The exporters: SVG, PDF and PNG pages, MEI, and a web page."""
    return [
        ExporterSpec(
            name="svg",
            target="ensemble_engrave.exporters:SvgExporter",
            options="ensemble_engrave.options:SvgOptions",
            summary="Engraved pages as SVG, one file a page",
            media_type="image/svg+xml",
            suffix=".svg",
            requires=(_VEROVIO,),
        ),
        ExporterSpec(
            name="pdf",
            target="ensemble_engrave.exporters:PdfExporter",
            options="ensemble_engrave.options:PdfOptions",
            summary="Engraved pages as one PDF, to print",
            media_type="application/pdf",
            suffix=".pdf",
            requires=(_VEROVIO, Requirement("module", "reportlab", "pip install reportlab")),
        ),
        ExporterSpec(
            name="png",
            target="ensemble_engrave.exporters:PngExporter",
            options="ensemble_engrave.options:PngOptions",
            summary="Engraved pages as PNG pictures, one file a page",
            media_type="image/png",
            suffix=".png",
            requires=(_VEROVIO, Requirement("module", "pypdfium2", "pip install pypdfium2")),
        ),
        ExporterSpec(
            name="mei",
            target="ensemble_engrave.exporters:MeiExporter",
            options="ensemble_engrave.options:MeiOptions",
            summary="The score as MEI, the format of music scholarship",
            media_type="application/mei+xml",
            suffix=".mei",
            requires=(_VEROVIO,),
        ),
        ExporterSpec(
            name="html",
            target="ensemble_engrave.web.exporter:HtmlExporter",
            options="ensemble_engrave.options:HtmlOptions",
            summary="One web page: what was read beside its source, to check and to hear",
            media_type="text/html",
            suffix=".html",
            needs_pictures=True,
            requires=(_VEROVIO,),
        ),
    ]
