"""Note F1 and pitch F1 between two MusicXML documents.

A note is (onset in its bar, pitch, duration) in quarter notes as written: ties are not
merged, grace notes, cue notes and rests are left out. Staves are paired in score order;
inside a staff, bars are aligned by dynamic programming (match cost: notes that differ,
gap cost: notes of the bar + 1), so one lost bar costs one bar. Pitch F1 compares only the
pitches within aligned bars.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import attrs
from lxml import etree

Note = tuple[Fraction, int, Fraction]
Bar = list[Note]
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@attrs.frozen
class Agreement:
    """How far two scores agree, and the counts behind it.

    Attributes:
        note_f1, pitch_f1: 0 to 1; 1 for two scores without notes.
        truth, found: Notes in the truth and in the reading.
        matched, matched_pitches: Notes, and pitches, that agree within aligned bars.
        bars: Bars of the truth, counted on each staff.
        exact_bars: Bars of the truth whose notes were all found, and no others.
    """

    note_f1: float
    pitch_f1: float
    truth: int
    found: int
    matched: int
    matched_pitches: int
    bars: int = 0
    exact_bars: int = 0


def staves(musicxml: bytes) -> list[list[Bar]]:
    """The notes of each staff, in score order, bar by bar."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    root = etree.fromstring(musicxml, parser)
    found: list[list[Bar]] = []
    for part in root.findall("part"):
        numbers = [int(node.text or 1) for node in part.iter("staves")]
        numbers += [int(node.text or 1) for node in part.iter("staff")]
        found += _part(part, max(numbers, default=1))
    return found


def agreement(truth: bytes, found: bytes) -> Agreement:
    """Compare a reading with the truth."""
    return compare(staves(truth), staves(found))


def compare(truth: list[list[Bar]], found: list[list[Bar]]) -> Agreement:
    """Compare staves already parsed."""
    matched = pitches = exact = 0
    for ours, theirs in zip(truth, found, strict=False):
        for a, b in align(ours, theirs):
            matched += _common(ours[a], theirs[b])
            left = Counter(note[1] for note in ours[a])
            pitches += (left & Counter(note[1] for note in theirs[b])).total()
            exact += not differ(ours[a], theirs[b])
    n = sum(len(bar) for staff in truth for bar in staff)
    m = sum(len(bar) for staff in found for bar in staff)
    bars = sum(len(staff) for staff in truth)
    if not n + m:
        return Agreement(1.0, 1.0, 0, 0, 0, 0, bars, exact)
    f1, pitch_f1 = 2 * matched / (n + m), 2 * pitches / (n + m)
    return Agreement(f1, pitch_f1, n, m, matched, pitches, bars, exact)


def align(truth: list[Bar], found: list[Bar]) -> list[tuple[int, int]]:
    """Pairs of bars (index in truth, index in found) of the cheapest alignment."""
    n, m = len(truth), len(found)
    match = _costs(truth, found)
    cost = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(n + 1):
        for j in range(m + 1):
            choices = []
            if i:
                choices.append(cost[i - 1][j] + len(truth[i - 1]) + 1)
            if j:
                choices.append(cost[i][j - 1] + len(found[j - 1]) + 1)
            if i and j:
                choices.append(cost[i - 1][j - 1] + match[i - 1][j - 1])
            cost[i][j] = min(choices, default=0)
    pairs: list[tuple[int, int]] = []
    i, j = n, m
    while i and j:
        if cost[i][j] == cost[i - 1][j - 1] + match[i - 1][j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif cost[i][j] == cost[i - 1][j] + len(truth[i - 1]) + 1:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def _costs(truth: list[Bar], found: list[Bar]) -> list[list[int]]:
    """How many notes differ, for each bar of one and each of the other."""
    ours, theirs = [Counter(bar) for bar in truth], [Counter(bar) for bar in found]
    return [[len(a) + len(b) - 2 * _shared(ca, cb) for b, cb in zip(found, theirs, strict=True)]
            for a, ca in zip(truth, ours, strict=True)]  # fmt: skip


def _shared(a: Counter[Note], b: Counter[Note]) -> int:
    return sum(min(count, b[note]) for note, count in a.items() if note in b)


def _common(a: Bar, b: Bar) -> int:
    return (Counter(a) & Counter(b)).total()


def differ(a: Bar, b: Bar) -> int:
    """How many notes of two bars are in one of them only."""
    return len(a) + len(b) - 2 * _common(a, b)


def _part(part: Any, count: int) -> list[list[Bar]]:
    found: list[list[Bar]] = [[] for _ in range(count)]
    divisions = Fraction(1)
    for measure in part.findall("measure"):
        bars: list[Bar] = [[] for _ in range(count)]
        now = onset = Fraction(0)
        for node in measure:
            if node.tag == "attributes" and node.find("divisions") is not None:
                divisions = Fraction(node.findtext("divisions"))
            length = Fraction(node.findtext("duration") or 0) / divisions
            if node.tag == "backup":
                now -= length
            elif node.tag == "forward":
                now += length
            elif node.tag == "note" and node.find("grace") is None:
                if node.find("chord") is None:
                    onset = now
                    now += length
                pitch = node.find("pitch")
                if pitch is not None and node.find("cue") is None:
                    staff = int(node.findtext("staff") or 1) - 1
                    bars[staff].append((onset, _midi(pitch), length))
        for staff, bar in enumerate(bars):
            found[staff].append(bar)
    return found


def _midi(pitch: Any) -> int:
    alter = round(float(pitch.findtext("alter") or 0))
    return 12 * (int(pitch.findtext("octave")) + 1) + STEPS[pitch.findtext("step")] + alter
