"""What the symbols of a page stand for, while it is being worked out.

Times are ticks (:data:`QUARTER` to the quarter note), positions staff steps, x in pixels of
the normalised page.
"""

from __future__ import annotations

from fractions import Fraction

import attrs

from ensemble_core.model import Box

from ..symbols import Barline, MultiRest, Staff, Stem, Symbol, Volta

QUARTER = 3360
"""Ticks of a quarter note: divides by 2 to the fifth, 3, 5 and 7."""

WHOLE = 4 * QUARTER
TYPES = ("breve", "whole", "half", "quarter", "eighth", "16th", "32nd", "64th", "128th")
"""Note types of MusicXML, longest first; a breve is 2 whole notes, each next one half."""


def ticks(kind: int, dots: int = 0) -> int:
    """Length of a note type (0: breve, 1: whole, 3: quarter …) with dots."""
    plain = 2 * WHOLE >> kind
    return 2 * plain - (plain >> dots)


@attrs.frozen
class Value:
    """One way to read an event's length.

    Attributes:
        kind: Index into :data:`TYPES`.
        dots: Augmentation dots.
        cost: How much is against it; 0 for what the symbols say.
        ratio: Of the tuplet it is in: (sounding, in the time of).
    """

    kind: int
    dots: int = 0
    cost: float = 0.0
    ratio: tuple[int, int] = (1, 1)

    @property
    def ticks(self) -> int:
        """Its length."""
        return ticks(self.kind, self.dots) * self.ratio[1] // self.ratio[0]


@attrs.frozen
class Clef:
    """A clef: its sign, its line (1: bottom) and by how many octaves it shifts."""

    sign: str = "G"
    line: int = 2
    octave: int = 0

    @property
    def bottom(self) -> int:
        """Diatonic number (7 × octave + letter, C = 0) of the bottom line."""
        middle = {"G": 4 * 7 + 4, "F": 3 * 7 + 3, "C": 4 * 7}.get(self.sign, 4 * 7 + 6)
        return middle - 2 * (self.line - 1) + 7 * self.octave


@attrs.frozen
class Meter:
    """A time signature; ``symbol`` is ``common``, ``cut`` or empty."""

    beats: int = 4
    beat_type: int = 4
    symbol: str = ""

    @property
    def ticks(self) -> int:
        """Length of its bar."""
        return int(Fraction(self.beats, self.beat_type) * WHOLE)


@attrs.define(eq=False)
class Head:
    """A notehead and, later, its pitch."""

    symbol: Symbol
    step: int
    accidental: Symbol | None = None
    diatonic: int = 0
    alter: int = 0
    tie_start: bool = False
    tie_stop: bool = False


@attrs.frozen(eq=False)
class Slur:
    """A slur: above its chords or below."""

    above: bool


@attrs.frozen
class Mark:
    """An articulation, fermata or ornament, named as in MusicXML, above its chord or below."""

    name: str
    above: bool


@attrs.frozen(eq=False)
class Span:
    """What goes from one direction to another: a hairpin, an octave line."""


@attrs.frozen(eq=False)
class Direction:
    """A word or sign that stands beside a staff at a moment of its bar.

    Attributes:
        kind: ``words``, ``metronome``, ``dynamics``, ``wedge``, ``octave-shift``, ``pedal``,
            ``rehearsal``, ``segno`` or ``coda``.
        staff: Index into ``Seen.staves``.
        onset: Tick of the bar at which it holds.
        box: Where it stands.
        above: Whether it stands above the staff.
        text: The words, the name of the dynamic sign, what a metronome's beat counts; the
            ``type`` of a wedge (``crescendo``, ``diminuendo``, ``stop``), of an octave line
            (``up``: sounds lower, ``down``: sounds higher, ``stop``) or of a pedal sign.
        confidence: 0 to 1.
        italic, bold: How words are set.
        beat: What a metronome counts.
        size: Of an octave line: 8, 15 or 22.
        span: What it begins or ends; the same at both ends.
        stop: It ends that.
    """

    kind: str
    staff: int
    onset: int
    box: Box
    above: bool = True
    text: str = ""
    confidence: float = 1.0
    italic: bool = False
    bold: bool = False
    beat: Value | None = None
    size: int = 8
    span: Span | None = None
    stop: bool = False


@attrs.define(eq=False)
class Lyric:
    """What is sung to a chord, in one verse.

    Attributes:
        texts: The syllable; several that share the chord, as vowels that meet in Italian do.
        verse: From 1, from the top down.
        box: Where it stands.
        confidence: 0 to 1.
        before, after: Whether it goes on the word before it, and is gone on with.
    """

    texts: list[str]
    verse: int
    box: Box
    confidence: float = 1.0
    before: bool = False
    after: bool = False


