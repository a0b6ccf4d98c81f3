"""oemer's tree read into bars, with what its writer gets wrong about position put right.

What oemer 0.1.8 writes was read in its ``build_system.py``: a chord loses its first note when
that lies outside A0 to C8, backups may lead before the start of the bar, a clef stands
wherever the cursor was when it was met.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import attrs

from .music import Bar, Clef, Event, Meter, Part, Pitch, Time
from .tally import Tally


def read_part(part: Any, tally: Tally) -> Part:
    """Read a ``<part>``."""
    staves = [int(number(node.text)) for node in part.iter("staves", "staff")]
    sound = part.find(".//sound[@tempo]")
    bars = []
    divisions = Fraction(1)
    for measure in part.findall("measure"):
        reader = _BarReader(divisions, tally)
        bars.append(reader.read(measure))
        divisions = reader.divisions
    tempo = "" if sound is None else sound.get("tempo")
    return Part(part.get("id"), max(staves, default=1), bars, tempo)


def number(text: str | None) -> Fraction:
    """A decimal number; 0 when it is missing or none."""
    try:
        return Fraction((text or "0").strip())
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


@attrs.define
class _BarReader:
    """Walks the children of one ``<measure>``."""

    divisions: Time
    tally: Tally
    now: Time = Fraction(0)
    bar: Bar = attrs.field(factory=Bar)
    waiting: dict[int, tuple[Time | None, Any]] = attrs.field(factory=dict)

    def read(self, measure: Any) -> Bar:
        self.bar.pickup = measure.get("implicit") == "yes"
        for child in measure:
            if child.tag == "attributes":
                self._attributes(child)
            elif child.tag == "print":
                self.bar.system = self.bar.system or child.get("new-system") == "yes"
            elif child.tag == "note":
                self._note(child)
            elif child.tag in ("backup", "forward"):
                length = number(child.findtext("duration")) / self.divisions
                self.now += length if child.tag == "forward" else -length
        self._rank_voices()
        end = max((event.end for event in self.bar.events), default=Fraction(0))
        for staff in list(self.waiting):
            self._place_clef(staff, end)
        return self.bar

    def _rank_voices(self) -> None:
        """Voices numbered from 1 in each staff, whatever they are numbered by."""
        used = {
            staff: sorted({event.voice for event in self.bar.events if event.staff == staff})
            for staff in {event.staff for event in self.bar.events}
        }
        self.bar.events = [
            attrs.evolve(event, voice=used[event.staff].index(event.voice) + 1)
            for event in self.bar.events
        ]

    def _attributes(self, attributes: Any) -> None:
        self.divisions = number(attributes.findtext("divisions")) or self.divisions
        for key in attributes.findall("key"):
            self.bar.key = int(number(key.findtext("fifths")))
        for time in attributes.findall("time"):
            beats, kind = number(time.findtext("beats")), number(time.findtext("beat-type"))
            self.bar.meter = Meter(int(beats), int(kind)) if beats > 0 and kind > 0 else None
        for clef in attributes.findall("clef"):
            staff = int(clef.get("number", "1"))
            before = [event.onset for event in self.bar.events if event.staff == staff]
            self.waiting[staff] = (before[-1] if before else None, clef)

    def _place_clef(self, staff: int, onset: Time) -> None:
        """A clef stands before the next note of its staff, since oemer writes from left to right;
        at the end of the bar if that note lies before what was there."""
        last, clef = self.waiting.pop(staff)
        if last is not None and onset <= last:
            onset = max(event.end for event in self.bar.events)
        sign, line = clef.findtext("sign") or "G", clef.findtext("line") or "2"
        self.bar.clefs = [c for c in self.bar.clefs if (c.staff, c.onset) != (staff, onset)]
        self.bar.clefs.append(Clef(onset, staff, sign, line))

    def _note(self, note: Any) -> None:
        duration = number(note.findtext("duration")) / self.divisions
        if duration <= 0:
            return
        pitch = _pitch(note)
        self.tally.counts["oemer-order"] += note[-1].tag == "voice"
        self.tally.counts["oemer-rests"] += pitch is None and note.find("voice") is None
        staff = int(number(note.findtext("staff"))) or 1
        if note.find("chord") is not None and pitch is not None:
            if self._join_chord(pitch, duration, staff):
                return
            self.tally.counts["oemer-chords"] += 1
        onset = max(Fraction(0), self.now)
        if self.now < 0:
            self.tally.counts["oemer-positions"] += 1
        if staff in self.waiting:
            self._place_clef(staff, onset)
        voice = int(number(note.findtext("voice"))) or 1
        stem = note.findtext("stem") or ""
        pitches = () if pitch is None else (pitch,)
        self.bar.events.append(Event(onset, duration, staff, voice, pitches, stem))
        self.now += duration

    def _join_chord(self, pitch: Pitch, duration: Time, staff: int) -> bool:
        """Add a notehead to the chord before it; False if it cannot belong to that."""
        last = self.bar.events[-1] if self.bar.events else None
        if last is None or last.rest or (last.staff, last.duration) != (staff, duration):
            return False
        if pitch in last.pitches:
            self.tally.counts["oemer-twins"] += 1
        else:
            self.bar.events[-1] = attrs.evolve(last, pitches=(*last.pitches, pitch))
        return True


def _pitch(note: Any) -> Pitch | None:
    pitch = note.find("pitch")
    if pitch is None:
        return None
    alter = round(number(pitch.findtext("alter")))
    return Pitch(pitch.findtext("step"), alter, int(number(pitch.findtext("octave"))))
