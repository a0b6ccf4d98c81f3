"""From written notes to sounding ones: bars in playing order, ties joined, graces fitted in.

Times are exact fractions of a quarter note from the beginning of the performance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

import attrs

from .written import Bar, Note, PartMusic, PartTable, Tempo, at

GRACE = Fraction(1, 8)
"""The longest a grace note lasts, in quarter notes."""

DEFAULT_TEMPO = 120.0


@attrs.define
class Sounding:
    """A note as it sounds.

    Attributes:
        start, end: In quarter notes.
        pitch: MIDI key number.
        velocity: 1 to 127.
        sound: Place of its instrument in the part's table.
        voice: The voice it ends in.
        tied_to: It waits for the note it is tied to.
    """

    start: Fraction
    end: Fraction
    pitch: int
    velocity: int
    sound: int
    voice: int
    tied_to: bool = False


def visits(order: Sequence[int], bars: Sequence[Bar]) -> list[tuple[int, Fraction]]:
    """Each bar as it is played, with its beginning in performance."""
    played, time = [], Fraction(0)
    for bar in order:
        played.append((bar, time))
        time += bars[bar].length
    return played


def perform(
    table: PartTable, music: PartMusic, played: Sequence[tuple[int, Fraction]]
) -> list[Sounding]:
    """All sounding notes of a part, in order of time."""
    by_bar: dict[int, list[Note]] = defaultdict(list)
    for note in music.notes:
        by_bar[note.bar].append(note)
    for notes in by_bar.values():
        notes.sort(key=lambda note: (note.onset, note.pitch, note.voice))
    joined: list[Sounding] = []
    waiting: dict[int, list[Sounding]] = defaultdict(list)
    graces: dict[tuple[Fraction, int], list[tuple[Note, int]]] = defaultdict(list)
    for bar, time in played:
        for note in by_bar[bar]:
            sound = at(table.sounds, bar, note.onset)
            if note.grace is not None:
                graces[(time + note.onset, note.voice)].append((note, sound))
            else:
                _join(note, time + note.onset, sound, joined, waiting[note.pitch])
    _fit_graces(joined, graces)
    joined.sort(key=lambda note: (note.start, note.pitch, note.end))
    return joined


def _join(
    note: Note, start: Fraction, sound: int, joined: list[Sounding], waiting: list[Sounding]
) -> None:
    """Prolong the note this one is tied from; strike it anew if there is none."""
    if waiting:
        waiting[:] = [held for held in waiting if held.end >= start]
    end = start + note.duration
    if note.tied_from:
        held = [one for one in waiting if one.end == start]
        held.sort(key=lambda one: one.voice != note.voice)
        if held:
            held[0].end, held[0].voice = end, note.voice
            if not note.tied_to:
                waiting[:] = [one for one in waiting if one is not held[0]]
            return
    sounding = Sounding(start, end, note.pitch, note.velocity, sound, note.voice, note.tied_to)
    joined.append(sounding)
    if note.tied_to:
        waiting.append(sounding)


def _fit_graces(
    joined: list[Sounding], graces: dict[tuple[Fraction, int], list[tuple[Note, int]]]
) -> None:
    """Play grace notes just before their main note, in time taken from the note before.

    A group takes at most :data:`GRACE` a note and half of the note before it in its voice;
    after a rest it takes from the rest. Only where nothing is before it, at the very
    beginning, it takes from the main note. No other onset moves.
    """
    if not graces:
        return
    ending: dict[tuple[Fraction, int], list[Sounding]] = defaultdict(list)
    starting: dict[tuple[Fraction, int], list[Sounding]] = defaultdict(list)
    ends: dict[int, list[Fraction]] = defaultdict(list)
    for note in joined:
        ending[(note.end, note.voice)].append(note)
        starting[(note.start, note.voice)].append(note)
        ends[note.voice].append(note.end)
    for (time, voice), group in sorted(graces.items(), key=lambda item: item[0]):
        count = max(grace.grace or 0 for grace, _ in group) + 1
        before, main = ending.get((time, voice), []), starting.get((time, voice), [])
        wanted = GRACE * count
        if before:
            room = min(note.end - note.start for note in before) / 2
        else:
            room = time - max((end for end in ends[voice] if end <= time), default=Fraction(0))
        taken, begin = min(wanted, room), time
        if taken:
            begin = time - taken
            for note in before:
                note.end = begin
        elif main:
            taken = min(wanted, min(note.end - note.start for note in main) / 2)
            for note in main:
                note.start = time + taken
        each = (taken or wanted) / count
        for grace, sound in group:
            start = begin + each * (grace.grace or 0)
            joined.append(Sounding(start, start + each, grace.pitch, grace.velocity, sound, voice))


def tempo_map(
    tempos: Sequence[Tempo], played: Sequence[tuple[int, Fraction]]
) -> list[tuple[Fraction, float]]:
    """Tempo changes in performance; after a jump the tempo of the place jumped to holds."""
    ordered = sorted(tempos, key=lambda tempo: (tempo.bar, tempo.offset, not tempo.guessed))
    by_bar: dict[int, list[Tempo]] = defaultdict(list)
    for tempo in ordered:
        by_bar[tempo.bar].append(tempo)
    found: dict[Fraction, float] = {}
    before = None
    for bar, time in played:
        if before is None or bar != before + 1:
            held = [tempo.quarters for tempo in ordered if tempo.bar < bar]
            found[time] = held[-1] if held else DEFAULT_TEMPO
        for tempo in by_bar[bar]:
            found[time + max(tempo.offset, Fraction(0))] = tempo.quarters
        before = bar
    changes = sorted(found.items())
    return [
        change
        for index, change in enumerate(changes)
        if index == 0 or change[1] != changes[index - 1][1]
    ]
