"""What a user may choose about the MIDI file."""

from __future__ import annotations

import attrs

from ensemble_core.model import option


@attrs.frozen
class MidiOptions:
    """Options of the ``midi`` exporter."""

    tempo: float | None = option(
        None,
        "Play at this tempo throughout, instead of the score's own tempo marks",
        minimum=4,
        maximum=1000,
        unit="quarter notes a minute",
    )
    velocity: int = option(
        80, "Velocity of a note marked mf; all other dynamics follow it", minimum=1, maximum=127
    )
    resolution: int = option(
        480, "Ticks per quarter note of the file", minimum=24, maximum=32767, unit="ticks"
    )
    repeats: bool = option(
        True, "Play repeats, voltas and D.C./D.S. out; false plays each bar once, in order"
    )
