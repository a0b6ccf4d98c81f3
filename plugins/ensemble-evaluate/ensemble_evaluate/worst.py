"""Finds the bars that were read worst, and cuts them out of both scores."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs

from .notes import Bar, align, differ, staves


@attrs.frozen
class WorstBar:
    """A bar of a document that was read badly.

    Attributes:
        case: Name of the document.
        recognizer: Who read it.
        bar: 0-based bar of the truth.
        found: 0-based bar of the reading; None if it was lost.
        wrong: Notes missed and invented in it, over all staves.
    """

    case: str
    recognizer: str
    bar: int
    found: int | None
    wrong: int


def bad_bars(case: str, recognizer: str, truth: bytes, found: bytes) -> list[WorstBar]:
    """All bars of a document in which notes differ."""
    wrong: Counter[int] = Counter()
    partners: dict[int, list[int]] = {}
    for ours, theirs in zip(staves(truth), staves(found), strict=False):
        pairs = dict(align(ours, theirs))
        for place, bar in enumerate(ours):
            partner = pairs.get(place)
            there: Bar = [] if partner is None else theirs[partner]
            wrong[place] += differ(bar, there)
            if partner is not None:
                partners.setdefault(place, []).append(partner)
    return [
        WorstBar(case, recognizer, place, _most_common(partners.get(place, [])), count)
        for place, count in sorted(wrong.items())
        if count
    ]


def worst_of(bars: Sequence[WorstBar], most: int, per_case: int = 2) -> list[WorstBar]:
    """The worst of many, at most so many of one document, so that causes differ."""
    taken: list[WorstBar] = []
    seen: Counter[tuple[str, str]] = Counter()
    for bar in sorted(bars, key=lambda b: (-b.wrong, b.case, b.bar)):
        place = (bar.recognizer, bar.case)
        if seen[place] < per_case and len(taken) < most:
            seen[place] += 1
            taken.append(bar)
    return taken


def one_bar(document: bytes, place: int) -> bytes:
    """A document with that bar alone, in all parts, and the signs that are in force in it."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    root = etree.fromstring(document, parser)
    for part in root.findall("part"):
        measures = part.findall("measure")
        signs = _in_force(measures[:place])
        for number, measure in enumerate(measures):
            if number != place:
                part.remove(measure)
        if place < len(measures):
            _put_signs(measures[place], signs)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def bar_ids(document: bytes, place: int) -> list[str]:
    """The ids of that bar in all parts."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    found = [part.findall("measure") for part in etree.fromstring(document, parser).iter("part")]
    bars = [measures[place] for measures in found if place < len(measures)]
    return [bar.get("id") for bar in bars if bar.get("id")]


_ORDER = ("divisions", "key", "time", "staves", "clef", "transpose")


def _in_force(measures: Sequence[Any]) -> dict[tuple[str, str], Any]:
    """(tag, staff) → the last such child of ``attributes``."""
    found: dict[tuple[str, str], Any] = {}
    for measure in measures:
        for attributes in measure.findall("attributes"):
            for node in attributes:
                if node.tag in _ORDER:
                    found[(node.tag, node.get("number") or "")] = node
    return found


def _put_signs(measure: Any, signs: dict[tuple[str, str], Any]) -> None:
    from lxml import etree

    first = measure.find("attributes")
    own = set() if first is None else {(n.tag, n.get("number") or "") for n in first}
    attributes = etree.Element("attributes")
    for tag in _ORDER:
        for key, node in sorted(signs.items(), key=lambda item: item[0]):
            if key[0] == tag and key not in own:
                attributes.append(copy.deepcopy(node))
    if len(attributes):
        measure.insert(0, attributes)


def _most_common(places: Sequence[int]) -> int | None:
    return Counter(places).most_common(1)[0][0] if places else None
