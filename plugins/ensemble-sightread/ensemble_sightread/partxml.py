"""Writes the measures of one part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ensemble_core.model import Box

from .meaning.music import QUARTER, TYPES, Bar, Clef, Event, Head, Mark, Meter, Slur
from .symbols import Symbol

if TYPE_CHECKING:
    from .musicxml import Writer

LETTERS = "CDEFGAB"
ACCIDENTALS = {
    "sharp": "sharp", "flat": "flat", "natural": "natural", "double-sharp": "double-sharp",
    "double-flat": "flat-flat",
}  # fmt: skip
BAR_STYLES = {"double": "light-light", "final": "light-heavy", "heavy-light": "heavy-light",
              "dashed": "dashed"}  # fmt: skip

ORNAMENTS = ("trill-mark",)


class PartWriter:
    """Writes one part; ``places`` are its staves' places in a system."""

    def __init__(self, writer: Writer, node: Any, name: str, places: tuple[int, ...]) -> None:
        self.writer, self.node, self.name, self.places = writer, node, name, places
        self.add = writer.add
        self.clefs: dict[int, Clef] = {}
        self.keys: dict[int, int] = {}
        self.meter: Meter | None = None
        self.notes = 0
        self.measure = ""
        self.slurs: dict[Slur, int] = {}

    def write(self) -> None:
        """Write all its measures."""
        bars = self.writer.reading.bars
        offset = 0 if bars and bars[0].pickup else 1
        for number, bar in enumerate(bars):
            self._bar(number, bar, number + offset)

    def _staves(self, bar: Bar) -> list[int]:
        return [bar.staves[place] for place in self.places if place < len(bar.staves)]

    def _bar(self, index: int, bar: Bar, number: int) -> None:
        self.measure = f"{self.name}-m{index + 1}"
        self.notes = 0
        measure = self.add(self.node, "measure", number=str(number), id=self.measure)
        if bar.pickup:
            measure.set("implicit", "yes")
        staves = self._staves(bar)
        if staves:
            self._measure_box(bar, staves)
        if bar.starts_system and index:
            self.add(measure, "print", new_system="yes")
        self._attributes(measure, index, bar, staves)
        if bar.forward:
            line = self.add(measure, "barline", location="left")
            self.add(line, "bar-style", "heavy-light")
            self.add(line, "repeat", direction="forward")
        self._music(measure, bar, staves)
        self._closing(measure, bar)

    def _measure_box(self, bar: Bar, staves: list[int]) -> None:
        seen = self.writer.reading.seen
        top, bottom = seen.staves[staves[0]].y(8, bar.left), seen.staves[staves[-1]].y(0, bar.left)
        sure = math.exp(-bar.cost / 4) * (1.0 if bar.fits else 0.5)
        self.writer.box(self.measure, "measure", Box(bar.left, top, bar.right, bottom), sure)

    def _closing(self, measure: Any, bar: Bar) -> None:
        style = BAR_STYLES.get(bar.closes.style) if bar.closes else None
        if bar.backward:
            style = "light-heavy"
        if style:
            line = self.add(measure, "barline", location="right")
            self.add(line, "bar-style", style)
            if bar.backward:
                self.add(line, "repeat", direction="backward")

    def _attributes(self, measure: Any, index: int, bar: Bar, staves: list[int]) -> None:
        from lxml import etree

        node = etree.Element("attributes")
        if index == 0:
            self.add(node, "divisions", self.writer.divisions)
        self._key(node, index, bar, staves)
        reading = self.writer.reading
        meter = bar.meter or reading.opening
        if index == 0 or meter != self.meter:
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
        if index == 0 and len(self.places) > 1:
            self.add(node, "staves", len(self.places))
        for place, staff in enumerate(staves):
            clef = reading.clefs.at(staff, self._start(bar, staff))
            if self.clefs.get(place) != clef:
                before = reading.bars[index - 1 : index]
                self._clef(node, place, clef, self._symbol([bar, *before], staff, clef))
                self.clefs[place] = clef
        if bar.multirest and bar.multirest.bars > 1:
            style = self.add(node, "measure-style")
            self.add(style, "multiple-rest", bar.multirest.bars)
        if len(node):
            measure.append(node)

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
    def _start(bar: Bar, staff: int) -> float:
        """Where the bar's music begins on a staff, as far as its clef goes."""
        xs = [event.x for event in bar.events if event.staff == staff]
        return min(xs, default=bar.left + 1) + 0.1

    @staticmethod
    def _symbol(bars: Sequence[Bar], staff: int, clef: Clef) -> Symbol | None:
        found = (s for bar in bars for own, _, c, s in bar.clefs if own == staff and c == clef)
        return next(found, None)

    def _clef(self, node: Any, place: int, clef: Clef, symbol: Symbol | None) -> None:
        name = f"{self.measure}-clef{len(node)}-{place + 1}"
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

    def _music(self, measure: Any, bar: Bar, staves: list[int]) -> None:
        now = 0
        for place, staff in enumerate(staves):
            own = [event for event in bar.events if event.lane == staff]
            if not own and any(event.staff == staff for event in bar.events):
                continue
            if not own:
                now = self._move(measure, now, 0)
                now = self._silence(measure, bar, place)
                continue
            beams = _beams(own)
            # A clef behind the last note is the next bar's, whose attributes have it.
            first, last = self._start(bar, staff), max(event.x for event in own)
            changes = [c for c in bar.clefs if c[0] == staff and first <= c[1] < last]
            for voice in sorted({event.voice for event in own}):
                mine = sorted((e for e in own if e.voice == voice), key=lambda e: (e.onset, e.x))
                for event in mine:
                    while changes and changes[0][1] < event.x:
                        self._change(measure, place, changes.pop(0))
                    if not event.grace:
                        now = self._move(measure, now, event.onset)
                    now += self._event(measure, bar, event, place, beams)
                if voice == 0 or voice == max(e.voice for e in own):
                    for change in changes:
                        self._change(measure, place, change)
                    changes = []
        self._move(measure, now, max(now, bar.length))

    def _change(self, measure: Any, place: int, change: tuple[int, float, Clef, Symbol]) -> None:
        if self.clefs.get(place) == change[2]:
            return
        node = self.add(measure, "attributes")
        self.notes += 1
        kept, self.measure = self.measure, f"{self.measure}-c{self.notes}"
        self._clef(node, place, change[2], change[3])
        self.measure = kept
        self.clefs[place] = change[2]

    def _silence(self, measure: Any, bar: Bar, place: int) -> int:
        """A staff without a symbol: a rest that is not printed, so that the bar is whole."""
        note = self.add(measure, "note", print_object="no")
        self.add(note, "rest", measure="yes")
        self.add(note, "duration", self._units(bar.length))
        self.add(note, "voice", place * 4 + 1)
        if len(self.places) > 1:
            self.add(note, "staff", place + 1)
        return bar.length

    def _units(self, length: int) -> int:
        return length * self.writer.divisions // QUARTER

    def _move(self, measure: Any, now: int, to: int) -> int:
        if to != now:
            node = self.add(measure, "forward" if to > now else "backup")
            self.add(node, "duration", self._units(abs(to - now)))
        return to

    def _event(
        self, measure: Any, bar: Bar, event: Event, place: int, beams: dict[int, list[str]]
    ) -> int:
        length = 0 if event.grace else bar.length if event.whole_bar else event.value.ticks
        for number, head in enumerate(event.heads or [None]):
            note = self.add(measure, "note")
            self.notes += 1
            name = f"{self.measure}-n{self.notes}"
            note.set("id", name)
            self._note(note, event, head, length, place, chord=number > 0)
            if len(self.places) > 1:
                staves = self._staves(bar)
                shown = staves.index(event.staff) if event.staff in staves else place
                self.add(note, "staff", shown + 1)
            if event.heads and not number:
                for level, kind in enumerate(beams.get(id(event), ()), 1):
                    self.add(note, "beam", kind, number=str(level))
            self._notations(note, event, head, number)
            symbol = head.symbol if head else event.rest
            if symbol:
                sure = symbol.confidence * math.exp(-event.value.cost / 3)
                self.writer.seen(name, "note" if head else "rest", [symbol], sure)
        return length

    def _note(
        self, note: Any, event: Event, head: Head | None, length: int, place: int, *, chord: bool
    ) -> None:
        if event.grace:
            self.add(note, "grace")
        if chord:
            self.add(note, "chord")
        if head:
            pitch = self.add(note, "pitch")
            self.add(pitch, "step", LETTERS[head.diatonic % 7])
            if head.alter:
                self.add(pitch, "alter", head.alter)
            self.add(pitch, "octave", min(max(head.diatonic // 7, 0), 9))
        else:
            rest = self.add(note, "rest")
            if event.whole_bar:
                rest.set("measure", "yes")
        if not event.grace:
            self.add(note, "duration", self._units(length))
        for kind in _ties(head):
            self.add(note, "tie", type=kind)
        self.add(note, "voice", place * 4 + min(event.voice, 3) + 1)
        self._look(note, event, head)

    def _look(self, note: Any, event: Event, head: Head | None) -> None:
        """What is printed: type, dots, accidental, tuplet, stem."""
        if not event.whole_bar:
            self.add(note, "type", TYPES[event.value.kind])
            for _ in range(event.value.dots):
                self.add(note, "dot")
        if head and head.accidental:
            self.add(note, "accidental", ACCIDENTALS[head.accidental.kind])
        if event.value.ratio != (1, 1) and not event.grace:
            change = self.add(note, "time-modification")
            self.add(change, "actual-notes", event.value.ratio[0])
            self.add(change, "normal-notes", event.value.ratio[1])
        if event.up is not None:
            self.add(note, "stem", "up" if event.up else "down")

    def _notations(self, note: Any, event: Event, head: Head | None, number: int) -> None:
        kinds = _ties(head)
        ends = [] if number else event.tuplet_ends
        bows = [] if number else self._bows(event)
        marks = [] if number else event.marks
        if not kinds and not ends and not bows and not marks:
            return
        node = self.add(note, "notations")
        for kind in kinds:
            self.add(node, "tied", type=kind)
        for kind in ends:
            self.add(node, "tuplet", type=kind, bracket="no")
        for kind, name, slur in bows:
            place = {"placement": "above" if slur.above else "below"} if kind == "start" else {}
            self.add(node, "slur", type=kind, number=str(name), **place)
        self._marks(node, marks)

    def _marks(self, node: Any, marks: Sequence[Mark]) -> None:
        groups: dict[str, Any] = {}
        for mark in marks:
            if mark.name == "fermata":
                self.add(node, "fermata", type="upright" if mark.above else "inverted")
                continue
            group = "ornaments" if mark.name in ORNAMENTS else "articulations"
            if group not in groups:
                groups[group] = self.add(node, group)
            self.add(groups[group], mark.name, placement="above" if mark.above else "below")

    def _bows(self, event: Event) -> list[tuple[str, int, Slur]]:
        """The slurs of a chord, each with a number that no other slur open here has."""
        found = []
        ends = [("stop", slur) for slur in event.slur_stops]
        ends += [("start", slur) for slur in event.slur_starts]
        for kind, slur in sorted(ends, key=lambda end: end[1] not in self.slurs):
            if slur in self.slurs:
                name = self.slurs.pop(slur)
            else:
                name = min(set(range(1, 17)) - set(self.slurs.values()), default=16)
                self.slurs[slur] = name
            found.append((kind, name, slur))
        return found


def _ties(head: Head | None) -> list[str]:
    if head is None:
        return []
    return ["stop"] * head.tie_stop + ["start"] * head.tie_start


def _beams(events: Sequence[Event]) -> dict[int, list[str]]:
    """The ``beam`` elements of each event (by ``id()``), outermost beam first."""
    groups: dict[int, list[Event]] = {}
    for event in events:
        if event.group is not None and event.heads:
            groups.setdefault(event.group, []).append(event)
    found: dict[int, list[str]] = {}
    for members in groups.values():
        members.sort(key=lambda e: e.x)
        if len(members) < 2:
            continue
        for number, event in enumerate(members):
            before = members[number - 1].beams_right if number else 0
            after = members[number + 1].beams_left if number + 1 < len(members) else 0
            levels = max(event.beams_left, event.beams_right)
            if not event.grace:
                levels = min(levels, max(event.value.kind - 3, 0))
            kinds = []
            for level in range(1, levels + 1):
                left = level <= min(event.beams_left, before)
                right = level <= min(event.beams_right, after)
                if left and right:
                    kinds.append("continue")
                elif left or right:
                    kinds.append("end" if left else "begin")
                else:
                    hooked = level <= event.beams_left and number
                    kinds.append("backward hook" if hooked else "forward hook")
            found[id(event)] = kinds
    return found
