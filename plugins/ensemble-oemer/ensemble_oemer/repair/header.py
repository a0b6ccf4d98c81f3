"""What stands before the music: oemer invents a title, a composer and a piano."""

from __future__ import annotations

from typing import Any

from .music import Part


def tidy_header(root: Any, parts: list[Part]) -> None:
    """Keep of the header what was read from the page.

    The title is the name of the picture's file, the composer "Transcribed by Oemer"; that
    oemer was at work is said where MusicXML has a place for it. A part of two staves stays
    oemer's piano; of one staff no instrument is known.
    """
    root.set("version", "4.0")
    for child in root.findall("work") + root.findall("identification/creator"):
        if child.tag == "work" or (child.text or "").strip() == "Transcribed by Oemer":
            child.getparent().remove(child)
    identification = root.find("identification")
    if identification is None:
        identification = root.makeelement("identification")
        root.insert(0, identification)
    if identification.find("encoding") is None:
        encoding = add(identification, "encoding")
        add(encoding, "software", "oemer 0.1.8")
        for feature in ("accidental", "beam", "stem"):
            add(encoding, "supports", element=feature, type="yes")
    staves = {part.id: part.staves for part in parts}
    for place, listed in enumerate(root.findall("part-list/score-part"), 1):
        if staves.get(listed.get("id"), 1) == 1:
            for child in list(listed):
                if child.tag == "part-name" and child.text == "Piano":
                    child.text = f"Part {place}"
                elif child.tag in ("score-instrument", "midi-instrument"):
                    listed.remove(child)
    _unindent(root)


def add(parent: Any, tag: str, text: str | None = None, **attributes: str) -> Any:
    """A new last child of an element."""
    made = parent.makeelement(tag, attributes)
    made.text = text
    parent.append(made)
    return made


def _unindent(element: Any) -> None:
    """Drop the white space oemer indents with, so that the same score is the same bytes."""
    for node in element.iter():
        if node.tail is not None and not node.tail.strip():
            node.tail = None
        if node.text is not None and not node.text.strip() and len(node):
            node.text = None
