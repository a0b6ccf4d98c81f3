"""What is seen on a page, before it means anything.

Coordinates are pixels of the *normalised* page (gray, staff space = :data:`SPACE` px), x to
the right, y downwards. A *step* counts diatonic positions on a staff: 0 is the bottom line,
1 the space above it, 8 the top line; it is a float until it is read as a pitch.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    import numpy as np

SPACE = 10.0
"""Pixels of a staff space (distance of two staff lines) on the normalised page."""

KINDS: tuple[str, ...] = (
    "head-black", "head-half", "head-whole", "head-breve", "head-x",
    "head-small-black", "head-small-half",
    "flag-1-up", "flag-2-up", "flag-3-up", "flag-4-up",
    "flag-1-down", "flag-2-down", "flag-3-down", "flag-4-down",
    "rest-whole", "rest-half", "rest-quarter", "rest-8", "rest-16", "rest-32", "rest-64",
    "dot",
    "sharp", "flat", "natural", "double-sharp", "double-flat",
    "clef-g", "clef-f", "clef-c", "clef-percussion", "clef-8",
    "time-0", "time-1", "time-2", "time-3", "time-4",
    "time-5", "time-6", "time-7", "time-8", "time-9", "time-common", "time-cut",
    "tuplet-2", "tuplet-3", "tuplet-4", "tuplet-5", "tuplet-6", "tuplet-7",
    "fermata", "accent", "tenuto", "marcato", "staccatissimo", "trill",
    "segno", "coda", "brace",
    "dynamic-p", "dynamic-m", "dynamic-f", "dynamic-s", "dynamic-z", "dynamic-r", "dynamic-n",
    "turn", "inverted-turn", "mordent", "inverted-mordent", "arpeggio",
    "tremolo-1", "tremolo-2", "tremolo-3", "breath", "caesura", "up-bow", "down-bow",
    "tuplet-8", "tuplet-9", "ottava", "pedal", "pedal-star",
    "multi-rest", "breve-rest", "longa-rest", "grace-slash",
)  # fmt: skip
"""Kinds of :class:`Symbol`. ``dot`` is any dot (augmentation, staccato, repeat): what it
means is decided later. ``flag-2-up`` hangs on an up-stem and stands for two flags.
A ``clef-8`` is the small 8 above or below a clef. Clef changes in mid-staff are clefs.
A ``dynamic-`` is one letter of a dynamic sign, an ``ottava`` the sign that opens an octave
line (8va, 15ma ...), a ``multi-rest`` the thick bar of a rest of several bars; a ``marcato``
is the strong accent. A net may know fewer kinds: which, its file says."""

MASKS: tuple[str, ...] = (
    "staff", "stem", "beam", "barline", "curve", "text", "hairpin", "line",
)  # fmt: skip
"""Classes of thin things that a net may give as masks. ``barline`` is any upright stroke of
a bar line or of a system's left edge, ``curve`` a slur or tie, ``text`` the area that words,
syllables and numbers cover (their letters grown together), ``line`` any other line:
brackets of voltas, tuplets and systems, octave and pedal lines, waves of trills, arpeggios."""


@attrs.frozen
class Symbol:
    """One glyph: its kind, upright box and how sure the detector is (0 to 1)."""

    kind: str
    left: float
    top: float
    right: float
    bottom: float
    confidence: float = 1.0

    @property
    def x(self) -> float:
        """Centre, horizontally."""
        return (self.left + self.right) / 2

    @property
    def y(self) -> float:
        """Centre, vertically."""
        return (self.top + self.bottom) / 2


@attrs.frozen(eq=False)
class Staff:
    """A staff of five lines as a curve.

    Attributes:
        xs: Ascending x positions, shape (n,).
        bottom: y of the bottom line at each, shape (n,).
        space: Staff space at each, shape (n,).
        confidence: How well the lines fit, 0 to 1.
        lean: How far to the left its bar lines go per pixel down; None: as the staff slopes.
    """

    xs: np.ndarray
    bottom: np.ndarray
    space: np.ndarray
    confidence: float = 1.0
    lean: float | None = None
    _knots: tuple[list[float], list[float], list[float]] = attrs.field(init=False, repr=False)

    @_knots.default
    def _as_lists(self) -> tuple[list[float], list[float], list[float]]:
        return self.xs.tolist(), self.bottom.tolist(), self.space.tolist()

    def _at(self, x: float) -> tuple[float, float]:
        """Bottom line and space at x: NumPy's ``interp``, which takes ten times as long for one."""
        xs, bottom, space = self._knots
        place = bisect_right(xs, x) - 1
        if place < 0:
            return bottom[0], space[0]
        if place >= len(xs) - 1 or xs[place] == x:
            return bottom[place], space[place]
        across, away = xs[place + 1] - xs[place], x - xs[place]
        return (
            (bottom[place + 1] - bottom[place]) / across * away + bottom[place],
            (space[place + 1] - space[place]) / across * away + space[place],
        )

    @property
    def left(self) -> float:
        """x where the staff begins."""
        return float(self.xs[0])

    @property
    def right(self) -> float:
        """x where the staff ends."""
        return float(self.xs[-1])

    def y(self, step: float, x: float) -> float:
        """The y of a step at x."""
        bottom, space = self._at(x)
        return bottom - step * space / 2

    def step(self, x: float, y: float) -> float:
        """The (fractional) step of a point."""
        bottom, space = self._at(x)
        return 2 * (bottom - y) / space


