"""The score: what every recognizer gives and every exporter takes."""

from __future__ import annotations

from pathlib import Path

import attrs

from .diagnostic import Diagnostic
from .geometry import Box


@attrs.frozen
class Element:
    """A symbol of the score and where it was seen.

    Attributes:
        id: The ``id`` of the element in the MusicXML it became.
        kind: ``note``, ``rest``, ``clef``, ``key``, ``time``, ``measure``, ``barline`` …
        page: 0-based page of the document.
        box: Where it is, in pixels of the page as the loader gave it. A recognizer
            gives boxes in pixels of the page it was handed; the pipeline maps them back.
        confidence: 0 to 1, or None if the recognizer does not say.
    """

    id: str
    kind: str
    page: int
    box: Box
    confidence: float | None = None


@attrs.frozen
class PageOfScore:
    """Which measures a page holds, and how it looked.

    Attributes:
        page: 0-based page of the document.
        first_measure: 0-based position, in each part, of the page's first measure.
        measures: How many measures the page holds.
        width, height: Size of the source page in pixels; 0 if unknown.
        picture: The source page, for exporters that declare ``needs_pictures``.
    """

    page: int
    first_measure: int
    measures: int
    width: int = 0
    height: int = 0
    picture: Path | None = None


@attrs.frozen
class Score:
    """One MusicXML 4.0 partwise document and what is known about how it came to be.

    Attributes:
        musicxml: The document, UTF-8. Every element named in ``elements`` has that ``id``.
        title: The work's title, where known.
        pages: Page by page, in order; empty when the input was a score already.
        elements: Boxes and confidences, where the recognizer gives them.
        diagnostics: What the reader noticed (a bar that does not add up, …).
    """

    musicxml: bytes
    title: str = ""
    pages: tuple[PageOfScore, ...] = ()
    elements: tuple[Element, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


@attrs.frozen
class Artifact:
    """One file an exporter made.

    Attributes:
        path: The file in the workspace; the pipeline moves it to its place.
        media_type: ``audio/midi``, ``image/svg+xml`` …
        suffix: What follows the document's stem in the file name: ``.mid``, or
            ``-2.svg`` for the second of several.
    """

    path: Path
    media_type: str
    suffix: str
