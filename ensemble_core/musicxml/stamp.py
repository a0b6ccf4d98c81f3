"""How a score came to be, written into the score itself."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from ensemble_core.model import InputError, Score

from .reading import Element, parse, serialize

SOFTWARE_PREFIX = "Ensemble"
FIELD_PREFIX = "ensemble-"

# What XML 1.0 cannot hold, as a file name may.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD_ENDS, _END = b"</part-list>", b"</score-partwise>"
_BEFORE_IDENTIFICATION = ("work", "movement-number", "movement-title")
_BEFORE_ENCODING = ("creator", "rights")


def stamp(score: Score, provenance: Mapping[str, str]) -> Score:
    """The score with its provenance in ``identification``; nothing in it depends on the clock.

    ``encoding/software`` says ``Ensemble`` and the version, each entry of ``provenance``
    becomes a ``miscellaneous-field`` called ``ensemble-KEY``. Stamping again replaces what
    the first stamp wrote. The encoding date a recognizer may have written is taken out, so
    that the same page always gives the same bytes; a score that was the input keeps its own.

    Args:
        score: What was read, joined.
        provenance: Key (``recognizer``, ``preprocess``, ``ensemble`` …) to one line of text.
            ``ensemble`` is the version of Ensemble, and stands in ``software`` alone.
    """
    root, rest = _head(score.musicxml)
    identification = child_of(root, "identification", _BEFORE_IDENTIFICATION)
    encoding = child_of(identification, "encoding", _BEFORE_ENCODING)
    if score.pages:
        for date in encoding.findall("encoding-date"):
            encoding.remove(date)
    for software in encoding.findall("software"):
        if (software.text or "").split(" ")[0] == SOFTWARE_PREFIX:
            encoding.remove(software)
    version = provenance.get("ensemble", "")
    _append(encoding, "software", f"{SOFTWARE_PREFIX} {version}".strip())
    fields = child_of(identification, "miscellaneous", None)
    for key in sorted(set(provenance) - {"ensemble"}):
        set_field(fields, FIELD_PREFIX + key, provenance[key])
    if not rest:
        return attrs.evolve(score, musicxml=serialize(root))
    return attrs.evolve(score, musicxml=serialize(root).rpartition(_END)[0] + rest)


def _head(musicxml: bytes) -> tuple[Element, bytes]:
    """The tree of all that stands before the parts, and the bytes from there on.

    A book of 500 pages is not taken apart for a few lines at its top. Where the head alone
    cannot be read, the tree is the whole document and the rest is empty.
    """
    head, found, rest = musicxml.partition(_HEAD_ENDS)
    if found and rest.rstrip().endswith(_END):
        try:
            return parse(head + found + _END), rest
        except InputError:
            pass
    return parse(musicxml), b""


def set_field(fields: Element, name: str, text: str) -> None:
    """Write one ``miscellaneous-field``, in place of one of that name."""
    for field in fields.findall("miscellaneous-field"):
        if field.get("name") == name:
            fields.remove(field)
    _append(fields, "miscellaneous-field", _UNWRITABLE.sub(" ", text)).set("name", name)


def child_of(parent: Element, tag: str, before: tuple[str, ...] | None) -> Element:
    """The child of that name, made after the ones in ``before`` (None: last) if need be."""
    from lxml import etree

    found = parent.find(tag)
    if found is None:
        last = len(parent)
        place = last if before is None else sum(1 for child in parent if child.tag in before)
        found = etree.Element(tag)
        parent.insert(place, found)
    return found


def _append(parent: Element, tag: str, text: str) -> Element:
    from lxml import etree

    child = etree.SubElement(parent, tag)
    child.text = text
    return child
