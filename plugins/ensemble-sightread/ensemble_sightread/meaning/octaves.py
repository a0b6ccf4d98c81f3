"""Which chords stand under an octave line, and how they sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from ensemble_core.model import Box

from ..octaves import goes_on
from ..symbols import SPACE, Octave, Seen
from .music import Bar, Direction, Event, Span

OVER = 0.2 * SPACE
"""How far a line reaches beyond the left edge of its last chord, at least."""
EARLY = 1.3 * SPACE
"""How far a line may begin left of its first chord."""
HIGHEST, LOWEST = 58, 3
"""Diatonic numbers (7 × octave + letter) between which music sounds."""


@attrs.define(eq=False)
class _Run:
    """An octave line over one or more lines of music, and the chords along it, with their bars."""

    octave: Octave
    chords: list[tuple[Bar, Event]]
    last: Octave


def add_octaves(seen: Seen, bars: Sequence[Bar]) -> None:
    """Let the notes along octave lines sound where they do, and put the lines into the bars.

    Pitches of MusicXML are those that sound.

    Args:
        seen: Its octave lines are taken.
        bars: Solved bars whose notes are named and tied as they are written.
    """
    for run in _runs(seen, bars):
        shift = run.octave.size // 7 * 7 * (1 if run.octave.above else -1)
        heads = [head for _, event in run.chords for head in event.heads]
        if not heads or not all(LOWEST <= head.diatonic + shift <= HIGHEST for head in heads):
            continue
        for head in heads:
            head.diatonic += shift
        _write(run)


def _runs(seen: Seen, bars: Sequence[Bar]) -> list[_Run]:
    found: list[_Run] = []
    order = sorted(seen.octaves, key=lambda o: (o.staff, o.sign.x))
    for octave in order:
        chords = list(_along(bars, octave))
        before = next((r for r in found if goes_on(seen, r.last, octave)), None)
        if before:
            before.chords += chords
            before.last = octave
        elif chords:
            found.append(_Run(octave, chords, octave))
    return found


def _along(bars: Sequence[Bar], octave: Octave) -> Iterator[tuple[Bar, Event]]:
    """The chords and rests along a line."""
    own = [(bar, e) for bar in bars for e in bar.events if e.staff == octave.staff]
    begin = octave.sign.x
    near = min((abs(e.middle - begin) for _, e in own if not e.whole_bar), default=0.0)
    first = min((e.x for _, e in own if abs(e.middle - begin) <= near + 1), default=begin)
    begin = min(first, begin + EARLY)
    for bar, event in own:
        if begin - 1 <= event.x < octave.right - OVER:
            yield bar, event


def _write(run: _Run) -> None:
    octave, span = run.octave, Span()
    bar, first = run.chords[0]
    box = Box(octave.sign.left, octave.sign.top, octave.right, octave.sign.bottom)
    bar.directions.append(
        Direction(
            "octave-shift", octave.staff, first.onset, box, octave.above,
            "down" if octave.above else "up", octave.sign.confidence, size=octave.size, span=span,
        )
    )  # fmt: skip
    sounding = [(bar, e) for bar, e in run.chords if e.heads]
    bar = sounding[-1][0]
    last = max((e for b, e in sounding if b is bar), key=lambda e: (e.onset, -e.end))
    bar.directions.append(
        Direction(
            "octave-shift", run.last.staff, last.end, box, octave.above, "stop", size=octave.size,
            span=span, stop=True,
        )
    )  # fmt: skip
