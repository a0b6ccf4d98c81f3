"""Ids that stay unique when pages are put together."""

from __future__ import annotations

from .reading import Element

# These carry the same attribute to refer to a part or to one of its instruments.
_PARTS_AND_INSTRUMENTS = {
    "part", "score-part", "score-instrument", "instrument", "midi-device", "midi-instrument",
    "play", "player", "instrument-change",
}  # fmt: skip


def rekey(root: Element, prefix: str) -> dict[str, str]:
    """Put a prefix before every id but those of parts and instruments; gives old → new."""
    changed: dict[str, str] = {}
    for element in root.iter():
        name = element.get("id")
        if name is None or element.tag in _PARTS_AND_INSTRUMENTS:
            continue
        changed[name] = prefix + name
        element.set("id", changed[name])
    return changed


def adopt_instruments(known: Element, seen: Element, part: Element) -> None:
    """Make the instruments a page's part uses those of the part it was recognised as.

    Args:
        known: The ``score-part`` of the score; instruments it lacks are added to it.
        seen: The ``score-part`` of the page.
        part: The page's ``part``, whose references are changed.
    """
    ours = known.findall("score-instrument")
    names = {_name(instrument): instrument.get("id", "") for instrument in ours}
    new: dict[str, str] = {}
    theirs = seen.findall("score-instrument")
    for place, instrument in enumerate(theirs):
        old = instrument.get("id", "")
        if _name(instrument) in names:
            new[old] = names[_name(instrument)]
        elif place < len(ours) and (not _name(instrument) or len(ours) == len(theirs) == 1):
            new[old] = ours[place].get("id", "")
        else:
            new[old] = f"{known.get('id')}-I{len(known.findall('score-instrument')) + 1}"
            _move(known, seen, instrument, new[old])
    for element in part.iter("instrument", "play", "instrument-change", "midi-instrument"):
        name = element.get("id")
        if name in new:
            element.set("id", new[name])


def name_instruments(known: Element, part: Element) -> None:
    """Give a new part's instruments ids after the part's own."""
    new = {
        instrument.get("id", ""): f"{known.get('id')}-I{place + 1}"
        for place, instrument in enumerate(known.findall("score-instrument"))
    }
    for tree in (known, part):
        for element in tree.iter("score-instrument", "midi-device", "midi-instrument",
                                 "instrument", "play", "instrument-change"):  # fmt: skip
            name = element.get("id")
            if name in new:
                element.set("id", new[name])


def _name(instrument: Element) -> str:
    return " ".join((instrument.findtext("instrument-name") or "").split()).casefold()


def _move(known: Element, seen: Element, instrument: Element, name: str) -> None:
    old = instrument.get("id")
    there = known.findall("score-instrument")
    before = there[-1] if there else known.findall("part-abbreviation") or known.find("part-name")
    if isinstance(before, list):
        before = before[-1]
    instrument.set("id", name)
    place = known.index(before) + 1 if before is not None else 0
    known.insert(place, instrument)
    for midi in seen.findall("midi-instrument"):
        if midi.get("id") == old:
            midi.set("id", name)
            known.append(midi)
