"""Names people give to files, made harmless: shown to people, never part of a path."""

from __future__ import annotations

import re

_BAD = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST = 180


def clean_name(given: str, number: int) -> str:
    """A file's name without folders, control characters, or anything that turns text around."""
    name = _BAD.sub("", given.replace("\\", "/").rpartition("/")[2]).strip().strip(".")
    if len(name) > _LONGEST:
        stem, dot, suffix = name.rpartition(".")
        name = f"{stem[: _LONGEST - 12]}{dot}{suffix[:11]}" if dot else name[:_LONGEST]
    return name or f"file-{number}"


def stem_of(name: str) -> str:
    """A name without its suffix."""
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name
