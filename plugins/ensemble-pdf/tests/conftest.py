"""What the tests share: a context, documents, and PDF files written object by object."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from ensemble_core.model import Context, Document

Build = Callable[..., Document]


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    workspace = tmp_path / "work"
    workspace.mkdir()
    return Context(workspace)


def document_of(path: Path) -> Document:
    data = path.read_bytes()
    return Document(path, path.name, "application/pdf", hashlib.sha256(data).hexdigest(), len(data))


@pytest.fixture
def document() -> Callable[[Path], Document]:
    return document_of


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """``build(object, object, …)``: a PDF of these objects; the first is the catalog."""

    def make(*objects: bytes, name: str = "made.pdf", keep: float = 1.0) -> Document:
        out, offsets = b"%PDF-1.7\n", []
        for number, body in enumerate(objects, 1):
            offsets.append(len(out))
            out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
        start = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
        out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        out += b"trailer\n<</Size %d/Root 1 0 R>>\n" % (len(objects) + 1)
        out += b"startxref\n%d\n%%%%EOF\n" % start
        path = tmp_path / name
        path.write_bytes(out[: int(len(out) * keep)])
        return document_of(path)

    return make


@pytest.fixture
def one_page(build: Build) -> Build:
    """``one_page(width, height, content, *objects)``: objects count from 5."""

    def make(
        width: float, height: float, content: bytes = b"", *objects: bytes, extra: bytes = b""
    ) -> Document:
        return build(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %f %f]/Contents 4 0 R%s>>"
            % (width, height, extra),
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
            *objects,
        )

    return make


@pytest.fixture
def scan() -> Image.Image:
    """A gray picture of staves and heads in which no direction looks like another."""
    image = Image.new("L", (850, 1100), 250)
    draw = ImageDraw.Draw(image)
    for staff in range(8):
        for line in range(5):
            y = 80 + staff * 120 + line * 10
            draw.line([(60, y), (790, y)], fill=10, width=2)
        for head in range(20):
            x, y = 80 + head * 35, 70 + staff * 120 + (head * 7) % 50
            draw.ellipse([(x, y), (x + 14, y + 10)], fill=5)
    draw.rectangle([20, 20, 200, 60], fill=0)
    return image
