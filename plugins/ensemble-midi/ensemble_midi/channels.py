"""Which note is sent on which MIDI channel.

A key sounds once per channel: of two overlapping notes of one pitch the first note-off
would end both. So such notes go to different channels as long as there are any left.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import attrs

from .performance import Sounding
from .written import PartTable

DRUMS = 9
MELODIC = tuple(channel for channel in range(16) if channel != DRUMS)


@attrs.define
class Placed:
    """A note with its channel."""

    note: Sounding
    channel: int


@attrs.define
class PartPlan:
    """How a part is sent.

    Attributes:
        port: MIDI port, 0 unless more than fifteen melodic parts need one.
        notes: Its notes with their channels, in order of time.
    """

    port: int
    notes: list[Placed]


def allocate(parts: Sequence[tuple[PartTable, list[Sounding]]]) -> list[PartPlan]:
    """Give every part its port and every note its channel.

    Each melodic part has a channel of its own. With more than fifteen, parts of the same
    sound share channels, as players of one section do; when even that does not suffice,
    further parts go to further ports. Percussion is on channel 10 (index 9) of port 0.
    """
    melodic = [i for i, (table, _) in enumerate(parts) if not _percussion(table)]
    groups: dict[object, list[int]] = {}
    for index in melodic:
        shared = len(melodic) > len(MELODIC)
        key: object = parts[index][0].instruments[0].program if shared else index
        groups.setdefault(key, []).append(index)
    plans = [PartPlan(0, []) for _ in parts]
    rows = list(groups.values())
    for start in range(0, len(rows), len(MELODIC)):
        block = rows[start : start + len(MELODIC)]
        spare = list(MELODIC[len(block) :])
        for channel, members in zip(MELODIC, block, strict=False):
            for index in members:
                plans[index].port = start // len(MELODIC)
            _place(parts, members, plans, [channel], spare)
    drums = [i for i, (table, _) in enumerate(parts) if _percussion(table)]
    if drums:
        _place(parts, drums, plans, [DRUMS], [])
    return plans


def _percussion(table: PartTable) -> bool:
    return table.instruments[0].percussion


def _place(
    parts: Sequence[tuple[PartTable, list[Sounding]]],
    members: list[int],
    plans: list[PartPlan],
    channels: list[int],
    spare: list[int],
) -> None:
    """Spread the notes of the parts that share a channel, so that no key sounds twice.

    Takes from ``spare`` what it needs besides ``channels``.
    """
    sounding: list[dict[int, Fraction]] = [{}]
    last: dict[tuple[int, int], Placed] = {}
    notes = [(note, index) for index in members for note in parts[index][1]]
    notes.sort(key=lambda item: (item[0].start, item[0].pitch, -item[0].end))
    for note, index in notes:
        layer = 0
        while layer < len(sounding) and sounding[layer].get(note.pitch, note.start) > note.start:
            layer += 1
        if layer == len(channels) and spare:
            channels.append(spare.pop(0))
            sounding.append({})
        if layer == len(channels):
            layer = 0
            _make_way(last.get((0, note.pitch)), note)
        if note.end <= note.start:
            continue
        sounding[layer][note.pitch] = note.end
        placed = Placed(note, channels[layer])
        last[(layer, note.pitch)] = placed
        plans[index].notes.append(placed)


def _make_way(earlier: Placed | None, note: Sounding) -> None:
    """No channel is left: the key is struck again, or is one longer note."""
    if earlier is None:
        return
    if earlier.note.start < note.start:
        note.end = max(note.end, earlier.note.end)
        earlier.note.end = note.start
    else:
        earlier.note.end = max(note.end, earlier.note.end)
        note.end = note.start
