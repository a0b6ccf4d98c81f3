"""Words and signs beside the staves: where in the music they are written."""

from __future__ import annotations

import sys
from pathlib import Path

from lxml import etree

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ensemble_sightread.meaning.music import QUARTER, Direction, Span, Value
from ensemble_sightread.musicxml import write
from test_meaning import kern, page

from ensemble_core.model import Box
from ensemble_core.musicxml.schema import validate

PIANO = "**kern\t**kern\n*clefF4\t*clefG2\n*M4/4\t*M4/4\n2C\t4f\n.\t4g\n2D\t4a\n.\t4f\n*-\t*-"


def written(spine: str, *directions: tuple[int, Direction]) -> list[etree._Element]:
    """The measures when each bar of these numbers has got its direction."""
    reading = page(spine)
    for number, direction in directions:
        reading.bars[number].directions.append(direction)
    out = write(reading)
    assert not list(validate(out.musicxml))
    kinds = {element.id: element.kind for element in out.elements}
    root = etree.fromstring(out.musicxml)
    for direction in root.iter("direction"):
        assert direction.get("id") in kinds or direction.find(".//*[@type='stop']") is not None
    return list(root.iter("measure"))


def sign(kind: str, onset: int, text: str, **more: object) -> Direction:
    return Direction(kind, onset=onset, box=Box(0, 0, 9, 9), text=text, **{"staff": 0, **more})


def tags(measure: etree._Element) -> list[str]:
    return [str(node.tag) for node in measure]


def test_a_direction_stands_before_the_note_it_begins_with() -> None:
    (measure,) = written(kern("4c\n4d\n4e\n4f"), (0, sign("dynamics", 2 * QUARTER, "mf")))
    assert tags(measure)[1:-1] == ["note", "note", "direction", "note", "note"]
    direction = measure.find("direction")
    assert direction.find("direction-type/dynamics/mf") is not None
    assert direction.find("offset") is None


def test_a_direction_amid_a_note_has_an_offset() -> None:
    (measure,) = written(kern("2c\n2d"), (0, sign("dynamics", QUARTER, "fp")))
    assert tags(measure)[1:-1] == ["note", "direction", "note"]
    assert int(measure.findtext("direction/offset")) < 0


def test_hairpins_open_before_their_first_note_and_close_behind_their_last() -> None:
    first, second = Span(), Span()
    bars = written(
        kern("4c\n4d\n4e\n4f\n=\n1g"),
        (0, sign("wedge", QUARTER, "crescendo", span=first)),
        (0, sign("wedge", 4 * QUARTER, "stop", span=first, stop=True)),
        (0, sign("wedge", 3 * QUARTER, "diminuendo", span=second)),
        (1, sign("wedge", 4 * QUARTER, "stop", span=second, stop=True)),
    )
    shape = ["note", "direction", "note", "note", "direction", "note", "direction"]
    assert tags(bars[0])[1:] == shape
    assert tags(bars[1]) == ["note", "direction", "barline"]
    wedges = [(w.get("type"), w.get("number")) for bar in bars for w in bar.iter("wedge")]
    assert wedges == [("crescendo", "1"), ("diminuendo", "2"), ("stop", "1"), ("stop", "2")]


def test_each_staff_of_a_piano_has_its_own_directions() -> None:
    reading = page(PIANO)
    (measure,) = written(
        PIANO,
        (0, sign("words", 0, "dolce", italic=True, staff=reading.bars[0].staves[0])),
        (0, sign("pedal", 0, "start", staff=reading.bars[0].staves[1], above=False)),
    )
    found = [(d.findtext("staff"), d.get("placement")) for d in measure.iter("direction")]
    assert found == [("1", "above"), ("2", "below")]


def test_a_metronome_says_how_fast_that_is() -> None:
    beat = Value(3, dots=1)
    (measure,) = written(kern("1c"), (0, sign("metronome", 0, "60", beat=beat)))
    assert [n.tag for n in measure.find(".//metronome")] == [
        "beat-unit",
        "beat-unit-dot",
        "per-minute",
    ]
    assert measure.find("direction/sound").get("tempo") == "90"
