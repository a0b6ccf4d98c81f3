"""Writes the ``attributes`` of a part: keys, meters and clefs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .meaning.music import Bar, Clef, Meter
from .symbols import Symbol

if TYPE_CHECKING:
    from .musicxml import Writer


class Attributes:
    """What holds in a part, and writes what changes; ``measure`` is the id of the bar's element."""

    def __init__(self, writer: Writer, places: tuple[int, ...]) -> None:
        self.writer, self.places = writer, places
        self.add = writer.add
        self.clefs: dict[int, Clef] = {}
        self.keys: dict[int, int] = {}
        self.meter: Meter | None = None
        self.measure = ""

    def write(self, measure: Any, index: int, bar: Bar, staves: list[int]) -> None:
        """Write what changes at the beginning of a bar."""
        from lxml import etree

        node = etree.Element("attributes")
        if index == 0:
            self.add(node, "divisions", self.writer.divisions)
        self._key(node, index, bar, staves)
        reading = self.writer.reading
        self._meter(node, index, bar, staves)
        if index == 0 and len(self.places) > 1:
            self.add(node, "staves", len(self.places))
        for place, staff in enumerate(staves):
            clef = reading.clefs.at(staff, start(bar, staff))
            if self.clefs.get(place) != clef:
                before = reading.bars[index - 1 : index]
                self._clef(node, place, clef, self._symbol([bar, *before], staff, clef))
                self.clefs[place] = clef
        if bar.multirest and bar.multirest.bars > 1:
            style = self.add(node, "measure-style")
            self.add(style, "multiple-rest", bar.multirest.bars)
        if len(node):
            measure.append(node)

    def _meter(self, node: Any, index: int, bar: Bar, staves: list[int]) -> None:
        meter = bar.meter or self.writer.reading.opening
        if index and meter == self.meter:
            return
        time = self.add(node, "time", id=f"{self.measure}-time")
        if meter.symbol:
            time.set("symbol", meter.symbol)
        if not bar.meter_printed:
            time.set("print-object", "no")
        self.add(time, "beats", meter.beats)
        self.add(time, "beat-type", meter.beat_type)
        self.meter = meter
        symbols = [s for staff in staves for s in bar.times.get(staff, ())]
        if symbols and bar.meter_printed:
            sure = min(s.confidence for s in symbols)
            self.writer.seen(f"{self.measure}-time", "time", symbols[:2], sure)

    def _key(self, node: Any, index: int, bar: Bar, staves: list[int]) -> None:
        keys = {place: bar.keys[staff] for place, staff in enumerate(staves) if staff in bar.keys}
        new = {p: k for p, k in keys.items() if self.keys.get(p) != k}
        if index and not new:
            return
        self.keys.update(new)
        values = [self.keys.get(place, 0) for place in range(len(self.places))]
        if len(set(values)) == 1:
            self._fifths(node, values[0])
        else:
            for place, fifths in enumerate(values):
                self._fifths(node, fifths, str(place + 1))

    def _fifths(self, node: Any, fifths: int, number: str = "") -> None:
        key = self.add(node, "key", id=f"{self.measure}-key{number}")
        if number:
            key.set("number", number)
        self.add(key, "fifths", fifths)

    @staticmethod
    def _symbol(bars: Sequence[Bar], staff: int, clef: Clef) -> Symbol | None:
        found = (s for bar in bars for own, _, c, s in bar.clefs if own == staff and c == clef)
        return next(found, None)

    def _clef(
        self, node: Any, place: int, clef: Clef, symbol: Symbol | None, within: str = ""
    ) -> None:
        name = f"{self.measure}{within}-clef{len(node)}-{place + 1}"
        out = self.add(node, "clef", id=name)
        if len(self.places) > 1:
            out.set("number", str(place + 1))
        self.add(out, "sign", clef.sign)
        if clef.sign != "percussion":
            self.add(out, "line", clef.line)
        if clef.octave:
            self.add(out, "clef-octave-change", clef.octave)
        if symbol:
            self.writer.seen(name, "clef", [symbol], symbol.confidence)

    def change(
        self, measure: Any, place: int, change: tuple[int, float, Clef, Symbol], number: int
    ) -> None:
        """Write a clef within a bar, whose ``number``-th element it is."""
        if self.clefs.get(place) == change[2]:
            return
        node = self.add(measure, "attributes")
        self._clef(node, place, change[2], change[3], f"-c{number}")
        self.clefs[place] = change[2]


def start(bar: Bar, staff: int) -> float:
    """Where the bar's music begins on a staff, as far as its clef goes."""
    xs = [event.x for event in bar.events if event.staff == staff]
    return min(xs, default=bar.left + 1) + 0.1
