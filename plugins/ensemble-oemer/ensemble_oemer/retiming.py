"""A second account of when oemer's notes begin, written beside its own.

oemer's builder lengthens notes and inserts rests to make its staves agree. While
:func:`retiming` is open it also writes the same notes with the lengths that were read, at the
onsets of :mod:`.onsets`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from .onsets import Sign, onsets


@attrs.define
class Accounts:
    """What was written besides; empty until oemer has written its own."""

    other: bytes = b""


@attrs.frozen
class _Placed:
    """A note group or rest as it was before oemer changed it, and where it begins."""

    sign: Any
    label: Any
    dotted: bool
    onset: int


@contextmanager
def retiming(ete: Any) -> Iterator[Accounts]:
    """While it is open, oemer (``ete`` is ``oemer.ete``) writes a second account."""
    from oemer import build_system

    accounts = Accounts()
    measure: Any = build_system.Measure
    builder: Any = ete.MusicXMLBuilder
    align = measure.align_symbols
    placed: dict[int, _Placed] = {}

    def listening(bar: Any) -> Any:
        placed.update(_place(bar, build_system))
        return align(bar)

    class TwoAccounts(builder):  # type: ignore[misc]
        def to_musicxml(self, *arguments: Any) -> bytes:
            first: bytes = super().to_musicxml(*arguments)
            self.actions: Any = _actions(self.actions, placed, build_system)
            accounts.other = super().to_musicxml(*arguments)
            return first

    measure.align_symbols, ete.MusicXMLBuilder = listening, TwoAccounts
    try:
        yield accounts
    finally:
        measure.align_symbols, ete.MusicXMLBuilder = align, builder


def _place(bar: Any, oemer: Any) -> dict[int, _Placed]:
    """The signs of a bar by the identity of what oemer writes of them: first notes, rests."""
    notes = oemer.layers.get_layer("notes")
    signs = [sign for sign in bar.symbols if isinstance(sign, (oemer.Voice, oemer.Rest))]
    starts = onsets(
        [Sign(float(s.x_center), int(s.track), int(oemer.get_duration(s))) for s in signs],
        float(oemer.get_global_unit_size()),
    )
    return {
        id(sign if isinstance(sign, oemer.Rest) else notes[sign.note_ids[0]]):
            _Placed(sign, sign.label, bool(sign.has_dot), start)
        for sign, start in zip(signs, starts, strict=True)
    }  # fmt: skip


def _actions(actions: list[Any], placed: dict[int, _Placed], oemer: Any) -> list[Any]:
    """oemer's orders to write, with what it inserted left out and every sign at its onset."""

    class MoveTo(oemer.Action):  # type: ignore[misc]
        def __init__(self, onset: int) -> None:
            self.onset = onset

        def perform(self, parent_elem: Any = None) -> None:
            by = self.onset - _now(parent_elem)
            moved = oemer.decode_forward(by) if by > 0 else oemer.decode_backup(-by)
            if moved is not None:
                parent_elem.append(moved)

    notes = oemer.layers.get_layer("notes")
    found = []
    for action in actions:
        if isinstance(action, (oemer.AddBackup, oemer.AddForward)):
            continue
        sign = getattr(action, "note", getattr(action, "rest", None))
        if sign is not None and not getattr(action, "chord", False):
            place = placed.get(id(sign))
            if place is None:
                continue
            _restore(place, notes)
            found.append(MoveTo(place.onset))
        found.append(action)
    return found


def _restore(place: _Placed, notes: Any) -> None:
    """Undo what oemer did to the length of a sign."""
    place.sign.label, place.sign.has_dot = place.label, place.dotted
    for number in getattr(place.sign, "note_ids", ()):
        notes[number].force_set_label(place.label)
        notes[number].has_dot = place.dotted


def _now(measure: Any) -> int:
    """Where what stands in a measure leaves us, in divisions."""
    now = 0
    for node in measure:
        duration = int(node.findtext("duration") or 0)
        if node.tag == "backup":
            now -= duration
        elif node.tag == "forward" or (node.tag == "note" and node.find("chord") is None):
            now += duration
    return now
