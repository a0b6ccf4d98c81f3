"""Making oemer's MusicXML valid: what stands in the wrong place is put in the right one."""

from __future__ import annotations

from typing import Any

from ensemble_core.musicxml import parse, serialize

NOTE_ORDER = (
    "grace", "cue", "chord", "pitch", "unpitched", "rest", "duration", "tie", "instrument",
    "footnote", "level", "voice", "type", "dot", "accidental", "time-modification", "stem",
    "notehead", "notehead-text", "staff", "beam", "notations", "lyric", "play", "listen",
)  # fmt: skip


def repair(data: bytes) -> bytes:
    """Order the children of each note and move ``<sound>`` into the first measure."""
    root = parse(data, "oemer's MusicXML")
    root.set("version", "4.0")
    for part in root.findall("part"):
        _move_sound(part)
        for note in part.iter("note"):
            note[:] = sorted(note, key=_rank)
            rest = note.find("rest")
            if rest is not None and note.find("type") is not None:
                rest.attrib.pop("measure", None)
    return serialize(root)


def _rank(child: Any) -> int:
    return NOTE_ORDER.index(child.tag) if child.tag in NOTE_ORDER else len(NOTE_ORDER)


def _move_sound(part: Any) -> None:
    measure = part.find("measure")
    for sound in part.findall("sound"):
        part.remove(sound)
        if measure is not None:
            attributes = measure.find("attributes")
            place = 0 if attributes is None else list(measure).index(attributes) + 1
            measure.insert(place, sound)
