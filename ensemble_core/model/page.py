"""Documents and pages on their way from loader to recognizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from .geometry import Affine


@attrs.frozen
class Document:
    """One input.

    Attributes:
        path: Where its bytes are (a private copy when they came from a stream).
        name: What messages and output names call it (``sonata.pdf``).
        media_type: Sniffed from the content, never from the suffix.
        sha256: Hash of the bytes, hexadecimal.
        size: Number of bytes.
    """

    path: Path
    name: str
    media_type: str
    sha256: str
    size: int


@attrs.frozen
class PageInfo:
    """What a loader knows of a page before it decodes it.

    Attributes:
        index: 0-based position in the document.
        width, height: Size in pixels the decoded page will have.
        dpi: Resolution, where the file tells it.
    """

    index: int
    width: int
    height: int
    dpi: float | None = None


@attrs.frozen
class Step:
    """One thing that was done to a page: which component, with which options."""

    component: str
    options: dict[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class Page:
    """A picture of one page. The pixels stay in ``image`` until somebody opens it.

    Attributes:
        index: 0-based position in the document.
        image: A picture file in the workspace; open it with
            :func:`ensemble_core.imaging.open_image`.
        width, height: Size in pixels.
        dpi: Resolution, where known.
        to_source: Maps pixels of this picture to pixels of the page as the loader gave it.
        history: The preprocessors this page has been through, first to last.
    """

    index: int
    image: Path
    width: int
    height: int
    dpi: float | None = None
    to_source: Affine = attrs.field(factory=Affine)
    history: tuple[Step, ...] = ()
