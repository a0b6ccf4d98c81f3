"""Pages without a time signature, and bars that are short beside a repeat."""

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
from ensemble_sightread.meaning.music import QUARTER  # noqa: E402

TRIPLETS = "12cL\n12e\n12g\n12g\n12e\n12cJ\n12dL\n12f\n12a\n12a\n12f\n12dJ"


def page(body: str, meter: str = "") -> Reading:
    """The page as it is read from perfect symbols, but for the digits of tuplets."""
    kit = verovio.toolkit()
    kit.setOptions({"pageWidth": 2100, "pageHeight": 2970, "footer": "none", "header": "none"})
    assert kit.loadData(f"**kern\n*clefG2\n*k[]\n{meter}{body}\n==\n*-\n")
    seen = truth.seen(kit.renderToSVG(1))
    kept = tuple(s for s in seen.symbols if not s.kind.startswith("tuplet"))
    return read(attrs.evolve(seen, symbols=kept))


def test_plain_bars_decide_between_long_bars_and_unmarked_triplets() -> None:
    reading = page("\n=\n".join([TRIPLETS, TRIPLETS, "2c\n2e", TRIPLETS, "2d\n2f"]))
    assert (reading.opening.beats, reading.opening.beat_type) == (4, 4)
    assert [bar.length for bar in reading.bars] == [4 * QUARTER] * 5


def test_six_quarters_stay_six_quarters() -> None:
    six = "4c\n4d\n4e\n4f\n4g\n4a"
    reading = page("\n=\n".join([six, "2.c\n2.d", six, "2.e\n2.f"]))
    assert (reading.opening.beats, reading.opening.beat_type) == (6, 4)


def test_a_bar_before_a_repeat_may_lack_the_length_of_the_pickup() -> None:
    reading = page("8c\n=1\n8cL\n8d\n8eJ\n4f\n8g\n=2\n8cL\n8e\n8cJ\n4g\n=:|!\n2.c\n=", "*M6/8\n")
    short = reading.bars[2]
    assert [event.value.ratio for event in short.events] == [(1, 1)] * 4
    assert short.length == 5 * QUARTER // 2
