"""When each note sounds: Verovio's time map, repeats played out, ties merged."""

from __future__ import annotations

import re
from typing import Any

import attrs

from .facts import Facts

_REPEAT = re.compile(r"-rend\d+$")
"""Verovio ends the ids of notes played a second time so."""

_TIE_GAP = 2.0
"""Milliseconds two tied notes may be apart by rounding."""


@attrs.define
class Sound:
    """One note as it is played; times in milliseconds at the written tempo.

    Attributes:
        on, off: When the written note begins and ends.
        until: When the sound ends: later than ``off`` if others are tied to it.
        midi: Sounding pitch; 0: silent (a rest, or tied to the note before).
        part: 0-based part.
        id: Of the note in the MusicXML.
    """

    on: float
    off: float
    until: float
    midi: int
    part: int
    id: str


@attrs.frozen
class Timeline:
    """The whole performance.

    Attributes:
        sounds: In the order they begin.
        measures: When which measure (0-based position) begins.
        tempi: When which tempo (quarters a minute) begins.
        length: Milliseconds.
    """

    sounds: tuple[Sound, ...]
    measures: tuple[tuple[float, int], ...]
    tempi: tuple[tuple[float, float], ...]
    length: float


def read(events: list[dict[str, Any]], facts: Facts) -> Timeline:
    """Make a timeline of Verovio's time map."""
    length = max((float(event["tstamp"]) for event in events), default=0.0)
    sounds: list[Sound] = []
    measures: list[tuple[float, int]] = []
    tempi: list[tuple[float, float]] = []
    sounding: dict[str, Sound] = {}
    last: dict[tuple[int, int], Sound] = {}
    for event in events:
        now = float(event["tstamp"])
        for name in event.get("off", ()):
            if name in sounding:
                sounding.pop(name).off = now
        if "tempo" in event:
            tempi.append((now, float(event["tempo"])))
        if "measureOn" in event:
            position = facts.places.get(_written(event["measureOn"]))
            if position is not None:
                measures.append((now, position))
        for name in event.get("on", ()):
            fact = facts.notes.get(_written(name))
            if fact is None:
                continue
            sound = Sound(now, length, 0.0, fact.midi, fact.part, _written(name))
            sounding[name] = sound
            sounds.append(sound)
    for sound in sounds:
        _tie(sound, last, facts)
    return Timeline(tuple(sounds), tuple(measures), tuple(tempi), length)


def _tie(sound: Sound, last: dict[tuple[int, int], Sound], facts: Facts) -> None:
    sound.until = sound.off
    key = (sound.part, sound.midi)
    before = last.get(key)
    if facts.notes[sound.id].tied and before and abs(before.until - sound.on) <= _TIE_GAP:
        before.until = sound.off
        sound.midi = 0
    elif sound.midi:
        last[key] = sound


def _written(name: str) -> str:
    return _REPEAT.sub("", name)
