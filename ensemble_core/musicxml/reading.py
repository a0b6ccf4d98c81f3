"""Bytes to an element tree and back, with nothing loaded and nothing expanded on the way."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from ensemble_core.model import InputError, Score

MEDIA_TYPE = "application/vnd.recordare.musicxml+xml"
MXL_MEDIA_TYPE = "application/vnd.recordare.musicxml"

DOCTYPE = (
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">'
)
PROLOG = b'<?xml version="1.0" encoding="UTF-8"?>\n' + DOCTYPE.encode() + b"\n"

Element = Any
"""An lxml element; lxml ships no types."""


class _Stop(Exception):
    """The prolog is over."""


def parse(data: bytes, what: str = "score") -> Element:
    """The root element of an XML document that nobody vouches for.

    A DOCTYPE may stand there, but is never loaded; a document that declares entities is
    refused, and libxml2's own bounds on depth and text length stay on.

    Args:
        data: The document; UTF-8, UTF-16 or whatever its declaration says.
        what: What messages call it.

    Raises:
        InputError: It is empty, not well-formed, or declares entities.
    """
    from lxml import etree

    if not data.strip(b"\x00 \t\r\n"):
        raise InputError(f"{what}: the file is empty")
    _refuse_entities(data, what)
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        reason = str(error).splitlines()[0] if str(error) else "not XML"
        raise InputError(f"{what}: not well-formed XML: {reason}") from error
    subset = root.getroottree().docinfo.internalDTD
    if subset is not None and next(iter(subset.iterentities()), None) is not None:
        raise InputError(f"{what}: the XML declares entities, which Ensemble does not expand")
    return root


def _refuse_entities(data: bytes, what: str) -> None:
    """Look at the prolog alone, before the real parser expands anything in attributes."""

    def entity(*_: object) -> None:
        raise InputError(f"{what}: the XML declares entities, which Ensemble does not expand")

    def stop(*_: object) -> None:
        raise _Stop

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = entity
    parser.StartElementHandler = stop
    try:
        for start in range(0, len(data), 65536):
            parser.Parse(data[start : start + 65536], False)
    except _Stop:
        return
    except (expat.ExpatError, ValueError, LookupError):
        return  # the real parser says what is wrong


def serialize(root: Element) -> bytes:
    """The document as UTF-8 with declaration and DOCTYPE; the same tree, the same bytes."""
    from lxml import etree

    body: bytes = etree.tostring(root, encoding="utf-8")
    return PROLOG + body + b"\n"


def title_of(root: Element) -> str:
    """The work's title, else the movement's, else the credit called a title; may be empty."""
    for path in ("work/work-title", "movement-title"):
        text = " ".join((root.findtext(path) or "").split())
        if text:
            return text
    for credit in root.iterfind("credit"):
        if (credit.findtext("credit-type") or "").strip() == "title":
            return " ".join((credit.findtext("credit-words") or "").split())
    return ""


def score_from(root: Element) -> Score:
    """A :class:`Score` around a tree, its title read from it."""
    return Score(musicxml=serialize(root), title=title_of(root))
