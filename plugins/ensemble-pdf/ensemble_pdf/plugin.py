"""The hook of the ``pdf`` loader."""

from __future__ import annotations

from ensemble_core.hooks import hookimpl
from ensemble_core.model import LoaderSpec, Requirement


@hookimpl
def ensemble_loaders() -> list[LoaderSpec]:
    """The one loader this plugin offers."""
    return [
        LoaderSpec(
            name="pdf",
            target="ensemble_pdf.loader:PdfLoader",
            options="ensemble_pdf.options:PdfOptions",
            summary="PDF documents; a scan inside is taken as it is, all else is rendered",
            accepts=("application/pdf",),
            version="1",
            requires=(Requirement("module", "pypdfium2", "pip install pypdfium2"),),
        )
    ]
