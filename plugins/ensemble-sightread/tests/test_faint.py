"""What the detector is unsure of fills bars that would be empty, and no others."""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
import pytest

verovio = pytest.importorskip("verovio")
pytest.importorskip("fontTools")

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

import truth  # noqa: E402
from ensemble_sightread.meaning import read  # noqa: E402
from ensemble_sightread.symbols import Seen, Symbol  # noqa: E402

MUSIC = "**kern\n*clefG2\n*k[]\n*M4/4\n4d\n4e\n4f\n4g\n=2\n1g\n=3\n1a\n==\n*-\n"


def without_the_first_whole_note() -> tuple[Seen, Symbol]:
    kit = verovio.toolkit()
    kit.setOptions({"pageWidth": 2100, "pageHeight": 2970, "footer": "none", "header": "none"})
    assert kit.loadData(MUSIC)
    seen = truth.seen(kit.renderToSVG(1))
    note = min((s for s in seen.symbols if s.kind == "head-whole"), key=lambda s: s.x)
    return attrs.evolve(seen, symbols=tuple(s for s in seen.symbols if s is not note)), note


def test_a_faint_whole_note_fills_a_bar_that_is_empty() -> None:
    seen, note = without_the_first_whole_note()
    assert [len(bar.events) for bar in read(seen).bars] == [4, 0, 1]
    bars = read(attrs.evolve(seen, faint=(attrs.evolve(note, confidence=0.2),))).bars
    assert [len(bar.events) for bar in bars] == [4, 1, 1]
    assert bars[1].events[0].heads[0].symbol.confidence == 0.2


def test_where_something_was_seen_nothing_faint_is_added() -> None:
    seen, note = without_the_first_whole_note()
    beside = next(s for s in seen.symbols if s.kind == "head-whole")
    faint = attrs.evolve(beside, left=beside.left + 30, right=beside.right + 30, confidence=0.3)
    bars = read(attrs.evolve(seen, faint=(note, faint))).bars
    assert [len(bar.events) for bar in bars] == [4, 1, 1]
