"""Writes what is sung to a note: its ``lyric`` elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .meaning.music import Event, Lyric

if TYPE_CHECKING:
    from .musicxml import Writer

BETWEEN = "\u00a0"
"""What stands between two words that share a note."""


def write_lyrics(writer: Writer, note: Any, event: Event, name: str) -> None:
    """Write the lyrics of a chord to its first note.

    Args:
        writer: Where elements are noted.
        note: The ``note`` element.
        event: The chord.
        name: The note's ``id``.
    """
    for lyric in sorted(event.lyrics, key=lambda lyric: lyric.verse):
        own = f"{name}-l{lyric.verse}"
        node = writer.add(note, "lyric", number=str(lyric.verse), id=own)
        for number, text in enumerate(lyric.texts):
            if number:
                writer.add(node, "elision", BETWEEN)
            writer.add(node, "syllabic", _syllabic(lyric, number))
            writer.add(node, "text", text)
        writer.box(own, "lyric", lyric.box, lyric.confidence)


def _syllabic(lyric: Lyric, number: int) -> str:
    """Whether a text begins a word, ends it, is amid it or is all of it."""
    before = lyric.before and number == 0
    after = lyric.after and number == len(lyric.texts) - 1
    return {(False, False): "single", (False, True): "begin", (True, True): "middle",
            (True, False): "end"}[before, after]  # fmt: skip
