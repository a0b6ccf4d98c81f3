"""Counting the repairs, so that each is told once with its figures."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import attrs

from ensemble_core.model import Diagnostic

Severity = Literal["info", "warning", "error"]

_SAID = {
    "oemer-order": "put {n} elements into the order MusicXML asks for",
    "oemer-chords": "made {n} chord notes without a first note stand alone",
    "oemer-twins": "left out {n} noteheads written twice in one chord",
    "oemer-positions": "moved {n} notes from before the start of their bar to its start",
    "oemer-bars-empty": "left out {n} bars with nothing but clefs and key signatures",
    "oemer-rests": "gave {n} rests their type, dots and voice",
    "oemer-rests-cut": "shortened or left out {n} rests that did not fit their bar",
    "oemer-accidentals": "derived {n} accidentals from the key and the bar so far",
    "oemer-beams": "set {n} beams by the beat",
}


@attrs.define
class Tally:
    """What was repaired: how often, in which bars, and what else there is to say."""

    counts: Counter[str] = attrs.field(factory=Counter)
    bars: dict[str, list[str]] = attrs.field(factory=dict)
    said: list[Diagnostic] = attrs.field(factory=list)

    def bar(self, code: str, label: str) -> None:
        """Note that something holds of a bar."""
        labels = self.bars.setdefault(code, [])
        if label not in labels:
            labels.append(label)

    def diagnostics(self, total: int) -> tuple[Diagnostic, ...]:
        """One diagnostic a kind; ``total`` is the number of bars."""
        found = [
            Diagnostic("info", code, text.format(n=self.counts[code]))
            for code, text in _SAID.items()
            if self.counts[code]
        ]
        return (*self.said, *self._about_bars(total), *found)

    def _about_bars(self, total: int) -> list[Diagnostic]:
        kinds: tuple[tuple[Severity, str, str], ...] = (
            ("info", "oemer-staves-silent", "a whole-bar rest in an empty staff"),
            ("warning", "oemer-bars-split", "parted from the next at a bar line not seen"),
            ("warning", "oemer-lengths-mended", "did not fit; one rest or dot read otherwise"),
            ("warning", "oemer-notes-cut", "notes past the end of the bar, cut there"),
            ("warning", "oemer-bars-filled", "too short, filled with rests"),
            ("warning", "oemer-bars-overfull", "longer than the meter, left as read"),
            ("warning", "oemer-bars-crowded", "more than two voices at once in a staff"),
        )
        found = []
        for severity, code, text in kinds:
            labels = self.bars.get(code)
            if labels:
                said = f"{len(labels)} of {total} bars: {text}: {_listed(labels)}"
                found.append(Diagnostic(severity, code, said))
        return found


def _listed(labels: list[str], most: int = 20) -> str:
    more = len(labels) - most
    return ", ".join(labels[:most]) + (f" and {more} more" if more > 0 else "")
