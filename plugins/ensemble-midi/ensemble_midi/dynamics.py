"""How loud each note is: dynamic marks, hairpins and accents as velocities."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from fractions import Fraction

import attrs

from .written import Bar, Hairpin, PartMusic

MEZZOFORTE = 0.55
"""music21's loudness of mf; a part without any mark is played so."""

STEP = 0.15
"""What a hairpin changes when no mark says where it leads."""

SOFTEST, LOUDEST = 0.1, 0.95


def starts(bars: Sequence[Bar]) -> list[Fraction]:
    """Where each bar begins when all are played once, in order; one more: the end."""
    found = [Fraction(0)]
    for bar in bars:
        found.append(found[-1] + bar.length)
    return found


def set_velocities(music: PartMusic, bars: Sequence[Bar], velocity: int) -> None:
    """Give every note of a part its velocity; ``velocity`` is that of mf."""
    begins = starts(bars)
    curve = Curve(music, begins)
    here = {
        begins[level.bar] + level.offset: level.scalar for level in music.levels if level.only_here
    }
    for note in music.notes:
        time = begins[note.bar] + note.onset
        loud = curve.at(time)
        if time in here:
            loud = max(here[time], loud + STEP)
        heard = velocity * loud / MEZZOFORTE * note.accent
        note.velocity = max(1, min(127, round(heard)))


@attrs.frozen
class _Slope:
    """From ``start`` to ``end`` the loudness goes from ``low`` to ``high`` in a line."""

    start: Fraction
    end: Fraction
    low: float
    high: float


class Curve:
    """Loudness of a part over written time."""

    def __init__(self, music: PartMusic, begins: Sequence[Fraction]) -> None:
        marks = {
            begins[level.bar] + level.offset: level.scalar
            for level in music.levels
            if not level.only_here
        }
        self._times = sorted(marks)
        self._levels = [marks[time] for time in self._times]
        self._slopes: list[_Slope] = []
        self._begins: list[Fraction] = []
        for pin in sorted(music.hairpins, key=lambda pin: pin.start):
            self._add(pin, begins)

    def _add(self, pin: Hairpin, begins: Sequence[Fraction]) -> None:
        """Bend the curve along a hairpin; it leads to the mark at its end, if there is one."""
        start = begins[pin.start[0]] + pin.start[1]
        end = begins[pin.end[0]] + pin.end[1]
        first = bisect.bisect_right(self._times, start)
        if first < len(self._times) and self._times[first] < end:
            end = self._times[first]  # a mark within it: it leads there
        low = self.at(start)
        after = bisect.bisect_left(self._times, end)
        near = after < len(self._times) and self._times[after] <= end + 1
        high = self._levels[after] if near else low + pin.sign * STEP
        if (high - low) * pin.sign <= 0:
            high = low + pin.sign * STEP
        high = max(SOFTEST, min(LOUDEST, high))
        if not near:
            self._times.insert(after, end)
            self._levels.insert(after, high)
        self._slopes.append(_Slope(start, end, low, high))
        self._begins.append(start)

    def at(self, time: Fraction) -> float:
        """Loudness, 0 to 1, of a note that begins at ``time``."""
        last = bisect.bisect_right(self._begins, time)
        for slope in reversed(self._slopes[max(0, last - 2) : last]):
            if time < slope.end:
                part = float((time - slope.start) / (slope.end - slope.start))
                return slope.low + (slope.high - slope.low) * part
        index = bisect.bisect_right(self._times, time) - 1
        return self._levels[index] if index >= 0 else MEZZOFORTE