@attrs.frozen
class Barline:
    """A bar line through all or some staves of a system.

    Attributes:
        x: Its centre.
        style: ``single``, ``double``, ``final`` (thin-thick), ``heavy-light``, ``dashed``.
        repeat: ``""``, ``forward`` (dots to its right), ``backward`` or ``both``.
    """

    x: float
    style: str = "single"
    repeat: str = ""


@attrs.frozen
class System:
    """Staves that sound together.

    Attributes:
        staves: Indices into ``Seen.staves``, top to bottom.
        barlines: Left to right, without the line that opens the system.
        braces: Runs of staves (first, last; indices into ``Seen.staves``) joined by a brace.
    """

    staves: tuple[int, ...]
    barlines: tuple[Barline, ...] = ()
    braces: tuple[tuple[int, int], ...] = ()


@attrs.frozen
class Stem:
    """A vertical stroke that carries heads: x, and its ends (``top`` < ``bottom``)."""

    x: float
    top: float
    bottom: float


@attrs.frozen
class Beam:
    """A thick slanted stroke between stems; y is its middle line."""

    x1: float
    y1: float
    x2: float
    y2: float
    thickness: float


@attrs.frozen
class Curve:
    """A tie or a slur: its ends, and whether it bows upwards."""

    x1: float
    y1: float
    x2: float
    y2: float
    up: bool


@attrs.frozen
class Hairpin:
    """Two thin lines that open from a point, or close to one.

    Attributes:
        x1, x2: Where it begins and ends.
        y: Of its middle line, halfway.
        left, right: How far the lines are apart at either end.
    """

    x1: float
    x2: float
    y: float
    left: float
    right: float

    @property
    def opens(self) -> bool:
        """Whether it is a crescendo."""
        return self.right > self.left


@attrs.frozen
class MultiRest:
    """A rest of several bars, printed as one bar.

    Attributes:
        system: Index into ``Seen.systems``; all its staves rest.
        left, right: Where its sign lies.
        bars: How many; 0 if that could not be read.
        confidence: Of that number, 0 to 1.
    """

    system: int
    left: float
    right: float
    bars: int
    confidence: float = 1.0


@attrs.frozen
class Volta:
    """The bracket of an ending.

    Attributes:
        system: Index into ``Seen.systems``, above which it stands.
        left, right: Where it begins and ends.
        y: Of its line.
        numbers: The times it is played; none if they could not be read, or it goes on from the
            system before.
        text: As they are printed.
        opened: It has a hook at its left end.
        closed: It has a hook at its right end.
        confidence: Of the numbers, 0 to 1.
    """

    system: int
    left: float
    right: float
    y: float
    numbers: tuple[int, ...] = ()
    text: str = ""
    opened: bool = True
    closed: bool = True
    confidence: float = 1.0


@attrs.frozen
class Octave:
    """A line along which notes sound one or two octaves higher or lower.

    Attributes:
        staff: Index into ``Seen.staves``.
        sign: The sign it begins with.
        right: Where it ends.
        y: Of its line.
        size: 8, 15 or 22.
        above: It stands above the staff, and the notes sound higher.
        hooked: It ends there; else it may go on on the next system.
    """

    staff: int
    sign: Symbol
    right: float
    y: float
    size: int = 8
    above: bool = True
    hooked: bool = True


@attrs.frozen
class Word:
    """A run of letters or digits without a wide gap between them: its text and upright box.

    Attributes:
        text: What it says.
        left, top, right, bottom: The box of its ink.
        baseline: y its letters stand on.
        height: Of a small letter without ascender (x-height), in pixels.
        italic, bold: How it is set.
        confidence: Of the text, 0 to 1.
        middles: x of the middle of each of its letters; empty if that is not known.
        blanks: How wide the paper is between each two letters, in pixels; empty likewise.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    baseline: float
    height: float
    italic: bool = False
    bold: bool = False
    confidence: float = 1.0
    middles: tuple[float, ...] = ()
    blanks: tuple[float, ...] = ()


@attrs.frozen
class Seen:
    """All that was seen on one page.

    Attributes:
        width, height: Size of the normalised page.
        scale: Pixels of the page as given, per pixel of the normalised page.
        staves: Top to bottom.
        systems: Top to bottom.
        faint: Heads and rests the detector is unsure of, for where nothing else is.
        words: Text, in no order.
        tablature: How many staves of tablature were left out.
    """

    width: int
    height: int
    scale: float
    staves: tuple[Staff, ...]
    systems: tuple[System, ...]
    symbols: tuple[Symbol, ...] = ()
    stems: tuple[Stem, ...] = ()
    beams: tuple[Beam, ...] = ()
    curves: tuple[Curve, ...] = ()
    multirests: tuple[MultiRest, ...] = ()
    faint: tuple[Symbol, ...] = ()
    words: tuple[Word, ...] = ()
    tablature: int = 0
    hairpins: tuple[Hairpin, ...] = ()
    voltas: tuple[Volta, ...] = ()
    octaves: tuple[Octave, ...] = ()
