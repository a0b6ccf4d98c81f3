"""Reading MusicXML safely, and small helpers for XML that may hold anything."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from ensemble_core.model import InputError

_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?")
_TYPES = {
    "maxima": 32, "long": 16, "breve": 8, "whole": 4, "half": 2, "quarter": 1, "eighth": 1 / 2,
    "16th": 1 / 4, "32nd": 1 / 8, "64th": 1 / 16, "128th": 1 / 32, "256th": 1 / 64,
    "512th": 1 / 128, "1024th": 1 / 256,
}  # fmt: skip


def parse(musicxml: bytes) -> Any:
    """The root of a MusicXML partwise document; no entity is expanded, nothing fetched.

    Raises:
        InputError: It is not well-formed, not partwise MusicXML, or declares entities.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(musicxml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        reason = (str(error) or "empty").splitlines()[0]
        raise InputError(f"the score is not well-formed XML: {reason}") from error
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and any(True for _ in dtd.iterentities()):
        raise InputError("the score declares XML entities, which MusicXML does not need")
    if root.tag != "score-partwise":
        raise InputError(
            f"the score is <{str(root.tag)[:40]}>, not a <score-partwise>",
            hint="save it as partwise MusicXML",
        )
    return root


def number(text: str | None) -> Fraction | None:
    """A plain decimal number, exactly; None for anything else."""
    words = (text or "").strip()
    return Fraction(words) if _NUMBER.fullmatch(words) else None


def whole(text: str | None, low: int, high: int) -> int | None:
    """A whole number within bounds; None for anything else."""
    value = number(text)
    if value is None or value.denominator != 1 or not low <= value <= high:
        return None
    return int(value)


def type_length(note: Any) -> Fraction | None:
    """Length in quarter notes of a note by its ``<type>``, dots and tuplet; None: no type."""
    base = _TYPES.get((note.findtext("type") or "").strip())
    if base is None:
        return None
    length = Fraction(base)
    dots = min(len(note.findall("dot")), 4)
    length *= 2 - Fraction(1, 2**dots)
    actual = whole(note.findtext("time-modification/actual-notes"), 1, 1000)
    normal = whole(note.findtext("time-modification/normal-notes"), 1, 1000)
    return length * normal / actual if actual and normal else length
