"""Ties, slurs and other spans that hang over the edge of a page.

A reader sees half of a tie on one page and half on the next. Where the halves fit they
are kept and become one; half a span that nothing answers is taken out, for it would
run to wherever a program that opens the score thinks fit.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import attrs

from .reading import Element
from .timing import Clock

Pitch = tuple[str, str, str]
_DIRECTIONS = ("wedge", "octave-shift", "dashes", "bracket")
_AFTER_NOTATIONS = ("lyric", "play", "listen")


@attrs.define
class Edges:
    """What hangs out of the measures of one part on one page.

    Attributes:
        ties_out: Pitch to the note whose tie goes on.
        ties_in: Pitch to the note whose tie comes from before.
        last: Notes that sound up to the end of the page.
        first: Notes that sound at its start.
        spans_out, spans_in: ``(tag, number)`` to the elements without their other end.
    """

    ties_out: dict[Pitch, Element] = attrs.field(factory=dict)
    ties_in: dict[Pitch, Element] = attrs.field(factory=dict)
    last: dict[Pitch, Element] = attrs.field(factory=dict)
    first: dict[Pitch, Element] = attrs.field(factory=dict)
    spans_out: dict[tuple[str, str], list[Element]] = attrs.field(factory=dict)
    spans_in: dict[tuple[str, str], list[Element]] = attrs.field(factory=dict)


def edges(measures: list[Element], divisions: Fraction) -> Edges:
    """Find what hangs out of a page.

    Args:
        measures: The page's measures of one part.
        divisions: In force where the page begins.
    """
    found = Edges()
    clock = Clock(divisions or Fraction(1))
    ends: list[tuple[tuple[int, Fraction, int, int], Element]] = []
    for place, measure in enumerate(measures):
        walked = list(clock.walk(measure))
        end = max((onset + length for _, onset, length in walked), default=Fraction(0))
        for child, onset, length in sorted(walked, key=lambda item: item[1]):
            if child.tag == "note":
                sounding = length > 0
                if place == 0 and onset == 0 and sounding:
                    found.first.setdefault(_pitch(child), child)
                if place == len(measures) - 1 and onset + length == end and sounding:
                    found.last.setdefault(_pitch(child), child)
                _follow_tie(child, found)
            for span in _spans(child):
                late = 0 if child.tag == "note" and child.find("grace") is not None else 1
                stops = 0 if span.get("type") == "stop" else 1
                ends.append(((place, onset, late, stops), span))
    _pair(ends, found)
    return found


def settle(before: Edges, after: Edges) -> None:
    """Join what goes on from one page to the next; take out what does not."""
    for pitch, note in before.ties_out.items():
        if pitch in after.ties_in:
            continue
        if pitch in after.first and note is before.last.get(pitch):
            _add_tie(after.first[pitch], "stop")
        else:
            _drop_tie(note, "start")
    for pitch, note in after.ties_in.items():
        if pitch in before.ties_out:
            continue
        if pitch in before.last:
            _add_tie(before.last[pitch], "start")
        else:
            _drop_tie(note, "stop")
    for key in {*before.spans_out, *after.spans_in}:
        starts, stops = before.spans_out.get(key, []), after.spans_in.get(key, [])
        kept = min(len(starts), len(stops))
        _remove(starts[: len(starts) - kept])
        _remove(stops[kept:])
    before.ties_out, before.spans_out = {}, {}
    after.ties_in, after.spans_in = {}, {}


def _pitch(note: Element) -> Pitch:
    pitch = note.find("pitch")
    if pitch is None:
        return ("", "", "")
    alter = (pitch.findtext("alter") or "0").strip()
    return (
        (pitch.findtext("step") or "").strip(),
        "0" if alter in ("", "-0") else alter,
        (pitch.findtext("octave") or "").strip(),
    )


def _follow_tie(note: Element, found: Edges) -> None:
    pitch = _pitch(note)
    types = {tie.get("type") for tie in note.iterfind("tie")}
    types |= {tied.get("type") for tied in note.iterfind("notations/tied")}
    if "stop" in types and found.ties_out.pop(pitch, None) is None:
        found.ties_in.setdefault(pitch, note)
    if "start" in types:
        found.ties_out[pitch] = note


def _spans(child: Element) -> Iterable[Element]:
    if child.tag == "note":
        yield from child.iterfind("notations/slur")
    elif child.tag == "direction":
        for tag in _DIRECTIONS:
            yield from child.iterfind(f"direction-type/{tag}")


def _pair(ends: list[tuple[tuple[int, Fraction, int, int], Element]], found: Edges) -> None:
    for _, span in sorted(ends, key=lambda item: item[0]):
        key = (span.tag, span.get("number", "1"))
        kind = span.get("type")
        if kind == "continue":
            continue
        if kind != "stop":
            found.spans_out.setdefault(key, []).append(span)
        elif found.spans_out.get(key):
            found.spans_out[key].pop()
        else:
            found.spans_in.setdefault(key, []).append(span)


def _add_tie(note: Element, kind: str) -> None:
    from lxml import etree

    if kind not in {tie.get("type") for tie in note.iterfind("tie")}:
        tie = etree.Element("tie", type=kind)
        there = note.findall("tie") or note.findall("duration")
        note.insert(note.index(there[-1]) + 1, tie)
    if kind in {tied.get("type") for tied in note.iterfind("notations/tied")}:
        return
    notations = note.find("notations")
    if notations is None:
        notations = etree.Element("notations")
        after = [child for child in note if child.tag in _AFTER_NOTATIONS]
        note.insert(note.index(after[0]) if after else len(note), notations)
    etree.SubElement(notations, "tied", type=kind)


def _drop_tie(note: Element, kind: str) -> None:
    for tie in note.findall("tie"):
        if tie.get("type") == kind:
            note.remove(tie)
    _remove([tied for tied in note.findall("notations/tied") if tied.get("type") == kind])


def _remove(spans: list[Element]) -> None:
    """Take elements out, and what would stand empty around them."""
    for span in spans:
        element = span
        while True:
            parent = element.getparent()
            if parent is None:
                break
            parent.remove(element)
            left = [c for c in parent if c.tag not in ("offset", "voice", "staff", "sound")]
            if parent.tag not in ("notations", "direction-type", "direction") or left:
                break
            element = parent
