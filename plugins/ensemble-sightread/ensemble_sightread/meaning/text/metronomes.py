"""Metronome marks: a note, an equals sign and a number, as in ``♩ = 92``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import attrs

from ...symbols import SPACE, Seen, Symbol, Word
from ..music import Value
from .terms import TEMPO, plain

_COUNT = re.compile(r"=?\s*(?:c\.?|ca\.?)?\s*(\d{2,3})\b")
_AROUND = re.compile(r"[()\[\]]|(?:c|ca)\.?|\W?\w?\W?")
ASIDE = 4 * SPACE
"""How far left of the equals sign the note begins."""
LONG = 25 * SPACE
"""How far left of its number a tempo may begin."""


@attrs.frozen
class Metronome:
    """A metronome mark.

    Attributes:
        beat: What it counts.
        count: How many a minute.
        words: What it is made of: number, signs and brackets.
    """

    beat: Value
    count: int
    words: tuple[Word, ...]


def metronomes(seen: Seen, words: Sequence[Word]) -> Iterator[Metronome]:
    """The metronome marks among a page's words; those whose note is not seen count quarters."""
    used: set[Word] = set()
    for sign in sorted(words, key=lambda word: "=" not in word.text):
        row = [w for w in words if abs(w.baseline - sign.baseline) < 0.7 * SPACE or w is sign]
        if sign in used or not ("=" in sign.text or _counts(seen, sign, row)):
            continue
        right = [w for w in row if 0 <= w.left - sign.left < 1.5 * ASIDE]
        right.sort(key=lambda w: w.left)
        text = " ".join(w.text for w in right)
        found = _COUNT.match(text[max(text.find("="), 0) :].lstrip("("))
        if not found or not 20 <= int(found[1]) <= 300:
            continue
        around = [w for w in right if _AROUND.fullmatch(w.text) or found[1] in w.text or w is sign]
        around += [w for w in row if 0 < sign.left - w.left < ASIDE and _AROUND.fullmatch(w.text)]
        used.update(around)
        yield Metronome(_beat(seen, sign), int(found[1]), tuple(around))


def _counts(seen: Seen, word: Word, row: Sequence[Word]) -> bool:
    """Whether a number is a metronome's though its equals sign was not read.

    It stands beside a tempo in brackets, or right of a note that is above all staves.
    """
    if not re.fullmatch(r"\(?\d{2,3}\)?", word.text):
        return False
    tempo = any(plain(w.text) in TEMPO and 0 < word.left - w.left < LONG for w in row)
    return (")" in word.text and tempo) or any(
        symbol.kind.startswith("head") and 0 < word.left - symbol.left < ASIDE
        and _level(symbol, word) and _above(seen, symbol)
        for symbol in seen.symbols
    )  # fmt: skip


def _above(seen: Seen, symbol: Symbol) -> bool:
    """Whether a symbol is above the first staff of its system, and near it."""
    tops = (seen.staves[system.staves[0]] for system in seen.systems)
    gaps = (staff.y(8, symbol.x) - symbol.bottom for staff in tops)
    return any(0 < gap < ASIDE for gap in gaps)


def _beat(seen: Seen, sign: Word) -> Value:
    """The note left of an equals sign."""
    near = [
        symbol for symbol in seen.symbols
        if 0 < sign.left - symbol.left < ASIDE and _level(symbol, sign)
    ]  # fmt: skip
    heads = [symbol for symbol in near if symbol.kind.startswith("head")]
    if not heads:
        return Value(3)
    head = max(heads, key=lambda symbol: symbol.left)
    dots = sum(s.kind == "dot" and s.left > head.x for s in near)
    if "half" in head.kind:
        return Value(2, min(dots, 2))
    flagged = any(s.kind.startswith("flag") and s.left > head.left - 2 for s in near)
    return Value(4 if flagged else 3, min(dots, 2))


def _level(symbol: Symbol, sign: Word) -> bool:
    return sign.baseline - 4 * SPACE < symbol.y < sign.baseline + SPACE
