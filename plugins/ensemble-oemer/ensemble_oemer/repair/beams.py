"""Beams, which oemer sees but does not write: from the beats of the meter."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from .music import FLAGS, Event, Meter, Time, written_type

Beams = list[list[str]]
"""For each event what each of its beams does: ``begin``, ``continue``, ``end``, a hook."""


def beams(voice: Sequence[Event], meter: Meter) -> Beams:
    """The beams of the events of a voice.

    Neighbours of an eighth or less within a beat are joined; plain eighths within half a bar of
    4/4, and within a whole bar of 2/4, 3/4 and 3/8 (E. Gould, Behind Bars, 2011, ch. 6). Stems
    were read, and those on one beam point one way.
    """
    found: Beams = [[] for _ in voice]
    for group in _groups(voice, meter.beat):
        _join(voice, group, found)
    span = meter.length / 2 if meter.beats == 4 else meter.length
    if meter.beat_type == 4 and meter.beats in (2, 3, 4):
        for group in _groups(voice, span):
            if all(voice[place].duration == Fraction(1, 2) for place in group):
                _join(voice, group, found)
    return found


def _groups(voice: Sequence[Event], span: Time) -> list[list[int]]:
    """Places of two or more neighbours with flags that begin in one span of the bar."""
    groups: list[list[int]] = []
    last: Event | None = None
    for place, event in enumerate(voice):
        if event.rest or not _flags(event):
            last = None
            continue
        together = last is not None and last.end == event.onset and last.stem == event.stem
        if together and last is not None and last.onset // span == event.onset // span:
            groups[-1].append(place)
        else:
            groups.append([place])
        last = event
    return [group for group in groups if len(group) > 1]


def _join(voice: Sequence[Event], group: list[int], found: Beams) -> None:
    flags = [_flags(voice[place]) for place in group]
    for at, place in enumerate(group):
        found[place] = [_state(flags, at, level) for level in range(1, flags[at] + 1)]


def _state(flags: list[int], at: int, level: int) -> str:
    before = at > 0 and flags[at - 1] >= level
    after = at + 1 < len(flags) and flags[at + 1] >= level
    if before and after:
        return "continue"
    if before or after:
        return "end" if before else "begin"
    return "backward hook" if at else "forward hook"


def _flags(event: Event) -> int:
    return FLAGS.get(written_type(event.duration)[0], 0)
