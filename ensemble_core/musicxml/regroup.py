"""Staves that one page reads as one part and another as several.

Whether a brace joins two staves is easily misread. When a page has as many staves as the
score but groups them otherwise, its parts are taken apart into staves and put together
as the score has them.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from .carry import leading, put_attribute
from .reading import Element
from .timing import Clock, number

_SHARED = ("print", "barline", "sound")
_AFTER_STAFF = {
    "note": ("beam", "notations", "lyric", "play", "listen"),
    "direction": ("sound", "listening"),
    "forward": (),
    "harmony": (),
}


def segments(ours: Sequence[int], theirs: Sequence[int]) -> list[tuple[slice, slice]] | None:
    """Which parts of a page stand for which parts of the score, by the staves they have.

    Args:
        ours: Staves of each part of the score.
        theirs: Staves of each part of the page.

    Returns:
        Smallest runs of parts with the same number of staves on both sides; None when the
        numbers of staves differ, or the parts agree already.
    """
    if sum(ours) != sum(theirs) or list(ours) == list(theirs):
        return None
    found = []
    i = j = first_i = first_j = 0
    left = right = 0
    while i < len(ours) or j < len(theirs):
        if left <= right and i < len(ours):
            left, i = left + ours[i], i + 1
        else:
            right, j = right + theirs[j], j + 1
        if left == right:
            found.append((slice(first_i, i), slice(first_j, j)))
            first_i, first_j = i, j
    return found


def take_apart(measures: list[Element], staves: int) -> list[list[Element]]:
    """One list of measures for each staff of a part."""
    clocks = [Clock() for _ in range(staves)]
    return [
        [_one_staff(measure, staff, clock) for measure in measures]
        for staff, clock in enumerate(clocks, 1)
    ]


def put_together(parts: list[list[Element]]) -> list[Element]:
    """The measures of one part whose staves are the given parts of one staff each."""
    stated = {number(d.text) for part in parts for m in part for d in m.iter("divisions")}
    common = lcm(*(int(value) for value in stated if value >= 1), 1)
    for part in parts:
        _rescale(part, common)
    merged = []
    for place, measures in enumerate(zip(*parts, strict=True)):
        whole = measures[0]
        _mark(whole, 1)
        for staff, measure in enumerate(measures[1:], 2):
            _add_staff(whole, measure, staff, common)
        if place == 0:
            put_attribute(whole, "divisions").text = str(common)
            put_attribute(whole, "staves").text = str(len(parts))
        merged.append(whole)
    return merged


def _one_staff(measure: Element, staff: int, clock: Clock) -> Element:
    from lxml import etree

    made = etree.Element("measure", dict(measure.attrib))
    if staff > 1:
        made.attrib.pop("id", None)
    now = end = start = Fraction(0)
    sounding = False
    for child, onset, length in list(clock.walk(measure)):
        end = max(end, onset + length if child.tag in ("note", "forward") else Fraction(0))
        kept = _for_staff(child, staff)
        if kept is None:
            continue
        chord = kept.find("chord") if kept.tag == "note" else None
        if chord is not None and not (sounding and onset == start):
            kept.remove(chord)
            chord = None
        if chord is None and kept.tag not in _SHARED and onset != now:
            _move(made, onset - now, clock.divisions)
            now = onset
        made.append(kept)
        if kept.tag == "note":
            sounding, start = True, onset
            now = onset + length
    if not sounding and end > 0:
        if now > 0:
            _move(made, -now, clock.divisions)
        rest = etree.SubElement(made, "note")
        etree.SubElement(rest, "rest", measure="yes")
        etree.SubElement(rest, "duration").text = str(end * clock.divisions)
        etree.SubElement(rest, "voice").text = "1"
    return made


def _for_staff(child: Element, staff: int) -> Element | None:
    """What of a measure's child belongs to a staff; None: nothing."""
    if child.tag in ("backup", "forward"):
        return None
    if child.tag == "attributes":
        return _attributes_for(child, staff)
    if child.tag in _SHARED:
        kept = copy.deepcopy(child)
        if staff > 1:
            for element in kept.iter():
                element.attrib.pop("id", None)
        return kept
    own = child.find("staff")
    if int(number(own.text)) != staff if own is not None else staff != 1:
        return None
    kept = copy.deepcopy(child)
    kept.tail = None
    for element in kept.findall("staff"):
        kept.remove(element)
    return kept


def _attributes_for(attributes: Element, staff: int) -> Element | None:
    kept = copy.deepcopy(attributes)
    for child in list(kept):
        said = child.get("number", "1" if child.tag == "clef" else str(staff))
        if child.tag in ("staves", "part-symbol") or said != str(staff):
            kept.remove(child)
        else:
            child.attrib.pop("number", None)
            if staff > 1:
                child.attrib.pop("id", None)
    return kept if len(kept) else None


def _move(measure: Element, by: Fraction, divisions: Fraction) -> None:
    from lxml import etree

    move = etree.SubElement(measure, "forward" if by > 0 else "backup")
    etree.SubElement(move, "duration").text = str(abs(by) * divisions)


def _rescale(measures: list[Element], common: int) -> None:
    """Count the part's durations in ``common`` divisions, and state none."""
    divisions = Fraction(1)
    for measure in measures:
        for child in list(measure):
            if child.tag == "attributes":
                for stated in child.findall("divisions"):
                    divisions = number(stated.text) or divisions
                    child.remove(stated)
                if len(child) == 0:
                    measure.remove(child)
            duration = child.find("duration")
            if duration is not None:
                duration.text = str(number(duration.text) * common / divisions)


def _mark(measure: Element, staff: int) -> None:
    """Say of everything in a measure of one staff which staff it is now."""
    from lxml import etree

    for child in measure:
        if child.tag == "attributes":
            for clef in child.iterfind("clef"):
                clef.set("number", str(staff))
        if child.tag not in _AFTER_STAFF:
            continue
        voice = child.find("voice")
        if voice is not None and staff > 1 and (voice.text or "").strip().isdigit():
            voice.text = str(int(voice.text) + 4 * (staff - 1))
        if child.tag == "forward" and voice is None:
            continue
        later = [c for c in child if c.tag in _AFTER_STAFF[child.tag]]
        place = child.index(later[0]) if later else len(child)
        mark = etree.Element("staff")
        mark.text = str(staff)
        child.insert(place, mark)


def _add_staff(whole: Element, measure: Element, staff: int, divisions: int) -> None:
    """Put another staff's measure behind what stands in ``whole``."""
    _mark(measure, staff)
    for attributes in leading(measure):
        for clef in attributes.findall("clef"):
            put_attribute(whole, "clef").getparent().replace(_last_clef(whole), clef)
        measure.remove(attributes)
    clock = Clock(Fraction(divisions))
    now = Fraction(0)
    for child, onset, length in clock.walk(whole):
        if child.tag in ("note", "forward"):
            now = onset + length
        elif child.tag == "backup":
            now = onset - length
    closing = [b for b in whole.findall("barline") if b.get("location", "right") == "right"]
    if now > 0:
        _move(whole, -now, Fraction(divisions))
    for child in list(measure):
        if child.tag == "attributes":
            for other in child.findall("*"):
                if other.tag != "clef":
                    child.remove(other)
        if child.tag not in _SHARED and not (child.tag == "attributes" and len(child) == 0):
            whole.append(child)
    whole.extend(closing)


def _last_clef(measure: Element) -> Element:
    return leading(measure)[0].findall("clef")[-1]
