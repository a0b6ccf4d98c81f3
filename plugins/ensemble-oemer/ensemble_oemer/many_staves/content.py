"""The content of a bar of one staff, taken out of oemer's measures and put into new ones."""

from __future__ import annotations

from typing import Any

import attrs

DIVISIONS = 16
"""oemer's: a quarter note in 64th notes."""

Clef = tuple[str, str]


@attrs.frozen
class Content:
    """A bar of one staff.

    Attributes:
        nodes: Notes, backups, forwards, and the attributes that change within the bar.
        key: Fifths in force at its start.
        clef: Sign and line in force at its start.
    """

    nodes: list[Any]
    key: str
    clef: Clef

    def followed_by(self, other: Content) -> Content:
        """Both as one bar, one after the other."""
        now, end = _clock(self.nodes)
        between = [_move("forward", end - now)] if end > now else []
        return Content([*self.nodes, *between, *other.nodes], self.key, self.clef)


def content_of(measure: Any, before: Content) -> tuple[Content, Content]:
    """The bar a measure holds, and the key and clef in force after it (without nodes).

    Args:
        measure: One of oemer's.
        before: What was in force before it.
    """
    key, clef = start = before.key, before.clef
    nodes: list[Any] = []
    for node in measure:
        if node.tag == "attributes":
            key = node.findtext("key/fifths") or key
            sign = node.findtext("clef/sign")
            clef = (sign, node.findtext("clef/line") or "2") if sign else clef
            if not nodes:
                start = key, clef
                continue
        if node.tag in ("note", "backup", "forward", "attributes"):
            nodes.append(_of_one_staff(node))
    return Content(nodes, *start), Content([], key, clef)


def length(nodes: list[Any]) -> int:
    """How long a bar is, in divisions."""
    return _clock(nodes)[1]


def measure_of(bar: Content | None, before: Content | None, longest: int, number: int) -> Any:
    """A measure of a part.

    Args:
        bar: Its content; None makes a whole-bar rest.
        before: The bar before it in the part, if any.
        longest: Length of the bar in the other staves, in divisions; 0 if unknown.
        number: The measure's number.
    """
    from lxml import etree

    measure = etree.Element("measure", number=str(number))
    now = bar or before or Content([], "0", ("G", "2"))
    first = before is None and number == 1
    attributes = etree.SubElement(measure, "attributes")
    if first:
        etree.SubElement(attributes, "divisions").text = str(DIVISIONS)
    if first or before is None or now.key != before.key:
        key = etree.SubElement(attributes, "key")
        etree.SubElement(key, "fifths").text = now.key
    if first or before is None or now.clef != before.clef:
        clef = etree.SubElement(attributes, "clef")
        for tag, text in zip(("sign", "line"), now.clef, strict=True):
            etree.SubElement(clef, tag).text = text
    if not len(attributes):
        measure.remove(attributes)
    measure.extend(bar.nodes if bar else [_silence(longest or 4 * DIVISIONS)])
    return measure


def _silence(duration: int) -> Any:
    from lxml import etree

    note = etree.Element("note")
    etree.SubElement(note, "rest", measure="yes")
    etree.SubElement(note, "duration").text = str(duration)
    etree.SubElement(note, "voice").text = "1"
    return note


def _of_one_staff(node: Any) -> Any:
    """Without the number of its staff, for a part that has but one."""
    for staff in node.findall("staff"):
        node.remove(staff)
    for clef in node.findall("clef"):
        clef.attrib.pop("number", None)
    return node


def _move(tag: str, duration: int) -> Any:
    from lxml import etree

    node = etree.Element(tag)
    etree.SubElement(node, "duration").text = str(duration)
    return node


def _clock(nodes: list[Any]) -> tuple[int, int]:
    """Where the bar's last node leaves us, and how far any of them got, in divisions."""
    now = end = 0
    for node in nodes:
        duration = int(node.findtext("duration") or 0)
        if node.tag == "backup":
            now = max(0, now - duration)
        elif node.tag == "forward" or (node.tag == "note" and node.find("chord") is None):
            now += duration
            end = max(end, now)
    return now, end
