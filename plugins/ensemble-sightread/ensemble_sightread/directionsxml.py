"""Writes words and signs beside the staves of a part: the ``direction`` elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .meaning.music import QUARTER, TYPES, Bar, Direction, Span

if TYPE_CHECKING:
    from .musicxml import Writer

DYNAMICS = {
    "p", "pp", "ppp", "pppp", "ppppp", "pppppp", "f", "ff", "fff", "ffff", "fffff", "ffffff",
    "mp", "mf", "sf", "sfp", "sfpp", "fp", "rf", "rfz", "sfz", "sffz", "fz", "n", "pf", "sfzp",
}  # fmt: skip
"""Dynamic signs that MusicXML has an element for; any other is an ``other-dynamics``."""


class Directions:
    """Writes the directions of a part.

    A direction is written at the first place of its staff's first voice that is not before its
    onset; where that is later, ``offset`` says by how much. So a hairpin opens right before its
    first note and closes right behind its last one, as programs that read it expect.
    """

    def __init__(self, writer: Writer, *, staves: bool) -> None:
        self.writer, self.staves = writer, staves
        self.add = writer.add
        self.open: dict[Span, int] = {}
        self.count = 0
        self.measure = ""
        self.waiting: list[Direction] = []

    def bar(self, measure: str) -> None:
        """A new bar begins, whose element has this id."""
        self.measure, self.count = measure, 0

    def staff(self, bar: Bar, staff: int) -> None:
        """The music of a staff follows."""
        own = (d for d in bar.directions if d.staff == staff)
        self.waiting = sorted(own, key=lambda d: (d.onset, not d.stop, d.box.left))

    def due(self, measure: Any, now: int, place: int, *, last: bool = False) -> None:
        """Write what waits for this moment.

        Args:
            measure: The element to write to.
            now: Tick of the bar that has been reached.
            place: The staff's place in the part.
            last: Write what is later as well.
        """
        while self.waiting and (last or self.waiting[0].onset <= now):
            self._write(measure, self.waiting.pop(0), now, place)

    def _write(self, measure: Any, direction: Direction, now: int, place: int) -> None:
        number = self._number(direction)
        if number == 0:
            return
        self.count += 1
        name = f"{self.measure}-d{self.count}"
        node = self.add(measure, "direction", id=name)
        node.set("placement", "above" if direction.above else "below")
        self._type(self.add(node, "direction-type"), direction, number)
        if direction.onset != now:
            self.add(node, "offset", (direction.onset - now) * self.writer.divisions // QUARTER)
        if self.staves:
            self.add(node, "staff", place + 1)
        if direction.kind == "metronome":
            self._sound(node, direction)
        if not direction.stop:
            self.writer.box(name, direction.kind, direction.box, direction.confidence)

    def _number(self, direction: Direction) -> int:
        """Number of what it begins or ends, one that nothing else open has; 0: nothing is open."""
        if direction.span is None:
            return 1
        if direction.stop:
            return self.open.pop(direction.span, 0)
        number = min(set(range(1, 17)) - set(self.open.values()), default=0)
        if number:
            self.open[direction.span] = number
        return number

    def _type(self, node: Any, direction: Direction, number: int) -> None:
        kind, text = direction.kind, direction.text
        if kind == "dynamics":
            signs = self.add(node, "dynamics")
            if text in DYNAMICS:
                self.add(signs, text)
            else:
                self.add(signs, "other-dynamics", text)
        elif kind == "wedge":
            self.add(node, "wedge", type=text, number=str(number))
        elif kind == "octave-shift":
            size = str(direction.size)
            self.add(node, "octave-shift", type=text, size=size, number=str(number))
        elif kind == "pedal":
            self.add(node, "pedal", type=text, sign="yes")
        elif kind == "metronome" and direction.beat:
            out = self.add(node, "metronome")
            self.add(out, "beat-unit", TYPES[direction.beat.kind])
            for _ in range(direction.beat.dots):
                self.add(out, "beat-unit-dot")
            self.add(out, "per-minute", text)
        elif kind in ("segno", "coda"):
            self.add(node, kind)
        else:
            out = self.add(node, "rehearsal" if kind == "rehearsal" else "words", text)
            if direction.italic:
                out.set("font-style", "italic")
            if direction.bold:
                out.set("font-weight", "bold")

    def _sound(self, node: Any, direction: Direction) -> None:
        """How fast that is, for what plays it."""
        if direction.beat and direction.text.isdigit():
            quarters = direction.beat.ticks / QUARTER * int(direction.text)
            self.add(node, "sound", tempo=f"{quarters:g}")
