"""Bad and odd PDF documents, written object by object."""

from __future__ import annotations

import hashlib

from .table import FINE, INPUT, LIMIT, BadFile, content

CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGES = b"<</Type/Pages/Kids[%s]/Count %d>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]%s>>"
PAD = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects; the first is the catalog."""
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\n" % (len(objects) + 1, trailer)
    return out + b"startxref\n%d\n%%%%EOF\n" % start


def stream(body: bytes, dictionary: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (dictionary, len(body), body)


def encrypted() -> bytes:
    """A PDF with the user password ``music``: RC4 of 40 bits (PDF 1.4, 3.5, revision 2)."""
    key_of = hashlib.md5((b"owner" + PAD)[:32]).digest()[:5]
    owner = rc4(key_of, (b"music" + PAD)[:32])
    ident, rights = b"0123456789abcdef", -44
    seed = (b"music" + PAD)[:32] + owner + rights.to_bytes(4, "little", signed=True) + ident
    user = rc4(hashlib.md5(seed).digest()[:5], PAD)
    locked = b"<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P %d>>" % (
        owner.hex().encode(), user.hex().encode(), rights,
    )  # fmt: skip
    trailer = b"/Encrypt 4 0 R/ID[<%s><%s>]" % (ident.hex().encode(), ident.hex().encode())
    return pdf(CATALOG, PAGES % (b"3 0 R", 1), PAGE % b"", locked, trailer=trailer)


def rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def many(pages: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, pages + 3))
    return pdf(CATALOG, PAGES % (kids, pages), *[PAGE % b""] * pages)


def drawing(xobject: bytes) -> bytes:
    page = PAGE % b"/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>"
    shown = stream(b"200 0 0 300 0 0 cm /X Do")
    return pdf(CATALOG, PAGES % (b"3 0 R", 1), page, shown, xobject)


ONE = pdf(CATALOG, PAGES % (b"3 0 R", 1), PAGE % b"/Contents 4 0 R", stream(b"9 9 50 50 re f"))
TEN = many(10)
IMAGE = b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8"
FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>"

DOCUMENTS = (
    BadFile("header-only.pdf", content(b"%PDF-1.7\n"), INPUT, "PDF"),
    BadFile("half.pdf", content(TEN[: len(TEN) // 4]), INPUT, "PDF"),
    BadFile("no-index.pdf", content(TEN[: TEN.index(b"xref")]), INPUT, "PDF"),
    BadFile("scrambled.pdf", content(ONE[:15] + b"\xa5" * len(ONE)), INPUT, "PDF"),
    BadFile("no-pages.pdf", content(pdf(CATALOG, PAGES % (b"", 0))), INPUT, "has no pages"),
    BadFile("no-catalog.pdf", content(pdf(b"<<>>")), INPUT, "PDF"),
    BadFile("encrypted.pdf", content(encrypted()), INPUT, "encrypted"),
    BadFile("ten-thousand-pages.pdf", content(lambda: many(10_000)), LIMIT, "10000 pages"),
    BadFile("tree-ring.pdf", content(pdf(CATALOG, PAGES % (b"2 0 R", 1))), INPUT, "damaged"),
    BadFile("count-lies.pdf", content(pdf(CATALOG, PAGES % (b"3 0 R", 10**8), PAGE % b"")), FINE),
    BadFile("form-ring.pdf", content(drawing(stream(b"/X Do", FORM))), FINE),
    BadFile("image-bomb.pdf", content(drawing(stream(b"!", IMAGE + b"/Width 60000/Height 60000"))),
            LIMIT, "60000 × 60000 pixels"),
    BadFile("image-broken.pdf", content(drawing(stream(b"!", IMAGE + b"/Width 600/Height 900"))),
            FINE),
    BadFile("no-size.pdf", content(pdf(CATALOG, PAGES % (b"3 0 R", 1),
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 0 0]>>")), FINE),
    BadFile("really-a-pdf.png", content(ONE), FINE),
)  # fmt: skip
