"""Lyrics: which chord each syllable is sung to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import attrs

from ensemble_core.model import Box

from ..symbols import SPACE, Seen
from .music import Bar, Event, Lyric
from .syllables import Syllable, syllables
from .verses import Line, verse_lines

UNSUNG, HELD = 1.2, 0.1
"""What it costs, in staff spaces, that a chord has no syllable; that one does not which is
tied or slurred to the one before it."""
RESTRUCK, SLURRED = 4.0, 0.6
"""What it costs that a chord has one though it is tied to the one before it, or slurred."""
SHARED = 1.5
"""What it costs that two words share a chord, as vowels that meet in Italian do."""
LOST = 6.0
"""What it costs that a syllable has no chord."""
FRINGE = 0.2
"""How much a chord without syllable counts before the first syllable and behind the last."""
CLOSE = 1.2 * SPACE
"""The widest gap between words that share a chord."""


@attrs.frozen(eq=False)
class _Chord:
    """A moment that can be sung to."""

    event: Event
    middle: float
    left: float
    tied: bool
    slurred: bool

    def away(self, syllable: Syllable) -> float:
        """How far a syllable is from being centred on it, or from beginning with it, in spaces."""
        middle = (syllable.box.left + syllable.box.right) / 2
        centred = abs(middle - self.middle)
        begun = abs(syllable.box.left - self.left) + 0.3 * SPACE
        return min(centred, begun) / SPACE


def attach_lyrics(seen: Seen, bars: Sequence[Bar]) -> list[Line]:
    """Give chords the syllables below them; the lines they are read from.

    Args:
        seen: Its words are read.
        bars: Solved bars, with ties and slurs.
    """
    lines = verse_lines(seen, bars)
    open_ends: dict[tuple[int, int], Lyric] = {}
    verses: dict[int, int] = {}
    for line in lines:
        verse = verses[line.staff] = verses.get(line.staff, 0) + 1
        found = syllables(line.words)
        chords = _chords([bar for bar in bars if bar.system == line.system], line.staff)
        lyrics = _attach(found, chords, verse)
        _join(lyrics, found, open_ends, (line.place, verse))
    return lines


def _chords(bars: Iterable[Bar], staff: int) -> list[_Chord]:
    """The chords of a staff one after the other; of several that begin together, the upper."""
    found: list[_Chord] = []
    bows: set[object] = set()
    for bar in bars:
        moments: dict[int, Event] = {}
        for event in bar.events:
            if event.staff == staff and event.heads and not event.grace:
                other = moments.get(event.onset)
                if other is None or event.voice < other.voice:
                    moments[event.onset] = event
        for _, event in sorted(moments.items()):
            left = min(symbol.left for symbol in event.symbols)
            tied = all(head.tie_stop for head in event.heads)
            found.append(_Chord(event, event.middle, left, tied, bool(bows)))
            bows -= set(event.slur_stops)
            bows |= set(event.slur_starts)
    return found


def _attach(found: Sequence[Syllable], chords: Sequence[_Chord], verse: int) -> list[Lyric | None]:
    """Write the syllables to their chords; the lyric each became part of."""
    lyrics: list[Lyric | None] = []
    last = -1
    for syllable, number in zip(found, _matched(found, chords), strict=True):
        if number < 0:
            lyrics.append(None)
            continue
        box, lyric = syllable.box, lyrics[-1] if lyrics else None
        if number == last and lyric:
            lyric.texts.append(syllable.text)
            lyric.box = Box(lyric.box.left, min(lyric.box.top, box.top), box.right,
                            max(lyric.box.bottom, box.bottom))  # fmt: skip
            lyric.confidence = min(lyric.confidence, syllable.confidence)
        else:
            lyric = Lyric([syllable.text], verse, box, syllable.confidence)
            chords[number].event.lyrics.append(lyric)
        lyrics.append(lyric)
        last = number
    return lyrics


def _matched(found: Sequence[Syllable], chords: Sequence[_Chord]) -> list[int]:
    """The number of each syllable's chord, -1 for none: the cheapest way in order.

    Dynamic programming over the syllables; the state is the last chord that was sung to,
    counted from 1, 0 before the first.
    """
    silence = [0.0]
    for chord in chords:
        silence.append(silence[-1] + (HELD if chord.tied or chord.slurred else UNSUNG))
    best = [0.0] + [math.inf] * len(chords)
    ways: list[list[int]] = []
    for number in range(len(found)):
        best, way = _step(found[max(number - 1, 0) : number + 1], chords, best, silence)
        ways.append(way)
    ends = [cost + FRINGE * (silence[-1] - silence[k]) for k, cost in enumerate(best)]
    last = ends.index(min(ends))
    matched = []
    for way in reversed(ways):
        matched.append(last - 1 if way[last] >= 0 else -1)
        last = max(way[last], 0) if way[last] >= 0 else last
    return matched[::-1]


def _step(
    found: Sequence[Syllable],
    chords: Sequence[_Chord],
    best: Sequence[float],
    silence: Sequence[float],
) -> tuple[list[float], list[int]]:
    """Costs with one more syllable, by the chord sung to last, and which was the last before.

    Args:
        found: That syllable, and first the one before it if there is one.
        chords: All of the line.
        best: Costs without it.
        silence: What it costs to leave out all chords up to each.
    """
    syllable = found[-1]
    shares = len(found) == 2 and _may_share(*found)
    costs, ways = [best[0] + LOST], [-1]
    cheapest, source = math.inf, 0
    for k, chord in enumerate(chords, 1):
        if k > 1 and best[k - 1] - silence[k - 1] < cheapest:
            cheapest, source = best[k - 1] - silence[k - 1], k - 1
        fit = chord.away(syllable) + (RESTRUCK if chord.tied else SLURRED if chord.slurred else 0)
        ways_here = [
            (best[k] + LOST, -1),
            (cheapest + silence[k - 1] + fit, source),
            (best[0] + FRINGE * silence[k - 1] + fit, 0),
        ]
        if shares:
            ways_here.append((best[k] + SHARED, k))
        cost, way = min(ways_here)
        costs.append(cost)
        ways.append(way)
    return costs, ways


def _may_share(first: Syllable, second: Syllable) -> bool:
    """Whether two syllables are words that stand as close as words that share a chord."""
    joined = first.after or second.before
    return not joined and second.box.left - first.box.right < CLOSE


def _join(
    lyrics: Sequence[Lyric | None],
    found: Sequence[Syllable],
    ends: dict[tuple[int, int], Lyric],
    line: tuple[int, int],
) -> None:
    """Say which syllables belong to one word, from one system to the next as well.

    Args:
        lyrics: What the syllables became part of.
        found: The syllables.
        ends: The last lyric of each line (place and verse) of the systems before.
        line: Which line this is.
    """
    last = ends.get(line)
    for syllable, lyric in zip(found, lyrics, strict=True):
        if lyric is None:
            continue
        if lyric is not last:
            lyric.before = syllable.before or bool(last and last.after)
            if lyric.before and last:
                last.after = True
            last = lyric
        lyric.after = syllable.after
    if last:
        ends[line] = last
