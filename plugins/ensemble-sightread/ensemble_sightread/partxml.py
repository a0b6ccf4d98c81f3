"""Writes the measures of one part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ensemble_core.model import Box

from .attributesxml import Attributes, start
from .directionsxml import Directions
from .lyricsxml import write_lyrics
from .meaning.music import QUARTER, TYPES, Bar, Clef, Event, Head
from .notationsxml import Notations, beams, ties
from .symbols import SPACE, Symbol, Volta

if TYPE_CHECKING:
    from .musicxml import Writer

LETTERS = "CDEFGAB"
ACCIDENTALS = {
    "sharp": "sharp", "flat": "flat", "natural": "natural", "double-sharp": "double-sharp",
    "double-flat": "flat-flat",
}  # fmt: skip
BAR_STYLES = {"double": "light-light", "final": "light-heavy", "heavy-light": "heavy-light",
              "dashed": "dashed"}  # fmt: skip


class PartWriter:
    """Writes one part; ``places`` are its staves' places in a system."""

    def __init__(self, writer: Writer, node: Any, name: str, places: tuple[int, ...]) -> None:
        self.writer, self.node, self.name, self.places = writer, node, name, places
        self.add = writer.add
        self.attributes = Attributes(writer, places)
        self.directions = Directions(writer, staves=len(places) > 1)
        self.notations = Notations(writer)
        self.notes = 0
        self.measure = ""
        self.ending = ""  # numbers of the one that is open

    def write(self) -> None:
        """Write all its measures."""
        bars = self.writer.reading.bars
        offset = 0 if bars and bars[0].pickup else 1
        for number, bar in enumerate(bars):
            self._bar(number, bar, number + offset)

    def _staves(self, bar: Bar) -> list[int]:
        return [bar.staves[place] for place in self.places if place < len(bar.staves)]

    def _bar(self, index: int, bar: Bar, number: int) -> None:
        self.measure = self.attributes.measure = f"{self.name}-m{index + 1}"
        self.notes = 0
        self.directions.bar(self.measure)
        measure = self.add(self.node, "measure", number=str(number), id=self.measure)
        if bar.pickup:
            measure.set("implicit", "yes")
        staves = self._staves(bar)
        if staves:
            self._measure_box(bar, staves)
        if bar.starts_system and index:
            self.add(measure, "print", new_system="yes")
        self.attributes.write(measure, index, bar, staves)
        self._opening(measure, bar)
        self._music(measure, bar, staves)
        self._closing(measure, bar)

    def _measure_box(self, bar: Bar, staves: list[int]) -> None:
        seen = self.writer.reading.seen
        top, bottom = seen.staves[staves[0]].y(8, bar.left), seen.staves[staves[-1]].y(0, bar.left)
        sure = math.exp(-bar.cost / 4) * (1.0 if bar.fits else 0.5)
        self.writer.box(self.measure, "measure", Box(bar.left, top, bar.right, bottom), sure)

    def _opening(self, measure: Any, bar: Bar) -> None:
        """The bar line a bar begins with: a repeat, the bracket of an ending."""
        if not (bar.forward or bar.ending):
            return
        line = self.add(measure, "barline", location="left")
        if bar.forward:
            self.add(line, "bar-style", "heavy-light")
        if bar.ending:
            volta = bar.ending.volta
            self.ending = ", ".join(map(str, volta.numbers))
            self.add(line, "ending", volta.text or f"{self.ending}.", number=self.ending,
                     type="start")  # fmt: skip
            self._ending_box(line, volta)
        if bar.forward:
            self.add(line, "repeat", direction="forward")

    def _ending_box(self, line: Any, volta: Volta) -> None:
        name = f"{self.measure}-e"
        line.set("id", name)
        box = Box(volta.left, volta.y, volta.right, volta.y + 2 * SPACE)
        self.writer.box(name, "ending", box, volta.confidence)

    def _closing(self, measure: Any, bar: Bar) -> None:
        style = BAR_STYLES.get(bar.closes.style) if bar.closes else None
        if bar.backward:
            style = "light-heavy"
        if not (style or bar.ending_stop):
            return
        line = self.add(measure, "barline", location="right")
        if style:
            self.add(line, "bar-style", style)
        if bar.ending_stop:
            self.add(line, "ending", number=self.ending, type=bar.ending_stop)
        if bar.backward:
            self.add(line, "repeat", direction="backward")

    def _music(self, measure: Any, bar: Bar, staves: list[int]) -> None:
        now = 0
        for place, staff in enumerate(staves):
            own = [event for event in bar.events if event.lane == staff]
            self.directions.staff(bar, staff)
            if own:
                now = self._voices(measure, bar, own, (place, staff), now)
            elif not any(event.staff == staff for event in bar.events):
                now = self._move(measure, now, 0)
                self.directions.due(measure, now, place)
                now = self._silence(measure, bar, place)
            self.directions.due(measure, now, place, last=True)
        self._move(measure, now, max(now, bar.length))

    def _voices(
        self, measure: Any, bar: Bar, own: Sequence[Event], at: tuple[int, int], now: int
    ) -> int:
        """Write the voices of a staff, its clefs and directions with the first; where it ends."""
        (place, staff), found = at, beams(own)
        # A clef behind the last note is the next bar's, whose attributes have it.
        first, last = start(bar, staff), max(event.x for event in own)
        changes = [c for c in bar.clefs if c[0] == staff and first <= c[1] < last]
        for voice in sorted({event.voice for event in own}):
            mine = sorted((e for e in own if e.voice == voice), key=lambda e: (e.onset, e.x))
            for event in mine:
                while changes and changes[0][1] < event.x:
                    self._change(measure, place, changes.pop(0))
                now = self._move(measure, now, event.onset)
                self.directions.due(measure, now, place)
                now += self._event(measure, bar, event, place, found)
            self.directions.due(measure, now, place, last=True)
            if voice == 0 or voice == max(e.voice for e in own):
                for change in changes:
                    self._change(measure, place, change)
                changes = []
        return now

    def _change(self, measure: Any, place: int, change: tuple[int, float, Clef, Symbol]) -> None:
        self.notes += 1
        self.attributes.change(measure, place, change, self.notes)

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
        self, measure: Any, bar: Bar, event: Event, place: int, found: dict[int, list[str]]
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
                for level, kind in enumerate(found.get(id(event), ()), 1):
                    self.add(note, "beam", kind, number=str(level))
            self.notations.write(note, event, head, number)
            if event.heads and not number:
                write_lyrics(self.writer, note, event, name)
            symbol = head.symbol if head else event.rest
            if symbol:
                sure = symbol.confidence * math.exp(-event.value.cost / 3)
                self.writer.seen(name, "note" if head else "rest", [symbol], sure)
        return length

    def _note(
        self, note: Any, event: Event, head: Head | None, length: int, place: int, *, chord: bool
    ) -> None:
        if event.grace:
            self.add(note, "grace", **({"slash": "yes"} if event.slash else {}))
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
        for kind in ties(head):
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
