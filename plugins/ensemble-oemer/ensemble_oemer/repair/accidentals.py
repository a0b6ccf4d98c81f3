"""Accidental signs: where a note's alteration is not what key and bar so far say it is."""

from __future__ import annotations

from collections.abc import Iterable

from .music import Event

SIGNS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
SHARPS = "FCGDAEB"


def key_alter(step: str, fifths: int) -> int:
    """What a key signature does to a step."""
    if fifths >= 0:
        return int(step in SHARPS[:fifths])
    return -int(step in SHARPS[fifths:])


def signs(events: Iterable[Event], fifths: int) -> list[list[str]]:
    """The sign of each pitch of each event of one staff and bar, given in order of onset.

    A sign holds for its own line or space to the end of the bar, in all voices of the staff.
    """
    memory: dict[tuple[str, int], int] = {}
    found = []
    for event in events:
        row = []
        for pitch in event.pitches:
            place = (pitch.step, pitch.octave)
            known = memory.get(place, key_alter(pitch.step, fifths))
            row.append("" if known == pitch.alter else SIGNS.get(pitch.alter, ""))
            memory[place] = pitch.alter
        found.append(row)
    return found
