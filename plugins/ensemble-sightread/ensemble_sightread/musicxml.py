"""Writes a reading as MusicXML 4.0 partwise, and says where each element was seen."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs

from ensemble_core.model import Box, Diagnostic, Element

from .meaning import Reading
from .meaning.music import QUARTER, Bar, Meter
from .meaning.text import part_names
from .partxml import PartWriter
from .symbols import Symbol

DOCTYPE = (
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">'
)

BRACKETED = 3
"""How many parts of one staff in a row are joined by a bracket."""


@attrs.frozen
class Written:
    """The document, where its elements were seen, and what did not come out right."""

    musicxml: bytes
    elements: tuple[Element, ...]
    diagnostics: tuple[Diagnostic, ...]


def write(reading: Reading, page: int = 0, software: str = "ensemble-sightread") -> Written:
    """Write a reading.

    Args:
        reading: The page's bars.
        page: 0-based page the boxes lie on.
        software: What ``encoding/software`` says.
    """
    return Writer(reading, page, software).write()


class Writer:
    """What the parts of one document share: the tree, divisions, where elements were seen."""

    def __init__(self, reading: Reading, page: int, software: str) -> None:
        from lxml import etree

        self.xml: Any = etree
        self.reading, self.page, self.software = reading, page, software
        self.elements: list[Element] = []
        self.parts = _parts(reading)
        self.divisions = _divisions(reading.bars)

    def write(self) -> Written:
        """Write the document."""
        root = self.xml.Element("score-partwise", version="4.0")
        encoding = self._add(self._add(root, "identification"), "encoding")
        self._add(encoding, "software", self.software)
        for feature in ("accidental", "beam", "stem"):
            self._add(encoding, "supports", element=feature, type="yes")
        self._part_list(self._add(root, "part-list"))
        for number, places in enumerate(self.parts, 1):
            part = self._add(root, "part", id=f"P{number}")
            PartWriter(self, part, f"p{number}", places).write()
        data = self.xml.tostring(
            root, xml_declaration=True, encoding="UTF-8", pretty_print=True, doctype=DOCTYPE
        )
        return Written(data, tuple(self.elements), tuple(self._diagnostics()))

    def _part_list(self, node: Any) -> None:
        """Names of parts, and the brackets that join those of one staff each."""
        brackets = _brackets(self.parts)
        names = part_names(self.reading.seen, self.parts)
        for number, (places, name) in enumerate(zip(self.parts, names, strict=True), 1):
            if number in brackets:
                group = self._add(node, "part-group", number="1", type="start")
                self._add(group, "group-symbol", "bracket")
                self._add(group, "group-barline", "yes")
            entry = self._add(node, "score-part", id=f"P{number}")
            self._add(entry, "part-name", name.full or self._usual_name(number, places))
            if name.short:
                self._add(entry, "part-abbreviation", name.short)
            if number in brackets.values():
                self._add(node, "part-group", number="1", type="stop")

    def _usual_name(self, number: int, places: Sequence[int]) -> str:
        """What a part is called whose name is not printed."""
        if len(places) == 2:
            return "Piano"
        sung = any(
            event.lyrics and bar.staves.index(event.staff) in places
            for bar in self.reading.bars for event in bar.events
        )  # fmt: skip
        return "Voice" if sung else f"Part {number}"

    def _diagnostics(self) -> list[Diagnostic]:
        unread = [
            Diagnostic(
                "warning", "rest-not-counted",
                f"bar {number}: a rest of several bars whose number could not be read",
                hint="count the bars from the picture", page=self.page,
            )
            for number, bar in enumerate(self.reading.bars, 1)
            if bar.multirest and not bar.multirest.bars
        ]  # fmt: skip
        if self.reading.seen.tablature:
            unread.append(
                Diagnostic(
                    "warning", "tablature-left-out",
                    f"{self.reading.seen.tablature} staves of tablature were left out",
                    hint="sightread reads staves of five lines", page=self.page,
                )
            )  # fmt: skip
        return unread + [
            Diagnostic(
                "warning", "bar-does-not-add-up",
                f"bar {number}: the notes fill {bar.length / QUARTER:g} quarters, the meter asks "
                f"for {(bar.meter or Meter()).ticks / QUARTER:g}",
                hint="compare it with the picture", page=self.page,
            )
            for number, bar in enumerate(self.reading.bars, 1) if not bar.fits
        ]  # fmt: skip

    def _add(self, parent: Any, tag: str, text: object = None, **attributes: str) -> Any:
        node = self.xml.SubElement(
            parent, tag, {k.replace("_", "-"): v for k, v in attributes.items()}
        )
        if text is not None:
            node.text = str(text)
        return node

    add = _add

    def seen(self, name: str, kind: str, symbols: Sequence[Symbol], sure: float) -> None:
        """Note where an element was seen."""
        left, top = min(s.left for s in symbols), min(s.top for s in symbols)
        right, bottom = max(s.right for s in symbols), max(s.bottom for s in symbols)
        self.box(name, kind, Box(left, top, right, bottom), sure)

    def box(self, name: str, kind: str, at: Box, sure: float | None) -> None:
        """Note where an element was seen, in pixels of the normalised page."""
        scale = self.reading.seen.scale
        box = Box(at.left * scale, at.top * scale, at.right * scale, at.bottom * scale)
        sure = None if sure is None else round(min(max(sure, 0.0), 1.0), 4)
        self.elements.append(Element(name, kind, self.page, box, sure))


def _parts(reading: Reading) -> list[tuple[int, ...]]:
    """Places of the staves of each part: a braced pair is one part, else a staff is one."""
    systems = reading.seen.systems
    if not systems:
        return []
    size = max(len(system.staves) for system in systems)
    braces: Counter[tuple[int, int]] = Counter()
    for system in systems:
        for first, last in system.braces:
            if first in system.staves and last in system.staves:
                braces[system.staves.index(first), system.staves.index(last)] += 1
    parts: list[tuple[int, ...]] = []
    place = 0
    while place < size:
        runs = [
            last for (first, last), n in braces.items() if first == place and n * 2 >= len(systems)
        ]
        last = max(runs, default=place)
        parts.append(tuple(range(place, last + 1)))
        place = last + 1
    return parts


def _brackets(parts: Sequence[tuple[int, ...]]) -> dict[int, int]:
    """Three and more parts of one staff in a row, as a bracket joins them: first → last, from 1."""
    found: dict[int, int] = {}
    first = 1
    for number, places in enumerate([*parts, ()], 1):
        if len(places) != 1:
            if number - first >= BRACKETED:
                found[first] = number - 1
            first = number + 1
    return found


def _divisions(bars: Sequence[Bar]) -> int:
    step = QUARTER
    for bar in bars:
        step = math.gcd(step, bar.length, *(direction.onset for direction in bar.directions))
        for event in bar.events:
            if not event.grace and not event.whole_bar:
                step = math.gcd(step, event.onset, event.value.ticks)
    return QUARTER // step
