"""Which part of a page is which part of the score: order, staves, names and clefs decide."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

import attrs

from .reading import Element

_NEUTRAL = re.compile(r"(musicxml )?(part|music|staff|instrument|track|unnamed|p)? ?\d*$")


@attrs.frozen
class PartLook:
    """What is known of a part when it is to be recognised again on another page.

    Attributes:
        staves: How many it has.
        names: Its name and abbreviation, folded; names that say nothing are left out.
        clefs: The clef of each staff (``G2/0``); empty where unknown.
    """

    staves: int
    names: frozenset[str]
    clefs: tuple[str, ...]


def folded_names(score_part: Element) -> frozenset[str]:
    """Name and abbreviation without case, accents, dots and spaces doubled."""
    found = set()
    for tag in ("part-name", "part-abbreviation"):
        text = unicodedata.normalize("NFKD", score_part.findtext(tag) or "")
        text = "".join(c for c in text if not unicodedata.combining(c)).casefold()
        text = " ".join(re.sub(r"[^\w ]", " ", text).split())
        if text and not _NEUTRAL.match(text):
            found.add(text)
    return frozenset(found)


def match(known: Sequence[PartLook], seen: Sequence[PartLook]) -> list[int | None]:
    """For each part of a page the position of the known part it is; None: a new one.

    The order of parts never changes from page to page, so this is a global alignment of
    two sequences (Needleman and Wunsch 1970) that maximises :func:`likeness`; parts left
    out on either side cost nothing. Where the staves are grouped alike and no name is
    found again (names are easily misread), the order alone decides.
    """
    alike = [part.staves for part in known] == [part.staves for part in seen]
    if alike and not any(_same_name(a.names, b.names) for a in known for b in seen):
        return list(range(len(seen)))
    rows, columns = len(known), len(seen)
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            pair = likeness(known[i], seen[j]) + best[i + 1][j + 1]
            best[i][j] = max(pair, best[i + 1][j], best[i][j + 1])
    found: list[int | None] = [None] * columns
    i = j = 0
    while i < rows and j < columns:
        like = likeness(known[i], seen[j])
        if like > 0 and best[i][j] == like + best[i + 1][j + 1]:
            found[j] = i
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def may_be(known: Sequence[PartLook], seen: Sequence[PartLook]) -> bool:
    """Whether nothing in their names speaks against two groups of parts being the same."""
    if not any(part.names for part in known):
        return True
    return all(
        not part.names or any(_same_name(one.names, part.names) for one in known) for part in seen
    )


def likeness(known: PartLook, seen: PartLook) -> int:
    """How much speaks for two parts being the same; not above 0: they are not."""
    points = 8 if known.staves == seen.staves else -12
    if known.names and seen.names:
        points += 10 if _same_name(known.names, seen.names) else -20
    for one, other in zip(known.clefs, seen.clefs, strict=False):
        if one and other:
            points += 2 if one == other else -1
    return points


def _same_name(known: frozenset[str], seen: frozenset[str]) -> bool:
    return any(
        _abbreviates(a, b) or _abbreviates(b, a) or _misread(a, b) for a in known for b in seen
    )


def _misread(one: str, other: str) -> bool:
    """Whether two names differ by no more than a misread letter (``flute``, ``fiute``)."""
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= 0.8


def _abbreviates(short: str, long: str) -> bool:
    """Whether ``vln 2`` may stand for ``violin 2``: same first letter, letters in order."""
    number_short, number_long = (
        re.findall(r"\d+|\b[iv]+$", short),
        re.findall(r"\d+|\b[iv]+$", long),
    )
    if number_short and number_long and number_short != number_long:
        return False
    letters = iter(long.replace(" ", ""))
    return short[:1] == long[:1] and all(c in letters for c in short.replace(" ", ""))
