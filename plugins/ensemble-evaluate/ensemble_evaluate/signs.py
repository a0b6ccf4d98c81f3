"""Key, meter and clef in force in each bar of each staff."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import attrs

Clef = tuple[Fraction, str]


@attrs.frozen
class Signs:
    """What is in force in a bar.

    Attributes:
        key: Sharps (positive) or flats; 0 when no key is written.
        meter: Beats and beat type (``("4", "4")``); None when none was written so far.
        clefs: (onset in quarter notes, sign with line and octave): the clef at the bar's
            start, and each change in it.
    """

    key: int
    meter: tuple[str, str] | None
    clefs: tuple[Clef, ...]


class _Staff:
    def __init__(self) -> None:
        self.key = 0
        self.meter: tuple[str, str] | None = None
        self.clef = ""
        self.bars: list[Signs] = []


def signs(root: Any) -> list[list[Signs]]:
    """The signs of each staff, in score order, bar by bar.

    Args:
        root: Root of a MusicXML document with ``part`` elements.
    """
    found: list[list[Signs]] = []
    for part in root.findall("part"):
        numbers = [int(node.text or 1) for node in part.iter("staves", "staff")]
        staves = [_Staff() for _ in range(max(numbers, default=1))]
        divisions = Fraction(1)
        for measure in part.findall("measure"):
            divisions = _measure(measure, staves, divisions)
        found += [staff.bars for staff in staves]
    return found


def _measure(measure: Any, staves: list[_Staff], divisions: Fraction) -> Fraction:
    now = Fraction(0)
    changes: list[list[Clef]] = [[(Fraction(0), staff.clef)] for staff in staves]
    for node in measure:
        if node.tag == "attributes":
            divisions = Fraction(node.findtext("divisions") or divisions)
            _attributes(node, staves, changes, now)
        length = Fraction(node.findtext("duration") or 0) / divisions
        if node.tag == "backup":
            now -= length
        elif node.tag == "forward" or (node.tag == "note" and node.find("chord") is None):
            now += length
    for staff, clefs in zip(staves, changes, strict=True):
        at = dict(clefs)  # a clef at the start replaces the one from before
        staff.clef = clefs[-1][1]
        staff.bars.append(Signs(staff.key, staff.meter, tuple(sorted(at.items()))))
    return divisions


def _attributes(node: Any, staves: list[_Staff], changes: list[list[Clef]], now: Fraction) -> None:
    """Keys and meters count for the whole bar; the last of several stands."""
    for key in node.findall("key"):
        for staff in _meant(key, staves):
            staff.key = int(key.findtext("fifths") or 0)
    for time in node.findall("time"):
        if time.find("beats") is not None:
            for staff in _meant(time, staves):
                staff.meter = (time.findtext("beats"), time.findtext("beat-type"))
    for clef in node.findall("clef"):
        number = int(clef.get("number") or 1) - 1
        if number < len(staves) and clef.findtext("sign"):
            octave = clef.findtext("clef-octave-change") or "0"
            name = f"{clef.findtext('sign')}{clef.findtext('line') or ''}/{int(octave)}"
            changes[number].append((now, name))


def _meant(node: Any, staves: list[_Staff]) -> list[_Staff]:
    number = node.get("number")
    if number is None:
        return staves
    place = int(number) - 1
    return staves[place : place + 1]
