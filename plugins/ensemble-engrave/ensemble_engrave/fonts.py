"""The fonts inside Verovio's SVG, made ready for a PDF.

Asked for ``fontTextLiberation``, Verovio writes the text font (Liberation Serif, SIL Open
Font License) into the SVG as WOFF2, the very font it measured words with; symbols inside
words (a note in a tempo mark) come as one more such font. So a PDF looks the same on every
machine, whatever fonts are installed there.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache

import attrs

_FACE = re.compile(r"@font-face\s*\{(.*?)\}", re.DOTALL)
_FAMILY = re.compile(r"font-family:\s*['\"]?([^;'\"]+)")
_DATA = re.compile(r"url\(\s*['\"]?data:[^,]*base64,([^)'\"]+)")


@attrs.frozen
class Face:
    """One cut of a family, as CSS tells them apart."""

    family: str
    bold: bool = False
    italic: bool = False


class Fonts:
    """Fonts found so far, by face; one is decoded when the first word needs it."""

    def __init__(self) -> None:
        self._data: dict[Face, str] = {}

    def read(self, css: str) -> None:
        """Take in the ``@font-face`` rules of a style sheet."""
        for body in _FACE.findall(css):
            family, data = _FAMILY.search(body), _DATA.search(body)
            if not family or not data:
                continue
            face = Face(
                family.group(1).strip(),
                bool(re.search(r"font-weight:\s*bold", body)),
                bool(re.search(r"font-style:\s*italic", body)),
            )
            self._data.setdefault(face, data.group(1))

    def name(self, family: str, *, bold: bool, italic: bool) -> str:
        """What ReportLab calls the closest font there is; Times when there is none."""
        for face in (
            Face(family, bold, italic),
            Face(family, bold),
            Face(family, italic=italic),
            Face(family),
        ):
            if face in self._data:
                return _registered(self._data[face])
        suffix = {(1, 0): "Bold", (0, 1): "Italic", (1, 1): "BoldItalic"}.get((bold, italic))
        return f"Times-{suffix}" if suffix else "Times-Roman"


@lru_cache(maxsize=16)
def _registered(encoded: str) -> str:
    """Decode a font, once per process; gives what ReportLab calls it."""
    name = "F" + hashlib.sha256(encoded.encode()).hexdigest()[:12]
    _embed(name, base64.b64decode(encoded))
    return name


def _embed(name: str, woff2: bytes) -> None:
    """Register a WOFF2 font with ReportLab under ``name``."""
    import io

    from fontTools.ttLib import TTFont as FontFile
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    if name in pdfmetrics.getRegisteredFontNames():
        return
    font = FontFile(io.BytesIO(woff2), recalcTimestamp=False)
    font.flavor = None
    plain = io.BytesIO()
    font.save(plain, reorderTables=False)
    plain.seek(0)
    pdfmetrics.registerFont(TTFont(name, plain))
