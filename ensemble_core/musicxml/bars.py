"""Bars: their numbers, lengths and breaks, and the rests of a part that is silent."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from fractions import Fraction
from math import lcm

import attrs

from .carry import Carry, leading, meaning, put_attribute
from .reading import Element
from .timing import Clock, bar_length


@attrs.frozen
class Bar:
    """What all parts share in a bar.

    Attributes:
        label: Its number as printed.
        implicit: It does not count: a pick-up, or half of a divided bar.
        length: In quarter notes.
        time: The time signature stated in it.
        breaks: ``page``, ``system`` or empty.
    """

    label: str
    implicit: bool
    length: Fraction
    time: Element | None = None
    breaks: str = ""


def read_bars(
    parts: Sequence[tuple[list[Element], Fraction]], numbered: int, *, first: bool
) -> list[Bar]:
    """The bars of a page.

    Args:
        parts: Measures of each part, and the divisions in force before them.
        numbered: How many bars with a number there are before.
        first: It is the first page of the score.
    """
    count = max((len(measures) for measures, _ in parts), default=0)
    clocks = [Clock(divisions) for _, divisions in parts]
    bars: list[Bar] = []
    nominal = Fraction(4)
    for place in range(count):
        there = [measures[place] for measures, _ in parts if place < len(measures)]
        lengths = [
            clock.length(measures[place])
            for (measures, _), clock in zip(parts, clocks, strict=True)
            if place < len(measures)
        ]
        time = next((t for a in leading(there[0]) for t in a.findall("time")), None)
        if time is not None:
            nominal = bar_length(time) or nominal
        implicit = there[0].get("implicit") == "yes"
        numbered += 0 if implicit else 1
        opens = first and place == 0
        label = str(numbered) if not implicit else "0" if opens else f"X{numbered}"
        breaks = "page" if place == 0 and not first else _breaks(there[0])
        bars.append(Bar(label, implicit, max(lengths) or nominal, time, breaks))
    return bars


def number_measures(measures: list[Element], bars: list[Bar]) -> None:
    """Write the bars' numbers into a part's measures."""
    for measure, bar in zip(measures, bars, strict=True):
        measure.set("number", bar.label)


def set_page_break(measure: Element, *, needed: bool) -> None:
    """Say that a page begins with a measure; ``needed`` even if nothing is said yet."""
    from lxml import etree

    found = measure.find("print")
    if found is None:
        if not needed:
            return
        found = etree.Element("print")
        measure.insert(0, found)
    found.attrib.pop("new-system", None)
    found.set("new-page", "yes")


def silence(carry: Carry, bars: Sequence[Bar]) -> list[Element]:
    """Whole-bar rests for a part that a page does not show."""
    divisions = carry.divisions
    time = carry.held("time")
    measures = []
    for bar in bars:
        needed = lcm(int(divisions) or 1, bar.length.denominator)
        measures.append(_rest(bar, carry.staves, Fraction(needed)))
        if bar.time is not None and meaning(bar.time) != time:
            time = meaning(bar.time)
            stated = put_attribute(measures[-1], "time")
            stated.getparent().replace(stated, copy.deepcopy(bar.time))
        if needed != divisions:
            divisions = Fraction(needed)
            put_attribute(measures[-1], "divisions").text = str(needed)
    return measures


def _rest(bar: Bar, staves: int, divisions: Fraction) -> Element:
    from lxml import etree

    measure = etree.Element("measure", number=bar.label)
    if bar.implicit:
        measure.set("implicit", "yes")
    if bar.breaks:
        etree.SubElement(measure, "print").set(f"new-{bar.breaks}", "yes")
    duration = str(bar.length * divisions)
    for staff in range(1, staves + 1):
        if staff > 1:
            back = etree.SubElement(measure, "backup")
            etree.SubElement(back, "duration").text = duration
        note = etree.SubElement(measure, "note")
        etree.SubElement(note, "rest", measure="yes")
        etree.SubElement(note, "duration").text = duration
        etree.SubElement(note, "voice").text = str(4 * staff - 3)
        if staves > 1:
            etree.SubElement(note, "staff").text = str(staff)
    return measure


def _breaks(measure: Element) -> str:
    found = measure.find("print")
    if found is None:
        return ""
    for kind in ("page", "system"):
        if found.get(f"new-{kind}") == "yes":
            return kind
    return ""
