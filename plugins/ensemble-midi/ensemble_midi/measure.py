"""One measure of one part, reduced to what is heard and put right."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import attrs

from .bars import Meter
from .source import number, type_length, whole
from .written import Change, PartTable

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NAMES = ("C", "C1", "D", "D1", "E", "F", "F1", "G", "G1", "A", "A1", "B")
MOST_BEATS = 64  # music21 takes minutes over time signatures of thousands of beats
MOST_LENGTH = 256  # quarter notes; anything longer is a slip
_ACCENTS = ("accent", "strong-accent")


@attrs.define
class PartState:
    """What holds on from measure to measure of a part.

    Attributes:
        table: Filled while the measures are written.
        instruments: Id → place in ``table.instruments``.
        separate: Voices are numbered per staff.
        concert: The score is at concert pitch; ``transpose`` does not count.
        divisions: Of the source, per quarter note; None: not said yet.
        nominal: Length of a bar by the time signature; None: not known.
        transposed: The part is written in another key than it sounds.
        voices: Name of the voice → its number.
        wedges: Numbers of the hairpins that are open.
        filled: Length of bar music21 was told last.
    """

    table: PartTable
    instruments: dict[str, int]
    separate: bool = False
    concert: bool = False
    divisions: Fraction | None = None
    nominal: Fraction | None = None
    transposed: bool = False
    voices: dict[tuple[str, str], int] = attrs.field(factory=dict)
    wedges: set[str] = attrs.field(factory=set)
    filled: Fraction = Fraction(0)


class MeasureWriter:
    """Writes one measure; afterwards knows what it holds.

    Attributes:
        longest: Where the longest voice ends.
        ends: Staff → where its music ends.
        meter: Time signature given here, if any.
        fifths: Key signature given here, if any.
        minor: That key is minor.
    """

    def __init__(self, state: PartState, measure: Any, bar: int) -> None:
        self.state, self.measure, self.bar = state, measure, bar
        self.cursor = self.longest = Fraction(0)
        self.ends: dict[int, Fraction] = {}
        self.meter: Meter | None = None
        self.fifths: int | None = None
        self.minor = False
        self._items: list[tuple[str, Fraction]] = []  # text with {} for a length
        self._used: set[int] = set()
        self._chord: tuple[Fraction, Fraction] | None = None  # onset, length of the last note

    def write(self) -> str:
        """The reduced measure as MusicXML."""
        for element in self.measure:
            handle = getattr(self, f"_{element.tag}", None) if element.tag in _TAGS else None
            if handle is not None:
                handle(element)
        if len(self._used) == 1:
            self.state.table.sole_voice[self.bar] = next(iter(self._used))
        time = self._own_time()
        divisions = math.lcm(*(length.denominator for _, length in self._items), 1)
        body = "".join(
            text.replace("{}", str(int(length * divisions))) for text, length in self._items
        )
        return (
            f'<measure number="{self.bar + 1}"><attributes><divisions>{divisions}</divisions>'
            f"{time}</attributes>{body}</measure>"
        )

    def _own_time(self) -> str:
        """A time signature the bar fills exactly, where it differs from the bar before.

        music21 looks for the reason when a bar does not fill its time signature, in time
        that grows with the square of the bars.
        """
        beats, unit = self.longest.numerator, self.longest.denominator
        if self.longest in (0, self.state.filled) or unit & (unit - 1):
            return ""
        if beats > MOST_BEATS or unit > 32:
            return ""
        self.state.filled = self.longest
        kind = 4 * unit
        return f"<time><beats>{beats}</beats><beat-type>{kind}</beat-type></time>"

    def _attributes(self, element: Any) -> None:
        divisions = number(element.findtext("divisions"))
        if divisions is not None and divisions > 0:
            self.state.divisions = divisions
        time = element.find("time")
        if time is not None:
            self._time(time)
        key = element.find("key")
        if key is not None:
            self.fifths = whole(key.findtext("fifths"), -7, 7)
            self.minor = key.findtext("mode") == "minor"
        transpose = element.find("transpose")
        if transpose is not None and not self.state.concert:
            semitones = whole(transpose.findtext("chromatic"), -60, 60) or 0
            semitones += 12 * (whole(transpose.findtext("octave-change"), -5, 5) or 0)
            self.state.table.transpositions.append(Change(self.bar, self.cursor, semitones))
            self.state.transposed = semitones % 12 != 0

    def _time(self, time: Any) -> None:
        if time.find("senza-misura") is not None:
            self.meter, self.state.nominal = Meter(None), None
            return
        total, signature = Fraction(0), None
        for beats, unit in zip(time.findall("beats"), time.findall("beat-type"), strict=False):
            count = sum(whole(word, 1, 1000) or 0 for word in (beats.text or "").split("+"))
            kind = whole(unit.text, 1, 1024)
            if count and kind:
                total += Fraction(4 * count, kind)
                signature = (count, kind)
        if total:
            single = signature if len(time.findall("beats")) == 1 else None
            self.meter, self.state.nominal = Meter(total, single), total

    def _length(self, element: Any) -> Fraction | None:
        """Length in quarter notes; None if nothing tells it."""
        told = number(element.findtext("duration"))
        by_type = type_length(element)
        if told is None or told < 0:
            return by_type
        if self.state.divisions is None:
            self.state.divisions = told / by_type if by_type and told else Fraction(1)
        length = told / self.state.divisions
        return length if length <= MOST_LENGTH else by_type

    def _note(self, note: Any) -> None:
        grace, chord = note.find("grace") is not None, note.find("chord") is not None
        length = Fraction(0) if grace else self._length(note)
        if length is None or (not grace and not length):
            return
        onset = self.cursor
        if chord and self._chord is not None and not grace:
            onset = self._chord[0]
        staff = whole(note.findtext("staff"), 1, 100) or 1
        if note.find("cue") is not None:
            if not grace and not chord:
                self._advance(length, staff)
            return
        rest = note.find("rest")
        if rest is not None:
            length = self._rest_length(rest, note, length)
        sound = "<rest/>" if rest is not None else self._pitch(note, onset)
        if not sound:
            if not grace and not chord:
                self._advance(length, staff)
            return
        voice = self._voice(note, str(staff))
        if chord and not grace and self._chord is not None and self._chord[1] != length:
            self._aside(note, sound, voice, self._chord, length)
            return
        joined = chord and self._chord is not None
        self._items.append((_note_text(note, sound, voice, grace, joined), length))
        if not joined and not grace:
            self._move(length, staff)
        if not joined:
            self._chord = None if rest is not None else (onset, length)

    def _rest_length(self, rest: Any, note: Any, length: Fraction) -> Fraction:
        """A whole-bar rest fills its bar, whatever the writer made of it."""
        nominal = self.state.nominal
        whole_bar = rest.get("measure") == "yes" or note.findtext("type") in (None, "whole")
        if nominal is not None and not self.cursor and whole_bar and length > nominal:
            return nominal
        return length

    def _aside(
        self, note: Any, sound: str, voice: int, main: tuple[Fraction, Fraction], length: Fraction
    ) -> None:
        """A chord note of another length than its chord: a note of its own."""
        back = "<backup><duration>{}</duration></backup>"
        self._items.append((back, main[1]))
        self._items.append((_note_text(note, sound, voice, False, False), length))
        self._items.append((back, length))
        self._items.append(("<forward><duration>{}</duration></forward>", main[1]))
        self.longest = max(self.longest, main[0] + length)

    def _pitch(self, note: Any, onset: Fraction) -> str:
        """The note's pitch as MusicXML; empty if there is none."""
        instrument = note.find("instrument")
        place = self.state.instruments.get(instrument.get("id") if instrument is not None else "")
        if place is not None:
            sounds = self.state.table.sounds
            if not sounds or sounds[-1].value != place:
                sounds.append(Change(self.bar, onset, place))
        if note.find("unpitched") is not None:
            key = self.state.table.instruments[place or 0].drum_key
            step = _NAMES[(key or 38) % 12]
            return _pitch_text(step[0], len(step) - 1, (key or 38) // 12 - 1)
        step = (note.findtext("pitch/step") or "").strip().upper()
        octave = whole(note.findtext("pitch/octave"), -1, 10)
        alter = number(note.findtext("pitch/alter")) or Fraction(0)
        if step not in _SEMITONES or octave is None or abs(alter) > 3:
            return ""
        return _pitch_text(step, math.floor(alter + Fraction(1, 2)), octave)

    def _voice(self, note: Any, staff: str) -> int:
        name = (note.findtext("voice") or "1").strip()
        key = (name, staff if self.state.separate else "")
        voice = self.state.voices.setdefault(key, len(self.state.voices) + 1)
        self._used.add(voice)
        return voice

    def _move(self, length: Fraction, staff: int) -> None:
        self.cursor += length
        self.longest = max(self.longest, self.cursor)
        self.ends[staff] = max(self.ends.get(staff, Fraction(0)), self.cursor)

    def _advance(self, length: Fraction, staff: int) -> None:
        self._chord = None
        self._items.append(("<forward><duration>{}</duration></forward>", length))
        self._move(length, staff)

    def _backup(self, element: Any) -> None:
        length = min(self._length(element) or Fraction(0), self.cursor)
        self._items.append(("<backup><duration>{}</duration></backup>", length))
        self.cursor -= length
        self._chord = None

    def _forward(self, element: Any) -> None:
        length = self._length(element) or Fraction(0)
        self._items.append(("<forward><duration>{}</duration></forward>", length))
        self.cursor += length
        self.longest = max(self.longest, self.cursor)
        self._chord = None

    def _direction(self, direction: Any) -> None:
        from .direction import reduce_direction

        text = reduce_direction(direction, self.state.wedges)
        if text:
            offset = number(direction.findtext("offset")) or Fraction(0)
            offset /= self.state.divisions or 1
            self._items.append((text, max(offset, -self.cursor)))

    def _sound(self, sound: Any) -> None:
        tempo = number(sound.get("tempo"))
        if tempo and tempo > 0:
            self._items.append((f'<sound tempo="{float(tempo)}"/>', Fraction(0)))


_TAGS = {"attributes", "note", "backup", "forward", "direction", "sound"}


def _pitch_text(step: str, alter: int, octave: int) -> str:
    altered = f"<alter>{alter}</alter>" if alter else ""
    return f"<pitch><step>{step}</step>{altered}<octave>{octave}</octave></pitch>"


def _note_text(note: Any, sound: str, voice: int, grace: bool, chord: bool) -> str:
    """A reduced ``<note>``; ``{}`` stands for its duration."""
    ties = {tie.get("type") for tie in note.iterfind("tie")} & {"start", "stop"}
    if not ties:
        ties = {tied.get("type") for tied in note.iterfind("notations/tied")} & {"start", "stop"}
    accents = [a for a in _ACCENTS if note.find(f"notations/articulations/{a}") is not None]
    notations = "".join(f"<{name}/>" for name in accents)
    if notations:
        notations = f"<notations><articulations>{notations}</articulations></notations>"
    return "".join(
        (
            "<note>",
            "<grace/>" if grace else "",
            "<chord/>" if chord else "",
            sound,
            "" if grace else "<duration>{}</duration>",
            "".join(f'<tie type="{kind}"/>' for kind in sorted(ties)),
            f"<voice>{voice}</voice>",
            "<type>eighth</type>" if grace else "",
            notations,
            "</note>",
        )
    )
