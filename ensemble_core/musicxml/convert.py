"""Timewise scores become partwise, and old versions are called 4.0."""

from __future__ import annotations

from ensemble_core.model import InputError

from .reading import Element


def to_partwise(root: Element, what: str = "score") -> Element:
    """The same music as ``score-partwise`` version 4.0; a partwise tree is changed in place.

    MusicXML 4.0 reads everything 1.0 to 3.1 could say, so older scores only get the number.

    Raises:
        InputError: The root is neither ``score-partwise`` nor ``score-timewise``.
    """
    if root.tag == "score-timewise":
        root = _regroup(root)
    if root.tag != "score-partwise":
        raise InputError(f"{what}: not a MusicXML score: its root element is <{root.tag}>")
    root.set("version", "4.0")
    return root


def _regroup(timewise: Element) -> Element:
    from lxml import etree

    score = etree.Element("score-partwise")
    parts: dict[str, Element] = {}
    for child in list(timewise):
        if child.tag != "measure":
            score.append(child)
            if child.tag == "part-list":
                for listed in child.iterfind("score-part"):
                    parts[listed.get("id", "")] = etree.Element("part", id=listed.get("id", ""))
            continue
        for part in list(child):
            measure = etree.Element("measure", dict(child.attrib))
            if measure.get("id") is not None and len(parts) > 1:
                del measure.attrib["id"]  # one id cannot stand in every part
            measure.extend(list(part))
            key = part.get("id", "")
            if key not in parts:
                parts[key] = etree.Element("part", id=key)
            parts[key].append(measure)
    score.extend(parts.values())
    return score
