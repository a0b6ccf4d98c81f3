"""Voices: each note of a staff in one of as few voices as there must be, no two overlapping."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import attrs

from .music import Event

Voices = list[list[Event]]
"""The events of each voice of a staff, in order."""


def separate(notes: Sequence[Event]) -> Voices:
    """Give each note of a staff and bar its voice; at least one voice, which may be empty.

    One voice if nothing overlaps; else stems up in the first and down in the second, if that
    fits; else what oemer numbered so, if that fits; else the first voice with room.
    """
    ordered = sorted(notes, key=lambda note: (note.onset, note.voice, note.duration))
    if _fits(ordered):
        return _numbered([ordered])
    by_stem = [
        [note for note in ordered if note.stem != "down"],
        [note for note in ordered if note.stem == "down"],
    ]
    as_written = [[note for note in ordered if note.voice == voice] for voice in (1, 2)]
    for voices in (by_stem, as_written):
        if sum(map(len, voices)) == len(ordered) and all(map(_fits, voices)):
            return _numbered([voice for voice in voices if voice])
    return _numbered(_first_fit(ordered))


def free(voice: Sequence[Event], event: Event) -> bool:
    """True if nothing in the voice sounds or rests while the event does."""
    return all(other.end <= event.onset or event.end <= other.onset for other in voice)


def _fits(ordered: Sequence[Event]) -> bool:
    return all(a.end <= b.onset for a, b in pairwise(ordered))


def _first_fit(ordered: Sequence[Event]) -> Voices:
    voices: Voices = []
    for note in ordered:
        room = next((voice for voice in voices if free(voice, note)), None)
        if room is None:
            voices.append([note])
        else:
            room.append(note)
    return voices


def _numbered(voices: Voices) -> Voices:
    return [
        [attrs.evolve(event, voice=number) for event in voice]
        for number, voice in enumerate(voices, 1)
    ]
