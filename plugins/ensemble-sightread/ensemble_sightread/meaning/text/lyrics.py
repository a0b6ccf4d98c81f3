"""Lyrics: which chord each syllable is sung to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import attrs

from ensemble_core.model import Box

from ...symbols import SPACE, Seen
from ..music import Bar, Event, Lyric, Slur
from .singing import Chord, matched
from .syllables import Syllable, syllables
from .verses import DASHES, Line, verse_lines

USUAL = (0.35, 0.56)
"""How wide a plain space is, in heights of a small letter."""
NO_SPACE = 0.3 * SPACE
"""How wide a gap is no space any more."""


def attach_lyrics(seen: Seen, bars: Sequence[Bar]) -> list[Line]:
    """Give chords the syllables below them; the lines they are read from.

    Args:
        seen: Its words are read.
        bars: Solved bars, with ties and slurs.
    """
    lines = verse_lines(seen, bars)
    open_ends: dict[tuple[int, int], Lyric] = {}
    verses: dict[int, int] = {}
    tight = _leaves_hyphens_out(lines)
    for line in lines:
        verse = verses[line.staff] = verses.get(line.staff, 0) + 1
        found = syllables(line.words)
        if tight:
            _join_close(found)
        chords = _chords([b for b in bars if b.system == line.system], line.staff, found)
        _join(_attach(matched(found, chords, joins=tight), verse), open_ends, (line.place, verse))
    return lines


def _leaves_hyphens_out(lines: Sequence[Line]) -> bool:
    """Whether words never come closer than by a space, so that what is closer is one word.

    Some engravers (LilyPond) leave out a hyphen that has no room and set the syllables side by
    side; their words are often just one space apart. Others always set the hyphen, and let
    words come closer than a space.
    """
    gaps = [
        (word.left - last.right) / last.height
        for line in lines
        for last, word in pairwise(line.words)
        if not ({last.text[-1], word.text[0]} & set(DASHES))
    ]
    if not gaps:
        return True
    usual = sum(USUAL[0] < gap < USUAL[1] for gap in gaps)
    return usual > 0.2 * len(gaps) and sum(gap < USUAL[0] for gap in gaps) < 0.08 * len(gaps)


def _join_close(found: Sequence[Syllable]) -> None:
    """Join syllables between which there is no room for a space."""
    for first, second in pairwise(found):
        if second.box.left - first.box.right < NO_SPACE and first.text[-1].isalpha():
            first.after = second.before = True


def _chords(bars: Iterable[Bar], staff: int, found: Sequence[Syllable]) -> list[Chord]:
    """The chords of a staff one after the other; of several that begin together, the upper.

    A slur that spans more than one syllable is a phrase, and those under it may all be sung.
    """
    chords: list[Chord] = []
    open_slurs: dict[Slur, int] = {}
    middles = [(syllable.box.left + syllable.box.right) / 2 for syllable in found]
    for event in _upper(bars, staff):
        left = min(symbol.left for symbol in event.symbols)
        tied = all(head.tie_stop for head in event.heads)
        chords.append(Chord(event, event.middle, left, tied, slurred=False))
        for slur in event.slur_stops:
            first = open_slurs.pop(slur, len(chords) - 1)
            start, stop = chords[first].left - SPACE, event.middle
            if sum(start < x < stop for x in middles) < 2:
                for number in range(first + 1, len(chords)):
                    chords[number] = attrs.evolve(chords[number], slurred=True)
        open_slurs.update((slur, len(chords) - 1) for slur in event.slur_starts)
    return chords


def _upper(bars: Iterable[Bar], staff: int) -> Iterable[Event]:
    for bar in bars:
        moments: dict[int, Event] = {}
        for event in bar.events:
            if event.staff == staff and event.heads and not event.grace:
                other = moments.get(event.onset)
                if other is None or event.voice < other.voice:
                    moments[event.onset] = event
        yield from (event for _, event in sorted(moments.items()))


def _attach(
    sung: Sequence[tuple[Syllable, Chord | None]], verse: int
) -> list[tuple[Syllable, Lyric]]:
    """Write syllables to their chords; the lyric each became part of."""
    lyrics: list[tuple[Syllable, Lyric]] = []
    last: Chord | None = None
    for syllable, chord in sung:
        if chord is None:
            continue
        box = syllable.box
        if chord is last:
            lyric = lyrics[-1][1]
            lyric.texts.append(syllable.text)
            lyric.box = Box(lyric.box.left, min(lyric.box.top, box.top), box.right,
                            max(lyric.box.bottom, box.bottom))  # fmt: skip
            lyric.confidence = min(lyric.confidence, syllable.confidence)
        else:
            lyric = Lyric([syllable.text], verse, box, syllable.confidence)
            chord.event.lyrics.append(lyric)
        lyrics.append((syllable, lyric))
        last = chord
    return lyrics


def _join(
    lyrics: Sequence[tuple[Syllable, Lyric]],
    ends: dict[tuple[int, int], Lyric],
    line: tuple[int, int],
) -> None:
    """Say which syllables belong to one word, from one system to the next as well.

    Args:
        lyrics: Syllables and the lyrics they are part of.
        ends: The last lyric of each line (place and verse) of the systems before.
        line: Which line this is.
    """
    last = ends.get(line)
    for syllable, lyric in lyrics:
        if lyric is not last:
            lyric.before = syllable.before or bool(last and last.after)
            if lyric.before and last:
                last.after = True
            last = lyric
        lyric.after = syllable.after
    if last:
        ends[line] = last
