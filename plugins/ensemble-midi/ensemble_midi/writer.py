"""Writing the performance as a standard MIDI file (format 1)."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import attrs

from .channels import DRUMS, PartPlan
from .written import Bar, Instrument, PartTable

_KEYS = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINOR_KEYS = tuple(f"{tonic}m" for tonic in ("Ab", "Eb", "Bb", *_KEYS[6:], "G#", "D#", "A#"))
_SLOWEST = 2**24 - 1  # microseconds a quarter note: the field has three bytes
_META, _PROGRAM, _OFF, _ON = range(4)  # order of messages at the same tick


@attrs.frozen
class Song:
    """Everything that goes into the file.

    Attributes:
        title: Name of the first track.
        resolution: Ticks per quarter note.
        bars: The bars as written.
        played: Each bar as it is played, with its beginning.
        tempos: Tempo changes, ``(time, quarter notes a minute)``.
        parts: Tables and channel plans, part by part.
    """

    title: str
    resolution: int
    bars: Sequence[Bar]
    played: Sequence[tuple[int, Fraction]]
    tempos: Sequence[tuple[Fraction, float]]
    parts: Sequence[tuple[PartTable, PartPlan]]


def write(song: Song) -> bytes:
    """The bytes of the MIDI file; the same song always gives the same bytes."""
    import mido

    file = mido.MidiFile(type=1, ticks_per_beat=song.resolution, charset="utf-8")
    length = 0
    if song.played:
        bar, begin = song.played[-1]
        length = _ticks(begin + song.bars[bar].length, song.resolution)
    file.tracks.append(_track(_conductor(song), length))
    for index, (table, plan) in enumerate(song.parts):
        file.tracks.append(_track(_part(song, table, plan, index), length))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _ticks(time: Fraction, resolution: int) -> int:
    return math.floor(time * resolution + Fraction(1, 2))


def _track(messages: list[tuple[int, int, Any]], length: int) -> Any:
    """A track of ``(tick, rank, message)``, in order, with the gaps as times."""
    import mido

    track, now = mido.MidiTrack(), 0
    for tick, _, message in sorted(messages, key=lambda item: item[:2]):
        message.time = tick - now
        now = tick
        track.append(message)
    track.append(mido.MetaMessage("end_of_track", time=max(0, length - now)))
    return track


def _conductor(song: Song) -> list[tuple[int, int, Any]]:
    """Tempo, time and key signatures."""
    from mido import MetaMessage

    found: list[tuple[int, int, Any]] = []
    if song.title:
        found.append((0, _META, MetaMessage("track_name", name=song.title)))
    for time, quarters in song.tempos:
        tempo = max(1, min(_SLOWEST, round(60_000_000 / quarters)))
        tick = _ticks(time, song.resolution)
        found.append((tick, _META, MetaMessage("set_tempo", tempo=tempo)))
    meters, keys = _held(song.bars)
    before: tuple[Any, Any] = (None, None)
    for bar, time in song.played:
        tick = _ticks(time, song.resolution)
        if meters[bar] not in (None, before[0]):
            beats, unit = meters[bar]
            message = MetaMessage("time_signature", numerator=beats, denominator=unit)
            found.append((tick, _META, message))
        if keys[bar] not in (None, before[1]):
            message = MetaMessage("key_signature", key=keys[bar])
            found.append((tick, _META, message))
        before = (meters[bar] or before[0], keys[bar] or before[1])
    return found


def _held(bars: Sequence[Bar]) -> tuple[list[Any], list[Any]]:
    """Time and key signature in force at every bar; what MIDI cannot say is left out."""
    meters: list[Any] = []
    keys: list[Any] = []
    meter: tuple[int, int] | None = None
    key: str | None = None
    for bar in bars:
        if bar.meter is not None:
            beats, unit = bar.meter
            meter = bar.meter if beats < 256 and unit & (unit - 1) == 0 else None
        if bar.fifths is not None:
            key = (_MINOR_KEYS if bar.minor else _KEYS)[bar.fifths + 7]
        meters.append(meter)
        keys.append(key)
    return meters, keys


def _part(song: Song, table: PartTable, plan: PartPlan, index: int) -> list[tuple[int, int, Any]]:
    """Name, port, programs and notes of one part."""
    from mido import Message, MetaMessage

    name = table.name or f"Part {index + 1}"
    found: list[tuple[int, int, Any]] = [(0, _META, MetaMessage("track_name", name=name))]
    if plan.port:
        found.append((0, _META, MetaMessage("midi_port", port=plan.port)))
    set_to: dict[int, int] = {}
    first = plan.notes[0].channel if plan.notes else None
    for channel in sorted({placed.channel for placed in plan.notes}, key=lambda c: c != first):
        sound = next(placed.note.sound for placed in plan.notes if placed.channel == channel)
        found += _prepare_channel(table.instruments[sound], channel)
        set_to[channel] = table.instruments[sound].program
    for placed in plan.notes:
        note, channel = placed.note, placed.channel
        start = _ticks(note.start, song.resolution)
        end = max(start + 1, _ticks(note.end, song.resolution))
        program = table.instruments[note.sound].program
        if channel != DRUMS and set_to[channel] != program:
            set_to[channel] = program
            change = Message("program_change", channel=channel, program=program)
            found.append((start, _PROGRAM, change))
        key = {"channel": channel, "note": note.pitch}
        found.append((start, _ON, Message("note_on", velocity=note.velocity, **key)))
        found.append((end, _OFF, Message("note_off", velocity=64, **key)))
    return found


def _prepare_channel(instrument: Instrument, channel: int) -> list[tuple[int, int, Any]]:
    from mido import Message

    program = 0 if channel == DRUMS else instrument.program
    found: list[tuple[int, int, Any]] = [
        (0, _META, Message("program_change", channel=channel, program=program))
    ]
    for control, value in ((7, instrument.volume), (10, instrument.pan)):
        if value is not None:
            message = Message("control_change", channel=channel, control=control, value=value)
            found.append((0, _META, message))
    return found
