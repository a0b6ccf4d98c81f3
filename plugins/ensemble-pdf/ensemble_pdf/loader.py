"""The ``pdf`` loader, by PDFium (https://pdfium.googlesource.com/pdfium/)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ensemble_core.imaging import save
from ensemble_core.model import (
    ConfigError,
    Context,
    Diagnostic,
    Document,
    InputError,
    LimitExceeded,
    OutputError,
    Page,
    PageInfo,
)

from .content import Content, content
from .options import PdfOptions
from .resolution import Raster, choose
from .scan import Scan, filling_dpi, plain, take, the_scan

if TYPE_CHECKING:
    from PIL.Image import Image

_pdfium = threading.RLock()
"""PDFium must not be used by two threads at once."""


class PdfLoader:
    """Gives the pages of a PDF document: a scan as it is, anything else rendered."""

    def __init__(self, options: PdfOptions) -> None:
        self._options = options

    def inspect(self, document: Document, ctx: Context) -> tuple[PageInfo, ...]:
        """List the pages; nothing is rendered or decoded.

        In a document of more pages than the limit allows, sizes are told without looking
        for scans: the user has to choose pages before any is loaded.

        Raises:
            InputError: The document is encrypted, broken, or has no pages.
        """
        infos = []
        with _opened(document, self._password()) as pdf:
            count = len(pdf)
            for index in range(count):
                ctx.check()
                if count > ctx.limits.max_pages:
                    infos.append(self._from_size(pdf, index, document, ctx))
                else:
                    infos.append(self._from_content(pdf, index, document, ctx))
        return tuple(infos)

    def load(self, document: Document, index: int, ctx: Context) -> Page:
        """Take the scan out of a page, or render it.

        Raises:
            InputError: The document or the page is broken.
            LimitExceeded: The page, or an image on it, is too large; nothing was decoded.
        """
        what = f"{document.name}, page {index + 1}"
        with _opened(document, self._password()) as pdf:
            if not 0 <= index < len(pdf):
                raise InputError(f"{document.name}: has no page {index + 1}")
            with _page(pdf, index, what) as page:
                found = content(page)
                for placed in found.images:
                    ctx.limits.check_pixels(placed.width, placed.height, f"{what}, an image on it")
                ctx.check()
                scan = self._scan(page, found)
                image, jpeg = take(scan, page) if scan else (None, b"")
                if scan and image:
                    return _stored(index, image, jpeg, scan.dpi, ctx)
                ctx.check()
                raster = self._raster(page, found, what, ctx, scan)
                image = _render(page, raster)
        if raster.dpi < raster.wanted:
            ctx.report(
                Diagnostic(
                    "warning", "resolution-lowered",
                    f"page {index + 1} is rendered at {raster.dpi:.0f} dpi instead of"
                    f" {raster.wanted:.0f}, to stay within {ctx.limits.max_pixels:,} pixels",
                    hint="raise limits.max-pixels for more", page=index,
                )
            )  # fmt: skip
        return _stored(index, image, b"", raster.dpi, ctx)

    def _password(self) -> str:
        name = self._options.password_file
        if not name:
            return self._options.password
        try:
            lines = Path(name).expanduser().read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ConfigError(f"the password file {name} cannot be read: {reason}") from error
        return lines[0] if lines else ""

    def _from_size(self, pdf: Any, index: int, document: Document, ctx: Context) -> PageInfo:
        from pypdfium2 import PdfiumError

        try:
            size = pdf.get_page_size(index)
            raster = choose(size, ctx.limits, document.name, fixed=self._options.dpi)
        except (PdfiumError, LimitExceeded, ZeroDivisionError):
            return PageInfo(index, 0, 0)  # loading it says what is wrong
        return PageInfo(index, raster.width, raster.height, raster.dpi)

    def _from_content(self, pdf: Any, index: int, document: Document, ctx: Context) -> PageInfo:
        try:
            with _page(pdf, index, document.name) as page:
                found = content(page)
                if scan := self._scan(page, found):
                    return PageInfo(index, scan.width, scan.height, round(scan.dpi, 2))
                raster = self._raster(page, found, document.name, ctx)
        except (InputError, LimitExceeded):
            if len(pdf) == 1:
                raise
            return PageInfo(index, 0, 0)  # the other pages are worth having; load() says why
        return PageInfo(index, raster.width, raster.height, round(raster.dpi, 2))

    def _scan(self, page: Any, found: Content) -> Scan | None:
        if not self._options.scans:
            return None
        return the_scan(found, _box(page), page.get_rotation())

    def _raster(
        self, page: Any, found: Content, what: str, ctx: Context, scan: Scan | None = None
    ) -> Raster:
        # A scan that cannot be taken (a mask, a decode array) is rendered pixel by pixel.
        fixed = scan.dpi if scan else self._options.dpi
        size = page.get_width(), page.get_height()
        filling = filling_dpi(found, _box(page))
        return choose(size, ctx.limits, what, fixed=fixed, scan=filling)


@contextmanager
def _opened(document: Document, password: str) -> Iterator[Any]:
    import pypdfium2

    with _pdfium:
        try:
            pdf = pypdfium2.PdfDocument(
                _source(document.path), password=password or None, autoclose=True
            )
        except pypdfium2.PdfiumError as error:
            raise _refusal(document, password) from error
        except OSError as error:
            raise InputError(f"{document.name}: cannot be read: {error.strerror}") from error
        try:
            yield pdf
        finally:
            pdf.close()


def _source(path: Path) -> Path | BinaryIO:
    """The path, or the open file where the path is no UTF-8, which pypdfium2 4 cannot take."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return path.open("rb")
    return path


