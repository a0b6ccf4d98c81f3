"""Composing the made-up score."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

import attrs

from ensemble_core.model import Box, Element, Page, PageOfScore, Score

from .options import MockOptions

TITLE = "MOCK score"
DIVISIONS = 4
_TYPES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th"}
_CLEFS = (("G", 2, 4), ("F", 4, 3))  # sign, line, octave of the lowest note used


@attrs.frozen
class _Spot:
    """Where a note stands; all counted from 0, parts from 1."""

    page: int
    part: int
    staff: int
    measure: int
    number: int

    @property
    def id(self) -> str:
        bar = _measure_id(self.page, self.part, self.measure)
        return f"{bar}-s{self.staff + 1}-n{self.number + 1}"


def compose(options: MockOptions, page: Page) -> Score:
    """A page of ``options.measures`` measures in 4/4, with ids and boxes for all of it."""
    elements = list(_elements(options, page))
    return Score(
        musicxml=_document(options, page.index).encode(),
        title=TITLE,
        pages=(PageOfScore(page.index, 0, options.measures, page.width, page.height),),
        elements=tuple(elements),
    )


def _document(options: MockOptions, page: int) -> str:
    parts = range(1, options.parts + 1)
    names = "".join(
        f'<score-part id="P{part}"><part-name>MOCK {part}</part-name></score-part>'
        for part in parts
    )
    music = "".join(f'<part id="P{part}">{_part(options, page, part)}</part>' for part in parts)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<score-partwise version="4.0">'
        f"<work><work-title>{TITLE}</work-title></work>"
        f"<identification><encoding><software>ensemble-mock {_version()}</software>"
        "<encoding-description>MOCK: made up, not read from any picture</encoding-description>"
        "</encoding><miscellaneous>"
        '<miscellaneous-field name="mock">true: made up, not read from any picture'
        "</miscellaneous-field></miscellaneous></identification>"
        f"<part-list>{names}</part-list>{music}</score-partwise>\n"
    )


def _part(options: MockOptions, page: int, part: int) -> str:
    return "".join(
        f'<measure number="{measure + 1}" id="{_measure_id(page, part, measure)}">'
        f"{_attributes(options) if measure == 0 else ''}"
        f"{_measure(options, page, part, measure)}</measure>"
        for measure in range(options.measures)
    )


def _attributes(options: MockOptions) -> str:
    several = options.staves > 1
    clefs = "".join(
        f"<clef{f' number={chr(34)}{staff + 1}{chr(34)}' if several else ''}>"
        f"<sign>{_CLEFS[staff % 2][0]}</sign><line>{_CLEFS[staff % 2][1]}</line></clef>"
        for staff in range(options.staves)
    )
    return (
        f"<attributes><divisions>{DIVISIONS}</divisions><key><fifths>0</fifths></key>"
        "<time><beats>4</beats><beat-type>4</beat-type></time>"
        f"{f'<staves>{options.staves}</staves>' if several else ''}{clefs}</attributes>"
    )


def _measure(options: MockOptions, page: int, part: int, measure: int) -> str:
    back = f"<backup><duration>{4 * DIVISIONS}</duration></backup>"
    staves = (
        "".join(
            _note(options, _Spot(page, part, staff, measure, number))
            for number in range(options.notes)
        )
        for staff in range(options.staves)
    )
    return back.join(staves)


def _note(options: MockOptions, spot: _Spot) -> str:
    step, octave = _pitch(options.seed, spot)
    where = f"<staff>{spot.staff + 1}</staff>" if options.staves > 1 else ""
    return (
        f'<note id="{spot.id}">'
        f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
        f"<duration>{4 * DIVISIONS // options.notes}</duration><voice>{spot.staff * 4 + 1}</voice>"
        f"<type>{_TYPES[options.notes]}</type>{where}</note>"
    )


def _pitch(seed: int, spot: _Spot) -> tuple[str, int]:
    """One of the nine white keys from C up; which one, a linear congruential step decides."""
    mixed = seed
    for number in attrs.astuple(spot):
        mixed = mixed * 31 + number
    degree = (mixed * 1103515245 + 12345) % 2**31 // 2**16 % 9
    return "CDEFGAB"[degree % 7], _CLEFS[spot.staff % 2][2] + degree // 7


def _elements(options: MockOptions, page: Page) -> Iterator[Element]:
    """Boxes on a grid: measures side by side, staves one below the other."""
    width = page.width / options.measures
    height = page.height / (options.parts * options.staves)
    step = width / options.notes
    for part in range(1, options.parts + 1):
        top = (part - 1) * options.staves * height
        for measure in range(options.measures):
            left = measure * width
            box = Box(left, top, left + width, top + options.staves * height)
            yield Element(_measure_id(page.index, part, measure), "measure", page.index, box)
            for staff in range(options.staves):
                y = top + staff * height
                for number in range(options.notes):
                    x = left + number * step
                    yield Element(
                        _Spot(page.index, part, staff, measure, number).id,
                        "note",
                        page.index,
                        Box(x, y, x + step, y + height),
                        confidence=1.0,
                    )


def _measure_id(page: int, part: int, measure: int) -> str:
    return f"mock-{page}-p{part}-m{measure + 1}"


@lru_cache(maxsize=1)
def _version() -> str:
    try:
        return version("ensemble-mock")
    except PackageNotFoundError:
        return "in tree"
