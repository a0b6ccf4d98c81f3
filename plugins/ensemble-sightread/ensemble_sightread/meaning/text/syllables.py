"""The syllables of a line of words: cut at hyphens, marks beside them put back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import attrs

from ensemble_core.model import Box

from ...symbols import SPACE, Word
from .cuts import share
from .verses import DASHES

ENDS = ",;.:!?"
"""Marks that no hyphen follows; what follows them is an extender."""
WIDE = 0.19
"""From which part of a small letter's height on the paper between letters is wide."""
NBSP = "\u00a0"
_PIECE = re.compile(rf"[{re.escape(DASHES)}]+|[^\s_{re.escape(DASHES)}]+")
_NUMBER = re.compile(r"[(\[]?\d{1,2}[.)\]]*")


@attrs.define(eq=False)
class Syllable:
    """A syllable, or a word of one.

    Attributes:
        text: Without hyphens.
        box: Where it stands.
        confidence: Of its text, 0 to 1.
        before, after: Whether a hyphen joins it to the one before it or behind it.
        edges: x of where each letter begins and the last one ends; empty if not known.
        wide: Before which letters there is more paper than between letters of a word.
    """

    text: str
    box: Box
    confidence: float
    before: bool = False
    after: bool = False
    edges: tuple[float, ...] = ()
    wide: frozenset[int] = frozenset()


def syllables(words: Sequence[Word]) -> list[Syllable]:
    """The syllables of a line, from left to right.

    Args:
        words: From left to right. A hyphen may be part of a word, at its end or amid it, or a
            word by itself.
    """
    found: list[Syllable] = []
    number, hyphen = "", False
    bold = 2 * sum(word.bold for word in words) > len(words)
    for piece in _pieces(word for word in words if bold or not _is_stanza(word)):
        if piece.text == "-":
            hyphen = not found or found[-1].text[-1] not in ENDS
            if found:
                found[-1].after = hyphen
            continue
        if not any(c.isalpha() for c in piece.text):
            if _NUMBER.fullmatch(piece.text):
                number = piece.text if "." in piece.text or not found else ""
            elif found and piece.box.left - found[-1].box.right < 1.5 * SPACE:
                _append(found[-1], piece)
            continue
        piece.before = hyphen
        if number:
            piece.text, piece.edges = f"{number}{NBSP}{piece.text}", ()
        found.append(piece)
        number, hyphen = "", False
    return found


def _is_stanza(word: Word) -> bool:
    """Whether it is a bold number before a verse, which is no part of what is sung."""
    return word.bold and bool(_NUMBER.fullmatch(word.text))


def _append(syllable: Syllable, mark: Syllable) -> None:
    """Put a mark behind a syllable that stands apart from it, as French sets ``!``."""
    apart = mark.box.left - syllable.box.right > 0.25 * SPACE
    syllable.text += (NBSP if apart else "") + mark.text
    syllable.edges = ()
    syllable.box = Box(
        syllable.box.left, min(syllable.box.top, mark.box.top),
        mark.box.right, max(syllable.box.bottom, mark.box.bottom),
    )  # fmt: skip


def _pieces(words: Iterable[Word]) -> Iterator[Syllable]:
    """Words cut at hyphens and spaces; a hyphen is a piece, ``-``."""
    for word in words:
        edges = _edges(word)
        for match in _PIECE.finditer(word.text):
            first, last = match.span()
            text = "-" if match.group()[0] in DASHES else match.group()
            box = Box(edges[first], word.top, edges[last], word.bottom)
            yield Syllable(
                text, box, word.confidence, edges=tuple(edges[first : last + 1]),
                wide=frozenset(place - first for place in _wide(word) if first < place < last),
            )  # fmt: skip


def _edges(word: Word) -> list[float]:
    """Where each letter of a word begins and the last one ends."""
    if len(word.middles) != len(word.text):
        width = word.right - word.left
        return [word.left + width * part for part in share(word.text)]
    between = [(left + right) / 2 for left, right in pairwise(word.middles)]
    return [word.left, *between, word.right]


def _wide(word: Word) -> set[int]:
    """The letters before which there is more paper than between the letters of a word."""
    if len(word.blanks) != len(word.text) - 1:
        return set()
    return {
        place
        for place, blank in enumerate(word.blanks, 1)
        if blank > WIDE * word.height
        and word.text[place - 1].isalpha() and word.text[place].isalpha()
    }  # fmt: skip
