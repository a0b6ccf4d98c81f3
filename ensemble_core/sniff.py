"""What a file is, by its content alone: suffixes lie, and users rename things.

Standard library only. At most 64 KB are read from the start of a file, and for a ZIP as
many from its end, where its directory stands.
"""

from __future__ import annotations

import re
from pathlib import Path

from .model import InputError

HEAD = 65536
"""How many bytes from either end of a file are looked at."""

PNG = "image/png"
JPEG = "image/jpeg"
TIFF = "image/tiff"
GIF = "image/gif"
BMP = "image/bmp"
WEBP = "image/webp"
PNM = "image/x-portable-anymap"
PDF = "application/pdf"
MUSICXML = "application/vnd.recordare.musicxml+xml"
MXL = "application/vnd.recordare.musicxml"
MIDI = "audio/midi"
UNKNOWN = "application/octet-stream"

IMAGES = (PNG, JPEG, TIFF, GIF, BMP, WEBP, PNM)

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"MThd", MIDI),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"AT&TFORM", "image/vnd.djvu"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"%!PS", "application/postscript"),
)
_BRANDS = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"avif": "image/avif",
}
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
_PNM = re.compile(rb"P[1-6][\s#]")
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_WIDE = ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")

_NAME = r"(?:[\w.-]+:)?([\w.-]+)"
_MISC = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
_DOCTYPE = re.compile(rf"<!DOCTYPE\s+{_NAME}", re.IGNORECASE)
_REST_OF_DOCTYPE = re.compile(r"[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL)
_ROOT = re.compile(rf"<{_NAME}(?=[\s/>])")
_ROOTS = {
    "score-partwise": MUSICXML,
    "score-timewise": MUSICXML,
    "html": "text/html",
    "svg": "image/svg+xml",
}


def sniff(source: str | Path | bytes) -> str:
    """The media type of a file or of its first bytes; ``application/octet-stream`` if unknown.

    Args:
        source: Path of the file, or its content (the first 64 KB are enough).

    Raises:
        InputError: The file cannot be read. Bytes never raise.
    """
    if isinstance(source, bytes):
        head, tail = source[:HEAD], source[HEAD:][-HEAD:]
    else:
        head, tail = _read(Path(source))
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(head, tail)
    return _binary(head) or _text(head)


def _read(path: Path) -> tuple[bytes, bytes]:
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD)
            if not head.startswith(b"PK"):
                return head, b""
            size = stream.seek(0, 2)
            stream.seek(max(len(head), size - HEAD))
            return head, stream.read(HEAD)
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read: {error.strerror or error}") from error


def _binary(head: bytes) -> str:
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return BMP
    if _PNM.match(head):
        return PNM
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    # Readers allow up to 1 KB of other bytes before the header (PDF 1.7, annex H.3.4.1).
    if b"%PDF-" in head[:1024]:
        return PDF
    return ""


def _text(head: bytes) -> str:
    text = _decode(head)
    if text is None:
        return UNKNOWN
    start = text.lstrip()[:1]
    if start == "<" and (found := _markup(text)):
        return found
    return "text/plain" if text and not _CONTROL.search(text) else UNKNOWN


def _decode(head: bytes) -> str | None:
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return head[len(bom) :].decode(encoding, "replace")
    for start, encoding in _WIDE:
        if head.startswith(start):
            return head.decode(encoding, "replace")
    if head.lstrip().startswith(b"<"):
        # The declaration may name any encoding; markup itself is ASCII in all that matter.
        return head.decode("latin-1")
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError as error:
        cut = len(head) == HEAD and error.start > HEAD - 4
        return head[: error.start].decode("utf-8") if cut else None


def _markup(text: str) -> str:
    """The type of an XML or HTML document by its root element, or by its DOCTYPE."""
    at = _skip(text, 0)
    named = ""
    if doctype := _DOCTYPE.match(text, at):
        named = doctype[1].lower()
        rest = _REST_OF_DOCTYPE.match(text, doctype.end())
        at = _skip(text, rest.end()) if rest else len(text)
    root = _ROOT.match(text, at)
    name = root[1].lower() if root else named
    if name in _ROOTS:
        return _ROOTS[name]
    return "application/xml" if text.lstrip().startswith("<?xml") or named or root else ""


def _skip(text: str, at: int) -> int:
    while found := _MISC.match(text, at):
        at = found.end()
    return at


def _zip(head: bytes, tail: bytes) -> str:
    """Tell a compressed MusicXML from the many other formats that are ZIPs too."""
    names = _names(head, b"PK\x03\x04", 26, 30) | _names(head, b"PK\x01\x02", 28, 46)
    names |= _names(tail, b"PK\x01\x02", 28, 46)
    if head[30:38] == b"mimetype":
        declared = head[38 + int.from_bytes(head[28:30], "little") :][:100]
        if declared.startswith(MXL.encode()):
            return MXL
        if declared.startswith(b"application/"):
            found = re.match(rb"application/[\w.+-]+?(?=PK|[^\w.+-]|$)", declared)
            return found[0].decode() if found else "application/zip"
    lower = {name.lower() for name in names}
    if any(name.endswith((b".mscx", b".mscz")) for name in lower):
        return "application/x-musescore+zip"
    if b"[content_types].xml" in lower:
        return "application/zip"
    if b"meta-inf/container.xml" in lower or any(name.endswith(b".musicxml") for name in lower):
        return MXL
    # Some programs leave the container out; one XML file alone can only be the score.
    return MXL if len(lower) == 1 and all(n.endswith(b".xml") for n in lower) else "application/zip"


def _names(data: bytes, magic: bytes, length_at: int, name_at: int) -> set[bytes]:
    """File names in the ZIP headers of one kind (local, or of the central directory)."""
    names: set[bytes] = set()
    at = data.find(magic)
    while at >= 0:
        length = int.from_bytes(data[at + length_at : at + length_at + 2], "little")
        names.add(data[at + name_at : at + name_at + length])
        at = data.find(magic, at + 4)
    return names
