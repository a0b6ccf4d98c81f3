"""What stands on a PDF page: a scan that fills it, or things that have to be rendered.

Only PDFium's object list is looked at; nothing is decoded.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import attrs

_DEEPEST = 8
"""Forms may nest; deeper than this nobody places a scan."""
_MOST = 1_000_000
"""Objects looked at; forms that use forms can multiply without end."""
_UNSEEN_ANNOTATIONS = (2, 16, 20)
"""PDFium's subtypes link, popup and widget: they paint nothing over the music."""

Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@attrs.frozen
class Placed:
    """An image on a page.

    Attributes:
        raw: PDFium's handle; valid while the page is open.
        width, height: In pixels.
        matrix: Maps the unit square (y upwards) onto the page, in points.
    """

    raw: Any
    width: int
    height: int
    matrix: Matrix

    @property
    def dpi(self) -> tuple[float, float]:
        """Resolution along the image's own x and y."""
        a, b, c, d, _, _ = self.matrix
        across, up = math.hypot(a, b), math.hypot(c, d)
        return (
            72.0 * self.width / across if across else 0.0,
            72.0 * self.height / up if up else 0.0,
        )

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top on the page, in points."""
        a, b, c, d, e, f = self.matrix
        xs, ys = (e, e + a, e + c, e + a + c), (f, f + b, f + d, f + b + d)
        return min(xs), min(ys), max(xs), max(ys)


@attrs.frozen
class Content:
    """Attributes:
    images: All images on the page.
    others: Whether anything else is painted that can be seen.
    """

    images: tuple[Placed, ...]
    others: bool


def content(page: Any) -> Content:
    """List what is painted on an open ``pypdfium2.PdfPage``."""
    from pypdfium2 import raw as pdfium

    images: list[Placed] = []
    others = _annotated(page, pdfium)
    for handle, matrix in islice(_objects(page, pdfium), _MOST):
        kind = pdfium.FPDFPageObj_GetType(handle)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            width, height = ctypes.c_uint(), ctypes.c_uint()
            pdfium.FPDFImageObj_GetImagePixelSize(handle, width, height)
            images.append(Placed(handle, width.value, height.value, matrix))
        elif not others:
            others = _visible(handle, kind, pdfium)
    return Content(tuple(images), others)


def _objects(page: Any, pdfium: Any) -> Iterator[tuple[Any, Matrix]]:
    count = pdfium.FPDFPage_CountObjects(page)
    for number in range(count):
        yield from _inside(pdfium.FPDFPage_GetObject(page, number), _IDENTITY, 0, pdfium)


def _inside(handle: Any, outer: Matrix, depth: int, pdfium: Any) -> Iterator[tuple[Any, Matrix]]:
    kind = pdfium.FPDFPageObj_GetType(handle)
    if kind not in (pdfium.FPDF_PAGEOBJ_FORM, pdfium.FPDF_PAGEOBJ_IMAGE):
        yield handle, outer
        return
    own = pdfium.FS_MATRIX()
    pdfium.FPDFPageObj_GetMatrix(handle, own)
    matrix = _product((own.a, own.b, own.c, own.d, own.e, own.f), outer)
    if kind == pdfium.FPDF_PAGEOBJ_IMAGE or depth >= _DEEPEST:
        yield handle, matrix
        return
    for number in range(pdfium.FPDFFormObj_CountObjects(handle)):
        inner = pdfium.FPDFFormObj_GetObject(handle, number)
        yield from _inside(inner, matrix, depth + 1, pdfium)


def _product(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return (
        a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j,
        e * g + f * i + k, e * h + f * j + m,
    )  # fmt: skip


def _visible(handle: Any, kind: int, pdfium: Any) -> bool:
    if kind == pdfium.FPDF_PAGEOBJ_TEXT:
        # What OCR puts behind or over a scan is text that is not painted.
        mode = pdfium.FPDFTextObj_GetTextRenderMode(handle)
        return bool(mode != pdfium.FPDF_TEXTRENDERMODE_INVISIBLE)
    if kind == pdfium.FPDF_PAGEOBJ_PATH:
        fill, stroke = ctypes.c_int(), pdfium.FPDF_BOOL()
        if pdfium.FPDFPath_GetDrawMode(handle, fill, stroke):
            return bool(fill.value or stroke.value)
    return True


def _annotated(page: Any, pdfium: Any) -> bool:
    for number in range(pdfium.FPDFPage_GetAnnotCount(page)):
        note = pdfium.FPDFPage_GetAnnot(page, number)
        if not note:
            continue
        kind = pdfium.FPDFAnnot_GetSubtype(note)
        pdfium.FPDFPage_CloseAnnot(note)
        if kind not in _UNSEEN_ANNOTATIONS:
            return True
    return False