def _refusal(document: Document, password: str) -> InputError:
    """Why a document did not open."""
    from pypdfium2 import raw

    # PDFium's error number is only valid after a failure, and no pages are not one: a
    # number left over from another document must not be told for this one.
    path = str(document.path).encode("utf-8", "surrogateescape")
    handle = raw.FPDF_LoadDocument(path, password.encode() if password else None)
    name = document.name
    if handle:
        raw.FPDF_CloseDocument(handle)
        return InputError(f"{name}: the document has no pages")
    code = raw.FPDF_GetLastError()
    if code == raw.FPDF_ERR_PASSWORD:
        if password:
            return InputError(
                f"{name}: the password does not open the document", code="password-wrong"
            )
        return InputError(
            f"{name}: the document is encrypted",
            hint="give its password with -O pdf.password-file=FILE, or -O pdf.password=…",
            code="input-encrypted",
        )
    if code == raw.FPDF_ERR_SECURITY:
        return InputError(
            f"{name}: encrypted in a way that is not supported", code="input-encrypted"
        )
    return InputError(f"{name}: not a readable PDF document, it is damaged or incomplete")


@contextmanager
def _page(pdf: Any, index: int, what: str) -> Iterator[Any]:
    from pypdfium2 import PdfiumError

    try:
        page = pdf[index]
    except PdfiumError as error:
        raise InputError(f"{what}: the page is damaged") from error
    try:
        if not (page.get_width() > 0 and page.get_height() > 0):
            raise InputError(f"{what}: the page has no size")
        yield page
    finally:
        page.close()


def _box(page: Any) -> tuple[float, float, float, float]:
    """What of the page is displayed, in points; PDFium's own choice of box."""
    import ctypes

    from pypdfium2 import raw

    rect = raw.FS_RECTF()
    if raw.FPDF_GetPageBoundingBox(page, ctypes.byref(rect)):
        return rect.left, rect.bottom, rect.right, rect.top
    return 0.0, 0.0, page.get_width(), page.get_height()


def _render(page: Any, raster: Raster) -> Image:
    image = plain(page.render(scale=raster.scale).to_pil().copy())
    # Smooth edges are worth keeping even where a page happens to have none.
    return image.convert("L") if image.mode == "1" else image


def _stored(index: int, image: Image, jpeg: bytes, dpi: float, ctx: Context) -> Page:
    if jpeg:
        path = ctx.workspace / f"{index:05d}.jpg"
        _write(path, jpeg)
    else:
        path = ctx.workspace / f"{index:05d}{'.tif' if image.mode in ('CMYK', 'F') else '.png'}"
        save(image, path)
    return Page(index, path, image.width, image.height, round(dpi, 2))


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OutputError(
            f"{path.name} cannot be written into the workspace: {error.strerror}"
        ) from error
