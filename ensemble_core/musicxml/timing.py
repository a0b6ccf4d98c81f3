"""When each thing in a measure happens, in quarter notes from the measure's start."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from .reading import Element


class Clock:
    """Walks the measures of one part, keeping the divisions in force."""

    def __init__(self, divisions: Fraction = Fraction(1)) -> None:
        self.divisions = divisions

    def walk(self, measure: Element) -> Iterator[tuple[Element, Fraction, Fraction]]:
        """Each child with its onset and duration; a chord's notes share the onset."""
        now = last = Fraction(0)
        for child in measure:
            length = Fraction(0)
            if child.tag == "attributes":
                text = child.findtext("divisions")
                self.divisions = number(text) or self.divisions
            elif child.tag in ("note", "backup", "forward"):
                length = _quotient(child.findtext("duration"), self.divisions)
            if child.tag == "note" and child.find("chord") is not None:
                yield child, last, length
                continue
            if child.tag == "backup":
                yield child, now, length
                now = max(Fraction(0), now - length)
                continue
            yield child, now, length
            last = now
            now += length

    def length(self, measure: Element) -> Fraction:
        """How long the measure's content is; 0 when there is none."""
        return max((onset + length for child, onset, length in self.walk(measure)
                    if child.tag in ("note", "forward")), default=Fraction(0))  # fmt: skip


@lru_cache(maxsize=4096)
def number(text: str | None) -> Fraction:
    """A decimal number of MusicXML exactly; 0 when it is missing or none."""
    try:
        return Fraction((text or "0").strip())
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


@lru_cache(maxsize=4096)
def _quotient(text: str | None, divisions: Fraction) -> Fraction:
    return number(text) / divisions


def bar_length(time: Element) -> Fraction:
    """Nominal length of a bar in quarter notes (3/8: 3/2; 3+2/8: 5/2); 0 for senza misura."""
    total = Fraction(0)
    for beats, kind in zip(time.findall("beats"), time.findall("beat-type"), strict=False):
        count = sum((number(piece) for piece in (beats.text or "").split("+")), Fraction(0))
        unit = number(kind.text)
        total += count * 4 / unit if unit else 0
    return total
