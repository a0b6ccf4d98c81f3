"""Reading a prepared part with music21 and taking the notes, dynamics and tempos from it."""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import Any

from ensemble_core.model import InputError

from .written import Hairpin, Level, Note, PartMusic, PartTable, Tempo, at

ACCENTS = {"Accent": 1.15, "StrongAccent": 1.3}
"""Factor on the velocity, by music21's class of the articulation."""

ONE_NOTE = {"sf", "sfz", "sffz", "fz", "ffz", "rf", "rfz", "fp", "ffp", "sfp", "sfpp", "pf"}
"""Dynamics that hold for the notes they stand at only."""


def read_part(table: PartTable, document: str, velocity: int) -> PartMusic:
    """Parse one prepared part.

    Args:
        table: What is known of the part.
        document: Its reduced MusicXML.
        velocity: Of a note without any dynamics.

    Raises:
        InputError: music21 cannot make sense of it.
    """
    from music21 import converter, stream

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            score: Any = converter.parseData(document, format="musicxml")
            part = score.parts[0]
        except Exception as error:  # music21 raises nearly anything on broken MusicXML
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise InputError(f"music21 cannot read part {table.name!r}: {reason}") from error
    music = PartMusic()
    reader = _Reader(table, music, velocity)
    for index, measure in enumerate(part.getElementsByClass(stream.Measure)):
        reader.measure(index, measure)
    reader.hairpins([*part.spanners, *score.spanners])
    music.tempos.sort(key=lambda tempo: (tempo.bar, tempo.offset))
    music.levels.sort(key=lambda level: (level.bar, level.offset))
    return music


class _Reader:
    def __init__(self, table: PartTable, music: PartMusic, velocity: int) -> None:
        from music21 import chord, dynamics, expressions, note, tempo

        self.table, self.music, self.velocity = table, music, velocity
        self.places: dict[int, tuple[int, Fraction, Fraction]] = {}  # id → bar, onset, end
        self._takers: dict[type, Any] = {
            note.Note: self._note, chord.Chord: self._chord, note.Rest: self._rest,
            dynamics.Dynamic: self._dynamic, tempo.MetronomeMark: self._metronome,
            tempo.MetricModulation: self._modulation, expressions.TextExpression: self._text,
        }  # fmt: skip

    def measure(self, bar: int, measure: Any) -> None:
        """Take everything from one measure."""
        voices = list(measure.voices)
        for container in (measure, *voices):
            alone = container is measure
            voice = self.table.sole_voice.get(bar, 1) if alone else int(container.id)
            grace, grace_at = 0, Fraction(-1)
            for element in container.elements:
                taker = self._takers.get(type(element))
                if taker is None:
                    continue
                onset = Fraction(container.elementOffset(element))
                place = None
                if getattr(element, "duration", None) is not None and element.duration.isGrace:
                    grace, grace_at = (grace + 1 if onset == grace_at else 0), onset
                    place = grace
                taker(bar, onset, voice, place, element)

    def _note(self, bar: int, onset: Fraction, voice: int, grace: int | None, element: Any) -> None:
        self._add((bar, onset), voice, grace, element, element)
        self._place(bar, onset, element)

    def _chord(
        self, bar: int, onset: Fraction, voice: int, grace: int | None, element: Any
    ) -> None:
        for member in element.notes:
            self._add((bar, onset), voice, grace, member, element)
        self._place(bar, onset, element)

    def _rest(self, bar: int, onset: Fraction, _voice: int, _grace: Any, element: Any) -> None:
        self._place(bar, onset, element)

    def _place(self, bar: int, onset: Fraction, element: Any) -> None:
        length = Fraction(element.duration.quarterLength)
        self.places[id(element)] = (bar, onset, onset + length)

    def _add(
        self, place: tuple[int, Fraction], voice: int, grace: int | None, note: Any, element: Any
    ) -> None:
        bar, onset = place
        tie = note.tie.type if note.tie is not None else ""
        pitch = round(note.pitch.ps) + at(self.table.transpositions, bar, onset)
        if self._percussion(bar, onset):
            pitch = round(note.pitch.ps)
        if not 0 <= pitch <= 127:
            return
        accent = max(
            (ACCENTS.get(type(a).__name__, 1.0) for a in element.articulations), default=1.0
        )
        self.music.notes.append(
            Note(
                bar=bar, onset=onset, pitch=pitch, voice=voice, grace=grace,
                duration=Fraction(element.duration.quarterLength),
                tied_from=grace is None and tie in ("stop", "continue"),
                tied_to=grace is None and tie in ("start", "continue"),
                velocity=self.velocity, accent=accent,
            )
        )  # fmt: skip

    def _percussion(self, bar: int, onset: Fraction) -> bool:
        return self.table.instruments[at(self.table.sounds, bar, onset)].percussion

    def _dynamic(self, bar: int, onset: Fraction, _voice: int, _grace: Any, mark: Any) -> None:
        name = str(mark.value)
        if name in ONE_NOTE:
            loud = max(float(mark.volumeScalar), 0.7)
            self.music.levels.append(Level(bar, onset, loud, only_here=True))
            if name.rstrip("p") != name and name != "pf":  # fp, sfp: soft right after
                soft = 0.35 if name.endswith("fp") else 0.25
                self.music.levels.append(Level(bar, onset, soft))
        else:
            self.music.levels.append(Level(bar, onset, float(mark.volumeScalar)))

    def _metronome(self, bar: int, onset: Fraction, _voice: int, _grace: Any, mark: Any) -> None:
        quarters = mark.getQuarterBPM()
        if quarters and quarters > 0:
            self.music.tempos.append(Tempo(bar, onset, float(quarters)))

    def _modulation(self, bar: int, onset: Fraction, _voice: int, _grace: Any, mark: Any) -> None:
        old, new = mark.oldReferent, mark.newReferent
        if old is None or new is None or not old.quarterLength:
            return
        before = self.music.tempos[-1].quarters if self.music.tempos else 120.0
        factor = float(new.quarterLength) / float(old.quarterLength)
        self.music.tempos.append(Tempo(bar, onset, before * factor))

    def _text(self, bar: int, onset: Fraction, _voice: int, _grace: Any, words: Any) -> None:
        from music21 import tempo

        if not words.content:
            return
        number = tempo.MetronomeMark(words.content).number
        if number:
            self.music.tempos.append(Tempo(bar, onset, float(number), guessed=True))

    def hairpins(self, spanners: list[Any]) -> None:
        """Take the crescendos and diminuendos; their notes must have been read."""

        seen: set[int] = set()
        spanner: Any
        for spanner in spanners:
            wedge = type(spanner).__name__
            if wedge not in ("Crescendo", "Diminuendo") or id(spanner) in seen:
                continue
            seen.add(id(spanner))
            sign = 1 if wedge == "Crescendo" else -1
            first = self.places.get(id(spanner.getFirst()))
            last = self.places.get(id(spanner.getLast()))
            if first is None or last is None or (last[0], last[2]) <= (first[0], first[1]):
                continue
            self.music.hairpins.append(Hairpin(first[:2], (last[0], last[2]), sign))
