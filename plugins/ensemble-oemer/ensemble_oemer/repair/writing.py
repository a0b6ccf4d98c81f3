"""Bars written as MusicXML 4.0, every element in the place the schema has for it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Any

import attrs

from .accidentals import signs
from .beams import Beams, beams
from .filling import fill
from .header import add
from .music import Bar, Clef, Event, Meter, Part, Time, written_type
from .tally import Tally
from .voices import Voices

DIVISIONS = 16
"""Of a quarter, as oemer has it; more only where a document needs more."""

DEFAULT_CLEFS = (("G", "2"), ("F", "4"))


def write_part(element: Any, part: Part, meters: Sequence[Meter], tally: Tally) -> None:
    """Replace the content of a ``<part>`` by what was read from it, repaired."""
    _PartWriter(element, part, tally).write(meters)


@attrs.define
class _PartWriter:
    element: Any
    part: Part
    tally: Tally
    divisions: int = DIVISIONS
    stride: int = 4
    key: int = 0
    clefs: dict[int, tuple[str, str]] = attrs.field(factory=dict)
    signs: dict[tuple[Time, int], list[str]] = attrs.field(factory=dict)

    def write(self, meters: Sequence[Meter]) -> None:
        filled = [
            fill(bar, self.part.staves, meter, self.tally)
            for bar, meter in zip(self.part.bars, meters, strict=True)
        ]
        events = [e for staves in filled for voices in staves.values() for v in voices for e in v]
        self.divisions = lcm(
            DIVISIONS, *(t.denominator for e in events for t in (e.onset, e.duration))
        )
        self.stride = max(4, *(len(v) for staves in filled for v in staves.values()))
        for child in list(self.element):
            self.element.remove(child)
        self.element.text = None
        for place, (bar, staves) in enumerate(zip(self.part.bars, filled, strict=True)):
            self._measure(place, bar, staves, meters[place])

    def _measure(self, place: int, bar: Bar, staves: dict[int, Voices], meter: Meter) -> None:
        measure = add(self.element, "measure", number=bar.label)
        if bar.pickup:
            measure.set("implicit", "yes")
        if bar.system and place:
            add(measure, "print", **{"new-system": "yes"})
        opening = {clef.staff: clef for clef in bar.clefs if clef.onset == 0}
        self._attributes(measure, place, bar, opening)
        if place == 0 and self.part.tempo:
            add(measure, "sound", tempo=self.part.tempo)
        now = Fraction(0)
        for staff, voices in staves.items():
            inside = [clef for clef in bar.clefs if clef.staff == staff and clef.onset > 0]
            ordered = sorted((e for voice in voices for e in voice), key=_order)
            self.signs = dict(zip(map(_order, ordered), signs(ordered, self.key), strict=True))
            for voice in voices:
                now = self._voice(measure, voice, now, inside, beams(voice, meter))
                inside = []

    def _attributes(self, measure: Any, place: int, bar: Bar, opening: dict[int, Clef]) -> None:
        made = measure.makeelement("attributes")
        if place == 0:
            add(made, "divisions", str(self.divisions))
        if place == 0 or (bar.key is not None and bar.key != self.key):
            self.key = bar.key or 0
            add(add(made, "key"), "fifths", str(self.key))
        if bar.meter:
            time = add(made, "time")
            add(time, "beats", str(bar.meter.beats))
            add(time, "beat-type", str(bar.meter.beat_type))
        if place == 0:
            add(made, "staves", str(self.part.staves))
        for staff in range(1, self.part.staves + 1):
            if staff in opening:
                self._clef(made, opening[staff])
            elif place == 0:
                sign, line = DEFAULT_CLEFS[(staff - 1) % 2]
                self._clef(made, Clef(Fraction(0), staff, sign, line))
        if len(made):
            measure.append(made)

    def _clef(self, attributes: Any, clef: Clef) -> None:
        if self.clefs.get(clef.staff) == (clef.sign, clef.line):
            return
        self.clefs[clef.staff] = (clef.sign, clef.line)
        made = add(attributes, "clef", number=str(clef.staff))
        add(made, "sign", clef.sign)
        add(made, "line", clef.line)

    def _voice(
        self, measure: Any, voice: Sequence[Event], now: Time, clefs: list[Clef], beamed: Beams
    ) -> Time:
        """Write a voice from wherever the one before it ended; gives where it ends."""
        waiting = sorted(clefs, key=lambda clef: clef.onset)
        for event, states in zip(voice, beamed, strict=True):
            self._move(measure, event.onset - now)
            due = [clef for clef in waiting if clef.onset <= event.onset]
            self._change_clef(measure, due)
            waiting = waiting[len(due) :]
            self._event(measure, event, states)
            now = event.end
        self._change_clef(measure, waiting)
        return now

    def _change_clef(self, measure: Any, due: Sequence[Clef]) -> None:
        """Write the last of the clefs of a staff that fall on one place, if it is another."""
        if due and self.clefs.get(due[-1].staff) != (due[-1].sign, due[-1].line):
            self._clef(add(measure, "attributes"), due[-1])

    def _move(self, measure: Any, by: Time) -> None:
        if by:
            moved = add(measure, "forward" if by > 0 else "backup")
            add(moved, "duration", str(abs(by) * self.divisions))

    def _event(self, measure: Any, event: Event, beamed: list[str]) -> None:
        accidental = self.signs[_order(event)]
        for at, pitch in enumerate(event.pitches or (None,)):
            note = add(measure, "note")
            if at:
                add(note, "chord")
            if pitch is None:
                rest = add(note, "rest")
                if event.whole_bar:
                    rest.set("measure", "yes")
            else:
                made = add(note, "pitch")
                add(made, "step", pitch.step)
                if pitch.alter:
                    add(made, "alter", str(pitch.alter))
                add(made, "octave", str(pitch.octave))
            add(note, "duration", str(event.duration * self.divisions))
            add(note, "voice", str(self.stride * (event.staff - 1) + event.voice))
            self._look(note, event, accidental[at] if accidental else "", first=at == 0)
            if self.part.staves > 1:
                add(note, "staff", str(event.staff))
            for level, state in enumerate(beamed if at == 0 else (), 1):
                add(note, "beam", state, number=str(level))
                self.tally.counts["oemer-beams"] += 1

    def _look(self, note: Any, event: Event, accidental: str, *, first: bool) -> None:
        kind, dots = written_type(event.duration)
        if kind and not event.whole_bar:
            add(note, "type", kind)
            for _ in range(dots):
                add(note, "dot")
        if accidental:
            add(note, "accidental", accidental)
            self.tally.counts["oemer-accidentals"] += 1
        if event.stem in ("up", "down") and first and kind not in ("whole", "breve"):
            add(note, "stem", event.stem)


def _order(event: Event) -> tuple[Time, int]:
    return event.onset, event.voice
