"""Writes what is tied to a note: its beams, ties, tuplets, slurs and signs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .meaning.music import Event, Head, Mark, Slur

if TYPE_CHECKING:
    from .musicxml import Writer

ORNAMENTS = ("trill-mark", "turn", "inverted-turn", "mordent", "inverted-mordent")
TECHNICAL = ("up-bow", "down-bow")


class Notations:
    """Writes the ``notations`` of a part's notes."""

    def __init__(self, writer: Writer) -> None:
        self.add = writer.add
        self.slurs: dict[Slur, int] = {}

    def write(self, note: Any, event: Event, head: Head | None, number: int) -> None:
        """Write what a head has, and with the first (``number`` 0) what its chord has."""
        kinds = ties(head)
        ends = [] if number else event.tuplet_ends
        bows = [] if number else self._bows(event)
        marks = [] if number else event.marks
        strokes = 0 if number else event.tremolo
        if not any((kinds, ends, bows, marks, strokes, event.arpeggio)):
            return
        node = self.add(note, "notations")
        for kind in kinds:
            self.add(node, "tied", type=kind)
        for kind in ends:
            self.add(node, "tuplet", type=kind, bracket="no")
        for kind, name, slur in bows:
            place = {"placement": "above" if slur.above else "below"} if kind == "start" else {}
            self.add(node, "slur", type=kind, number=str(name), **place)
        self._marks(node, marks, strokes)
        if event.arpeggio:
            self.add(node, "arpeggiate")

    def _marks(self, node: Any, marks: Sequence[Mark], tremolo: int) -> None:
        groups: dict[str, Any] = {}
        for mark in marks:
            if mark.name == "fermata":
                self.add(node, "fermata", type="upright" if mark.above else "inverted")
                continue
            group = "ornaments" if mark.name in ORNAMENTS else "articulations"
            group = "technical" if mark.name in TECHNICAL else group
            if group not in groups:
                groups[group] = self.add(node, group)
            self.add(groups[group], mark.name, placement="above" if mark.above else "below")
        if tremolo:
            ornaments = groups.get("ornaments")
            ornaments = self.add(node, "ornaments") if ornaments is None else ornaments
            self.add(ornaments, "tremolo", tremolo, type="single")

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


def ties(head: Head | None) -> list[str]:
    """Types of the ties at a head."""
    if head is None:
        return []
    return ["stop"] * head.tie_stop + ["start"] * head.tie_start


def beams(events: Sequence[Event]) -> dict[int, list[str]]:
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
