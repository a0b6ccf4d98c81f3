"""Which sounds a part is played with: General MIDI programs and percussion keys."""

from __future__ import annotations

from typing import Any

from .source import number, whole
from .written import Instrument

PERCUSSION_CHANNEL = 10
SNARE = 38


def read_instruments(described: Any, part: Any) -> tuple[tuple[str, str], dict[str, Instrument]]:
    """Name and short name of a part, and its instruments by their id.

    The score's ``midi-instrument`` is taken at its word; where it says nothing, music21
    knows what many instruments are called in several languages; the last resort is a piano.

    Args:
        described: The ``score-part``, or None if it is missing.
        part: The ``part``.
    """
    if described is None:
        return ("", ""), {"": _by_name("", _unpitched(part))}
    name = " ".join((described.findtext("part-name") or "").split())
    short = " ".join((described.findtext("part-abbreviation") or "").split())
    told = {m.get("id"): m for m in described.iterfind("midi-instrument")}
    named = {
        s.get("id"): " ".join((s.findtext("instrument-name") or "").split())
        for s in described.iterfind("score-instrument")
    }
    found: dict[str, Instrument] = {}
    unpitched = _unpitched(part)
    for key in [*named, *(key for key in told if key not in named)]:
        found[key or ""] = _instrument(told.get(key), named.get(key) or name, name, unpitched)
    return (name, short), found or {"": _by_name(name, unpitched)}


def _instrument(midi: Any, name: str, part_name: str, unpitched: bool) -> Instrument:
    if midi is None:
        guess = _by_name(name, unpitched)
        return guess if guess.program or guess.percussion else _by_name(part_name, unpitched)
    channel = whole(midi.findtext("midi-channel"), 1, 16)
    program = whole(midi.findtext("midi-program"), 1, 128)
    key = whole(midi.findtext("midi-unpitched"), 1, 128)
    guess = _by_name(name, unpitched)
    if program is None and not guess.program:
        guess = _by_name(part_name, unpitched)
    volume, pan = number(midi.findtext("volume")), number(midi.findtext("pan"))
    return Instrument(
        program=program - 1 if program else guess.program,
        drum_key=key - 1 if key else guess.drum_key,
        percussion=channel == PERCUSSION_CHANNEL or unpitched,
        volume=None if volume is None else _byte(float(volume) / 100 * 127),
        pan=None if pan is None else _byte(64 + float(pan) / 90 * 63.5),
    )


def _byte(value: float) -> int:
    return max(0, min(127, round(value)))


def _unpitched(part: Any) -> bool:
    """The part has unpitched notes and no pitched ones."""
    return part.find("measure/note/unpitched") is not None and (
        part.find("measure/note/pitch") is None
    )


def _by_name(name: str, unpitched: bool) -> Instrument:
    from music21 import exceptions21, instrument

    try:
        found = instrument.fromString(name) if name else None
    except exceptions21.Music21Exception:
        found = None
    key = getattr(found, "percMapPitch", None)
    program = getattr(found, "midiProgram", None)
    return Instrument(
        program=program or 0,
        drum_key=(key if key is not None else SNARE) if unpitched else None,
        percussion=unpitched,
    )
