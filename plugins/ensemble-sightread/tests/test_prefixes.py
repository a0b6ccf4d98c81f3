"""Bar lines behind a clef or a key end no bar."""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
import pytest

verovio = pytest.importorskip("verovio")
pytest.importorskip("fontTools")

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

import truth  # noqa: E402
from ensemble_sightread.meaning import Reading, read  # noqa: E402
from ensemble_sightread.symbols import Barline, Seen, Symbol  # noqa: E402

MUSIC = """**kern
*clefG2
*k[f#c#]
*M4/4
=1
4d
4e
4f#
4g
=2
*k[b-]
1g
=3
1a
==
*-
"""


def seen() -> Seen:
    kit = verovio.toolkit()
    kit.setOptions({"pageWidth": 2100, "pageHeight": 2970, "footer": "none", "header": "none"})
    assert kit.loadData(MUSIC)
    return truth.seen(kit.renderToSVG(1))


def with_line(page: Seen, line: Barline, *more: Symbol) -> Seen:
    (system,) = page.systems
    lines = tuple(sorted((*system.barlines, line), key=lambda one: one.x))
    system = attrs.evolve(system, barlines=lines)
    return attrs.evolve(page, systems=(system,), symbols=(*page.symbols, *more))


def heads(page: Seen) -> list[Symbol]:
    return sorted((s for s in page.symbols if s.kind.startswith("head")), key=lambda s: s.x)


def keys(reading: Reading) -> list[int]:
    return [fifths for bar in reading.bars for fifths in bar.keys.values()]


def test_a_repeat_that_begins_behind_the_clef_parts_no_bar() -> None:
    page = seen()
    x = heads(page)[0].left - 14
    dots = [
        Symbol("dot", x + 3, y - 1.5, x + 6, y + 1.5)
        for y in (page.staves[0].y(3, x), page.staves[0].y(5, x))
    ]
    reading = read(with_line(page, Barline(x, "heavy-light", "forward"), *dots))
    assert [len(bar.events) for bar in reading.bars] == [4, 1, 1]
    assert [bar.forward for bar in reading.bars] == [True, False, False]
    assert keys(reading) == [2, -1]
    assert reading.bars[0].starts_system and reading.bars[0].meter_printed


def test_a_key_between_two_bar_lines_holds_in_the_next_bar() -> None:
    page = seen()
    reading = read(with_line(page, Barline(heads(page)[4].left - 6, "double")))
    assert [len(bar.events) for bar in reading.bars] == [4, 1, 1]
    assert keys(reading) == [2, -1]


def test_a_key_announced_at_the_end_of_a_line_makes_no_bar() -> None:
    page = seen()
    (system,) = page.systems
    system = attrs.evolve(system, barlines=system.barlines[:-1])
    last = heads(page)[-1]
    staff = page.staves[0]
    flat = Symbol("flat", staff.right - 12, staff.y(6, 0), staff.right - 4, staff.y(3, 0))
    kept = tuple(s for s in page.symbols if s is not last)
    reading = read(attrs.evolve(page, systems=(system,), symbols=(*kept, flat)))
    assert [len(bar.events) for bar in reading.bars] == [4, 1]
    assert reading.bars[-1].courtesy


def test_a_bar_in_which_nothing_was_seen_stays_a_bar() -> None:
    page = seen()
    kept = tuple(s for s in page.symbols if s is not heads(page)[4])
    reading = read(attrs.evolve(page, symbols=kept))
    assert [len(bar.events) for bar in reading.bars] == [4, 0, 1]


def test_a_digit_seen_in_a_clef_hides_no_key() -> None:
    page = seen()
    clef = next(s for s in page.symbols if s.kind == "clef-g")
    digit = attrs.evolve(clef, kind="time-0", left=clef.left + 2, confidence=0.4)
    assert keys(read(attrs.evolve(page, symbols=(*page.symbols, digit)))) == [2, -1]
