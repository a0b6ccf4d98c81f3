"""What the words of a page are: lyrics, directions, tempos, names of parts."""

from __future__ import annotations

from .lyrics import attach_lyrics
from .names import part_names
from .wording import attach_words

__all__ = ["attach_lyrics", "attach_words", "part_names"]