@attrs.define(eq=False)
class Event:
    """A chord or a rest on one staff.

    Attributes:
        staff: Index into ``Seen.staves``.
        heads: From the bottom up; empty for a rest.
        rest: The rest's symbol.
        stem, up: The stem and whether it points up; None without one.
        x: Left edge of the head column, the place that says *when*.
        beams_left, beams_right: Beams that reach its stem from either side.
        group: Number of its beam group.
        lane: Staff whose voices it belongs to, if a beam leads to it from another staff.
        values: Ways to read its length, cheapest first.
        onset, value, voice: What the bar's search found (voice from 0, inside the staff).
        whole_bar: A rest that fills the bar whatever its length.
        tuplet: Number of the tuplet it is in, in its bar.
        tuplet_ends: ``start`` or ``stop`` where it begins or ends that tuplet.
        slur_starts, slur_stops: The slurs that begin and end here.
        marks: Articulations, fermata and ornaments.
        lyrics: What is sung to it, a verse each.
        tremolo: Strokes through its stem.
        arpeggio: A wavy line stands before it.
        slash: A stroke crosses the stem of a grace note.
    """

    staff: int
    heads: list[Head] = attrs.field(factory=list)
    rest: Symbol | None = None
    stem: Stem | None = None
    up: bool | None = None
    x: float = 0.0
    beams_left: int = 0
    beams_right: int = 0
    group: int | None = None
    lane: int = -1
    flags: int = 0
    dots: int = 0
    grace: bool = False
    whole_bar: bool = False
    values: list[Value] = attrs.field(factory=list)
    onset: int = 0
    value: Value = Value(3)
    voice: int = 0
    tuplet: int | None = None
    tuplet_ends: list[str] = attrs.field(factory=list)
    slur_starts: list[Slur] = attrs.field(factory=list)
    slur_stops: list[Slur] = attrs.field(factory=list)
    marks: list[Mark] = attrs.field(factory=list)
    lyrics: list[Lyric] = attrs.field(factory=list)
    tremolo: int = 0
    arpeggio: bool = False
    slash: bool = False

    @property
    def symbols(self) -> list[Symbol]:
        """Heads, or the rest."""
        return [head.symbol for head in self.heads] or ([self.rest] if self.rest else [])

    @property
    def right(self) -> float:
        """Right edge of its heads or rest."""
        return max(symbol.right for symbol in self.symbols)

    @property
    def middle(self) -> float:
        """Centre of its heads or rest, horizontally."""
        return (min(symbol.left for symbol in self.symbols) + self.right) / 2

    @property
    def y(self) -> float:
        """Centre of its heads or rest, vertically."""
        symbols = self.symbols
        return sum(symbol.y for symbol in symbols) / len(symbols)

    @property
    def end(self) -> int:
        """Tick at which it ends."""
        return self.onset + self.value.ticks


@attrs.frozen(eq=False)
class Ending:
    """What is played the first time, the second time …: the bracket that begins it."""

    volta: Volta


@attrs.define(eq=False)
class Bar:
    """One bar of one system, on all its staves.

    Attributes:
        system: Index into ``Seen.systems``.
        staves: Indices into ``Seen.staves``.
        lines: Those staves.
        left, right: Where it lies.
        opens, closes: Its bar lines; None at the start of a system or for an open end.
        clefs: Clefs printed in it, ``(staff, x, clef, symbol)``.
        keys: Key signatures printed in it, by staff (fifths).
        meter: The time signature that holds; ``meter_printed`` if it stands in this bar.
        length: Ticks of the bar as read.
        fits: Whether its events fill it exactly.
        courtesy: A key or meter that holds from the next system on is printed behind it.
        pickup: A bar that is short on purpose.
        multirest: The sign of several bars' rest that stands in it.
        directions: Words and signs beside its staves, in no order.
        ending: The ending that begins with it.
        ending_stop: ``stop`` if an ending stops with it, ``discontinue`` if that has no hook.
    """

    system: int
    staves: tuple[int, ...]
    lines: tuple[Staff, ...]
    left: float
    right: float
    opens: Barline | None = None
    closes: Barline | None = None
    starts_system: bool = False
    events: list[Event] = attrs.field(factory=list)
    accidentals: dict[int, list[Symbol]] = attrs.field(factory=dict)
    dots: list[Symbol] = attrs.field(factory=list)
    marks: list[Symbol] = attrs.field(factory=list)
    digits: list[Symbol] = attrs.field(factory=list)
    times: dict[int, list[Symbol]] = attrs.field(factory=dict)
    clefs: list[tuple[int, float, Clef, Symbol]] = attrs.field(factory=list)
    keys: dict[int, int] = attrs.field(factory=dict)
    meter: Meter | None = None
    meter_printed: bool = False
    length: int = 0
    fits: bool = True
    cost: float = 0.0
    pickup: bool = False
    forward: bool = False
    backward: bool = False
    courtesy: bool = False
    multirest: MultiRest | None = None
    directions: list[Direction] = attrs.field(factory=list)
    ending: Ending | None = None
    ending_stop: str = ""

    def step(self, staff: int, x: float, y: float) -> float:
        """The (fractional) step of a point on one of its staves."""
        return self.lines[self.staves.index(staff)].step(x, y)
