"""Cutting words into syllables where no hyphen is printed, because there was no room for one."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from itertools import combinations, pairwise

from ...symbols import SPACE

GLUED = 1.2 * SPACE
"""How much farther a piece counts to be from its chord if it is cut amid letters that touch."""
_VOWELS = re.compile(r"[aeiouyàáâãäåæèéêëìíîïòóôõöøœùúûüýÿ]+", re.IGNORECASE)
_STARTS = re.compile(r"(?:sch|ch|th|ph|sh|gn|qu|[bcdfgkptv][rl]|[^\W\d_]|$)$", re.IGNORECASE)
"""Consonants that begin a syllable together."""
_NARROW, _WIDE = frozenset("iljtfrI.,;:!'’"), frozenset("mwMW")


def places(text: str) -> list[int]:
    """Where a word may be cut: before the consonants that begin each further group of vowels."""
    groups = [match.span() for match in _VOWELS.finditer(text)]
    found = []
    for (_, end), (begin, _) in pairwise(groups):
        between = text[end:begin]
        start = _STARTS.search(between)
        found.append(end + (start.start() if start and between else 0))
    return [place for place in found if 0 < place < len(text)]


def share(text: str) -> list[float]:
    """How far from its left each letter of a word begins and the last one ends, 0 to 1."""
    ends = [0.0]
    for letter in text:
        ends.append(ends[-1] + (0.55 if letter in _NARROW else 1.5 if letter in _WIDE else 1.0))
    return [end / ends[-1] for end in ends]


def cut(
    text: str, edges: Sequence[float], wide: Set[int], middles: Sequence[float]
) -> tuple[int, ...] | None:
    """Where to cut a word so that its pieces are nearest to being centred on some chords.

    Args:
        text: The word.
        edges: x of where each letter begins and the last one ends.
        wide: Before which letters there is more paper than usual.
        middles: Where the chords stand, in order.

    Returns:
        The places, one less than there are chords; None if it has too few syllables.
    """

    def away(chosen: Sequence[int]) -> float:
        spans = pairwise([0, *chosen, len(text)])
        apart = sum(
            abs((edges[first] + edges[last]) / 2 - middle)
            for (first, last), middle in zip(spans, middles, strict=True)
        )
        return apart + sum(GLUED for place in chosen if place not in wide)

    possible = sorted({*places(text), *wide})
    ways = (
        way for way in combinations(possible, len(middles) - 1)
        if all(_VOWELS.search(text[a:b]) for a, b in pairwise([0, *way, len(text)]))
    )  # fmt: skip
    return min(ways, key=away, default=None)
