"""What a page of oemer's says, free of the order and place it was written in."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import attrs

Time = Fraction
"""A position or length in quarter notes."""

TYPES: dict[Fraction, str] = {
    Fraction(8): "breve",
    Fraction(4): "whole",
    Fraction(2): "half",
    Fraction(1): "quarter",
    Fraction(1, 2): "eighth",
    Fraction(1, 4): "16th",
    Fraction(1, 8): "32nd",
    Fraction(1, 16): "64th",
}
"""The written type of each undotted length."""

FLAGS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4}
"""How many beams a note of a type has."""


@attrs.frozen
class Pitch:
    """A written pitch: ``alter`` in semitones, ``octave`` 4 begins at middle C."""

    step: str
    alter: int
    octave: int


@attrs.frozen
class Event:
    """A note, a chord or (without pitches) a rest.

    Attributes:
        onset: From the start of the bar.
        duration: As written.
        staff: 1-based.
        voice: 1-based within its staff, once it was set; before that what oemer wrote.
        pitches: Of its noteheads, as they were written.
        stem: ``up``, ``down`` or empty.
        whole_bar: A rest that stands for the whole bar, however long that is.
    """

    onset: Time
    duration: Time
    staff: int
    voice: int
    pitches: tuple[Pitch, ...] = ()
    stem: str = ""
    whole_bar: bool = False

    @property
    def rest(self) -> bool:
        """True if nothing sounds."""
        return not self.pitches

    @property
    def end(self) -> Time:
        """Where it ends."""
        return self.onset + self.duration


@attrs.frozen
class Clef:
    """A clef and where in the bar it stands."""

    onset: Time
    staff: int
    sign: str
    line: str


@attrs.frozen
class Meter:
    """A time signature: ``beats`` of ``beat_type``."""

    beats: int
    beat_type: int

    @property
    def length(self) -> Time:
        """Of a full bar."""
        return Fraction(4 * self.beats, self.beat_type)

    @property
    def beat(self) -> Time:
        """The beat that is counted: a dotted quarter in 6/8, an eighth's triple in 3/8."""
        unit = Fraction(4, self.beat_type)
        compound = self.beat_type >= 8 and self.beats % 3 == 0
        return 3 * unit if compound else unit

    def __str__(self) -> str:
        return f"{self.beats}/{self.beat_type}"


@attrs.define
class Bar:
    """One measure of one part.

    Attributes:
        events: Notes and rests, in any order.
        clefs: Clefs that are new in it.
        key: Fifths of a key that is new in it.
        meter: A time signature that is new in it.
        pickup: It is incomplete and does not count.
        parted: The bar line at its end was not seen.
        system: A new system begins with it.
        label: Its printed number.
    """

    events: list[Event] = attrs.field(factory=list)
    clefs: list[Clef] = attrs.field(factory=list)
    key: int | None = None
    meter: Meter | None = None
    pickup: bool = False
    parted: bool = False
    system: bool = False
    label: str = ""

    def extent(self, staff: int) -> Time:
        """Where the last note or rest of a staff ends; 0 if there is none."""
        return max((e.end for e in self.events if e.staff == staff), default=Fraction(0))


@attrs.define
class Part:
    """One part: its id, how many staves it has, its bars, the tempo in quarters a minute."""

    id: str
    staves: int
    bars: list[Bar]
    tempo: str = ""


def written_type(duration: Time) -> tuple[str, int]:
    """Type and number of dots of a length; an empty type if no single sign has it."""
    if duration in TYPES:
        return TYPES[duration], 0
    if duration * Fraction(2, 3) in TYPES:
        return TYPES[duration * Fraction(2, 3)], 1
    if duration * Fraction(4, 7) in TYPES:
        return TYPES[duration * Fraction(4, 7)], 2
    return "", 0


def notes_of(column: Iterable[Bar]) -> list[Event]:
    """The notes in the bars of all parts at one place."""
    return [event for bar in column for event in bar.events if not event.rest]


def last_end(column: Iterable[Bar]) -> Time:
    """Where the last of these notes ends; 0 if there is none."""
    return max((note.end for note in notes_of(column)), default=Fraction(0))
