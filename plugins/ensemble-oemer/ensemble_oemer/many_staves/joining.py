"""The lines of music oemer read one after another, put side by side as parts of one score."""

from __future__ import annotations

from typing import Any

import attrs

from ensemble_core.model import Diagnostic
from ensemble_core.musicxml import parse, serialize

from ..inference import Maps
from .bars import bar_edges, heads_within, slots
from .content import Content, content_of, length, measure_of
from .layout import Layout
from .lines import Lines, other_staves


@attrs.frozen
class Joined:
    """The score, and what the user should know about it."""

    musicxml: bytes
    diagnostics: tuple[Diagnostic, ...]


def join(musicxml: bytes, lines: Lines, layout: Layout, maps: Maps) -> Joined:
    """Make one score of the lines: the *k*-th staff of each system is part *k*.

    Bars are matched by where they lie between the bar lines of their system; where a staff
    has none, a whole-bar rest stands in, and if there are noteheads this is told. In a system
    with fewer staves than others these are taken for the lowest ones.

    Args:
        musicxml: oemer's document of the page as :func:`~.cutting.cut` left it.
        lines: What oemer found in it.
        layout: The page.
        maps: The page before it was cut.

    Raises:
        RecognitionError: The document is not what the lines say (code ``oemer-many-staves``).
    """
    root = parse(musicxml, "oemer's MusicXML")
    read = _by_line(root.findall("part/measure"), lines)
    parts: list[list[Any]] = [[] for _ in range(layout.size)]
    last: list[Content | None] = [None] * layout.size
    lost = 0
    for number, system in enumerate(layout.systems):
        absent = layout.size - len(system)
        edges = bar_edges(maps, layout, system)
        rows = [_placed(read.get(i, []), lines.bars.get(i, []), edges) for i in system]
        for place, bars in enumerate(zip(*rows, strict=True)):
            longest = max((length(bar.nodes) for bar in bars if bar), default=0)
            for part, bar in enumerate([*[None] * absent, *bars]):
                measure = measure_of(bar, last[part], longest, len(parts[part]) + 1)
                if number and not place:
                    measure.insert(0, measure.makeelement("print", {"new-system": "yes"}))
                parts[part].append(measure)
                last[part] = bar or last[part]
            between = round(edges[place]), round(edges[place + 1])
            lost += sum(
                heads_within(maps, layout, staff, between)
                for staff, bar in zip(system, bars, strict=True)
                if bar is None
            )
    _rebuild(root, parts)
    return Joined(serialize(root), _findings(layout, lost))


def _by_line(measures: list[Any], lines: Lines) -> dict[int, list[Content]]:
    """The measures of each line, with the key and clef they begin in."""
    found: dict[int, list[Content]] = {}
    rest = iter(measures)
    before = Content([], "0", ("G", "2"))
    for group, bars in sorted(lines.bars.items()):
        found[group] = []
        for _ in bars:
            measure = next(rest, None)
            if measure is None:
                raise other_staves(len(lines.bars))
            content, before = content_of(measure, before)
            found[group].append(content)
        if group in lines.c_clefs:
            clef = ("C", str(lines.c_clefs[group].line))
            found[group] = [attrs.evolve(bar, clef=clef) for bar in found[group]]
    return found


def _placed(read: list[Content], bars: Any, edges: list[float]) -> list[Content | None]:
    """The bars of a staff by their place in the system; several in one place become one."""
    row: list[Content | None] = [None] * (len(edges) - 1)
    for content, place in zip(read, slots(bars, edges), strict=True):
        earlier = row[place]
        row[place] = earlier.followed_by(content) if earlier else content
    return row


def _rebuild(root: Any, parts: list[list[Any]]) -> None:
    names, old = root.find("part-list"), root.findall("part")
    sounds = [sound for part in old for sound in part.findall("sound")]
    for node in [*names, *old]:
        node.getparent().remove(node)
    for number, measures in enumerate(parts, 1):
        score_part = names.makeelement("score-part", {"id": f"P{number}"})
        name = names.makeelement("part-name", {})
        name.text = f"Staff {number}"
        score_part.append(name)
        names.append(score_part)
        part = root.makeelement("part", {"id": f"P{number}"})
        part.extend(measures)
        root.append(part)
    for sound in sounds:
        measure = parts[0][0]
        measure.insert(len(measure.findall("attributes")), sound)


def _findings(layout: Layout, lost: int) -> tuple[Diagnostic, ...]:
    found = [
        Diagnostic(
            "info", "oemer-staves-joined",
            f"{layout.size} staves a system: each was read by itself and they were joined",
            "which staves are one instrument, oemer cannot tell: each is a part",
        )
    ]  # fmt: skip
    if len({len(system) for system in layout.systems}) > 1:
        found.append(
            Diagnostic(
                "warning", "oemer-system-sizes",
                "the systems have different numbers of staves; those of the smaller ones were "
                "taken for the lowest",
            )
        )  # fmt: skip
    if lost:
        found.append(
            Diagnostic(
                "warning", "oemer-bars-lost",
                f"{lost} bars of single staves hold notes that were not read; "
                "whole-bar rests stand in for them",
            )
        )  # fmt: skip
    return tuple(found)
