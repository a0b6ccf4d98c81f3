"""The score as it is written: what is taken from MusicXML before anything is played.

All times are exact fractions of a quarter note, counted from the start of their bar.
"""

from __future__ import annotations

from fractions import Fraction

import attrs


@attrs.frozen
class Instrument:
    """A sound of a part.

    Attributes:
        program: General MIDI program, 0 to 127.
        drum_key: General MIDI percussion key if it is an unpitched instrument.
        percussion: It belongs on the percussion channel.
        volume: Channel volume, 0 to 127, where the score says one.
        pan: Channel pan, 0 to 127, where the score says one.
    """

    program: int = 0
    drum_key: int | None = None
    percussion: bool = False
    volume: int | None = None
    pan: int | None = None


@attrs.frozen
class Change:
    """Something that holds from ``offset`` in ``bar`` (0-based) on."""

    bar: int
    offset: Fraction
    value: int


@attrs.define
class PartTable:
    """What is known of a part besides its notes.

    Attributes:
        name: As the score names it; may be empty.
        instruments: Its sounds; at least one.
        sounds: Which of ``instruments`` is played from where.
        transpositions: Semitones to add to written pitches, from where.
        sole_voice: Bar → the voice that is alone in it (music21 forgets its number).
    """

    name: str
    instruments: tuple[Instrument, ...]
    sounds: list[Change] = attrs.field(factory=list)
    transpositions: list[Change] = attrs.field(factory=list)
    sole_voice: dict[int, int] = attrs.field(factory=dict)


@attrs.define
class Bar:
    """One bar, of all parts together.

    Attributes:
        number: As printed; may be anything.
        length: How long it lasts in performance, in quarter notes.
        meter: New time signature, ``(beats, beat type)``.
        fifths: New key signature, in fifths above C.
        minor: The new key is minor.
    """

    number: str = ""
    length: Fraction = Fraction(4)
    meter: tuple[int, int] | None = None
    fifths: int | None = None
    minor: bool = False


@attrs.define
class Note:
    """One written note, at sounding pitch.

    Attributes:
        bar: 0-based bar.
        onset: From the start of the bar.
        duration: 0 for a grace note.
        pitch: MIDI key number.
        voice: Number of the voice, unique in the part.
        tied_from: It continues a note before it.
        tied_to: It goes on in a note after it.
        grace: Place in its group of grace notes, from 0; None: an ordinary note.
        velocity: How loud, 1 to 127.
        accent: Factor on its loudness.
    """

    bar: int
    onset: Fraction
    duration: Fraction
    pitch: int
    voice: int
    tied_from: bool = False
    tied_to: bool = False
    grace: int | None = None
    velocity: int = 80
    accent: float = 1.0


@attrs.frozen
class Tempo:
    """A tempo that holds from ``offset`` in ``bar`` on, in quarter notes a minute.

    ``guessed``: from words; a number at the same place, in any part, is better.
    """

    bar: int
    offset: Fraction
    quarters: float
    guessed: bool = False


@attrs.frozen
class Level:
    """A dynamic mark: loudness 0 to 1 from here on, or for the notes right here only."""

    bar: int
    offset: Fraction
    scalar: float
    only_here: bool = False


@attrs.frozen
class Hairpin:
    """A crescendo (``sign`` 1) or diminuendo (-1) between two ``(bar, offset)``."""

    start: tuple[int, Fraction]
    end: tuple[int, Fraction]
    sign: int


@attrs.define
class PartMusic:
    """The music of one part, bar by bar."""

    notes: list[Note] = attrs.field(factory=list)
    tempos: list[Tempo] = attrs.field(factory=list)
    levels: list[Level] = attrs.field(factory=list)
    hairpins: list[Hairpin] = attrs.field(factory=list)


def at(changes: list[Change], bar: int, offset: Fraction, default: int = 0) -> int:
    """The value that holds at a place; ``changes`` are in order."""
    value = default
    for change in changes:
        if (change.bar, change.offset) > (bar, offset):
            break
        value = change.value
    return value
