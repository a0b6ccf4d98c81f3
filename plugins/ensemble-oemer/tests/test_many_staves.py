"""Systems of three and four staves: found, cut, read by the real oemer, and joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ensemble_oemer.inference import Maps, Nets
from ensemble_oemer.many_staves import (
    Bar,
    CClef,
    Lines,
    cut,
    find_c_clefs,
    find_ink,
    find_layout,
    join,
    read_page,
)
from ensemble_oemer.options import OemerOptions
from lxml import etree
from oemer_running import context

from ensemble_core.model import Cancelled, CancelToken, RecognitionError

SONG = (
    "C5/4 D5/4 E5/4 F5/4 | G5/2 r/2 | r/1 | C5/1",
    "E4/4 F#4/4 G4/4 A4/4 | C5/8 D5/8 C5/4 E4/2 | E4/2 r/4 G4/4 | C5/1",
    "C3/2 E3/2 | G3/1 | C3/4 D3/4 E3/4 F3/4 | C3/1",
)
QUARTET = (
    ("G", 2, "B4/4 C5/4 D5/4 E5/4 | F5/2 D5/2 | G4/1"),
    ("G", 2, "G4/2 A4/2 | B4/4 A4/4 G4/2 | D4/1"),
    ("C", 3, "D4/4 C4/4 B3/4 G#3/4 | A3/2 F3/2 | B3/1"),
    ("F", 4, "G2/2 C3/2 | D3/4 C3/4 B2/4 A2/4 | G2/1"),
)
Read = Callable[..., tuple[bytes, list[dict[str, Any]]]]


def quartet() -> bytes:
    """Four parts, the third in an alto clef."""
    from oemer_pages import little_score

    score = etree.Element("score-partwise", version="4.0")
    names = etree.SubElement(score, "part-list")
    for number, (sign, line, notes) in enumerate(QUARTET, 1):
        one = etree.fromstring(little_score((notes,)))
        part, name = one.find("part"), one.find("part-list/score-part")
        part.set("id", f"P{number}")
        name.set("id", f"P{number}")
        part.find(".//clef/sign").text = sign
        part.find(".//clef/line").text = str(line)
        names.append(name)
        score.append(part)
    return bytes(etree.tostring(score))


@pytest.fixture(scope="module")
def seen(
    nets: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[bytes], tuple[Path, Maps]]:
    """Engrave music in class colours and let the stand-in nets see it, once."""
    from oemer_pages import coloured_page

    @cache
    def seen(music: bytes) -> tuple[Path, Maps]:
        folder = tmp_path_factory.mktemp("seen")
        picture = coloured_page(music, folder / "page.png").picture
        ctx = context(nets["colour"], folder)
        maps = Nets(OemerOptions()).predict(picture, ctx, lambda share: None)
        assert maps is not None
        return picture, maps

    return seen


@pytest.fixture
def read(seen: Callable[[bytes], tuple[Path, Maps]], nets: Any, tmp_path: Path) -> Iterator[Read]:
    """Read music as the recognizer does; gives the MusicXML and the diagnostics."""

    def read(music: bytes, **changes: Any) -> tuple[bytes, list[dict[str, Any]]]:
        picture, maps = seen(music)
        sent: list[dict[str, Any]] = []
        changes = {"send": sent.append, **changes}
        ctx = context(nets["colour"], tmp_path / "reading", **changes)
        data = read_page(picture, maps, ctx, lambda share: None, dewarp=False)
        return data, [message for message in sent if message["type"] == "diagnostic"]

    yield read


def sung(musicxml: bytes) -> list[list[str]]:
    """Of each part the bars as words: pitch and length in quarter notes."""
    found = []
    for part in etree.fromstring(musicxml).findall("part"):
        divisions, bars = 1.0, []
        for measure in part.findall("measure"):
            divisions = float(measure.findtext("attributes/divisions") or divisions)
            bars.append(" ".join(_word(note, divisions) for note in measure.findall("note")))
        found.append(bars)
    return found


def _word(note: Any, divisions: float) -> str:
    pitch = note.find("pitch")
    name = "r"
    if pitch is not None:
        sign = {"1": "#", "-1": "b"}.get(pitch.findtext("alter"), "")
        name = f"{pitch.findtext('step')}{sign}{pitch.findtext('octave')}"
    return f"{name}:{float(note.findtext('duration')) / divisions:g}"


def test_a_song_is_read_as_three_parts(read: Read) -> None:
    from oemer_pages import little_score

    data, told = read(little_score(SONG))
    assert sung(data) == [
        ["C5:1 D5:1 E5:1 F5:1", "G5:2", "r:4", "C5:4"],
        ["E4:1 F#4:1 G4:1 A4:1", "C5:0.5 D5:0.5 C5:1 E4:2", "E4:2 r:1 G4:1", "C5:4"],
        ["C3:2 E3:2", "G3:4", "C3:1 D3:1 E3:1 F3:1", "C3:4"],
    ]
    assert [message["code"] for message in told] == ["oemer-staves-joined"]
    clefs = etree.fromstring(data).findall("part/measure[1]/attributes/clef/sign")
    assert [sign.text for sign in clefs] == ["G", "G", "F"]


def test_a_quartet_is_read_with_its_alto_clef(read: Read) -> None:
    data, _ = read(quartet())
    assert sung(data)[2] == ["D4:1 C4:1 B3:1 G#3:1", "A3:2 F3:2", "B3:4"]
    assert [bars[0] for bars in sung(data)] == [
        "B4:1 C5:1 D5:1 E5:1", "G4:2 A4:2", "D4:1 C4:1 B3:1 G#3:1", "G2:2 C3:2",
    ]  # fmt: skip
    clefs = etree.fromstring(data).findall("part/measure/attributes/clef")
    assert [(c.findtext("sign"), c.findtext("line")) for c in clefs] == [
        ("G", "2"), ("G", "2"), ("C", "3"), ("F", "4"),
    ]  # fmt: skip


def test_a_cancelled_page_is_left_at_once(read: Read) -> None:
    from oemer_pages import little_score

    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        read(little_score(SONG), cancel=cancel)


def test_two_staves_are_no_large_system(
    seen: Callable[[bytes], tuple[Path, Maps]],
) -> None:
    from oemer_pages import little_score

    picture, maps = seen(little_score(SONG[1:]))
    assert find_layout(maps.staves == 1, find_ink(maps, picture)).systems == ((0, 1),)


def test_only_the_viola_has_a_c_clef(seen: Callable[[bytes], tuple[Path, Maps]]) -> None:
    picture, maps = seen(quartet())
    layout = find_layout(maps.staves == 1, find_ink(maps, picture))
    clefs = find_c_clefs(maps, layout)
    assert {number: clef.line for number, clef in clefs.items()} == {2: 3}


SPACE, WIDTH = 12, 900


def drawn(sizes: list[int], slope: float = 0.0, unjoined: tuple[int, ...] = ()) -> Maps:
    """Class maps of empty staves in systems of the given sizes, bar lines every 200 pixels.

    Args:
        sizes: Staves of each system.
        slope: Rows a column goes down.
        unjoined: Staves that nothing joins to the next one of their system.
    """
    height = 100 + sum(sizes) * 9 * SPACE + len(sizes) * 6 * SPACE + round(slope * WIDTH)
    staves, symbols = (np.zeros((height, WIDTH), np.uint8) for _ in range(2))
    x = np.arange(40, WIDTH - 40)
    y, number = 50, 0
    for size in sizes:
        for k in range(size):
            joined = k + 1 < size and number not in unjoined
            for line in range(5):
                staves[np.rint(y + line * SPACE + slope * x).astype(int), x] = 1
            for bar in [40, *range(240, WIDTH - 40, 200), WIDTH - 41]:
                rows = slice(
                    round(y + slope * bar), round(y + slope * bar + (9 if joined else 4) * SPACE)
                )
                staves[rows, bar : bar + 2], symbols[rows, bar : bar + 2] = 2, 1
            y, number = y + 9 * SPACE, number + 1
        y += 6 * SPACE
    return Maps(staves, symbols)


def laid_out(maps: Maps) -> Any:
    """The layout of drawn maps; the picture says nothing more."""
    return find_layout(maps.staves == 1, (maps.staves == 2).astype(np.uint8))


@pytest.mark.parametrize("slope", [0.0, 0.02, -0.01])
@pytest.mark.parametrize("sizes", [[1, 1, 1], [2, 2], [3], [3, 3, 3], [4, 4], [5, 3]])
def test_systems_are_what_is_joined(sizes: list[int], slope: float) -> None:
    assert [len(system) for system in laid_out(drawn(sizes, slope)).systems] == sizes


def test_a_missed_join_does_not_break_a_regular_page() -> None:
    layout = laid_out(drawn([3, 3, 3], unjoined=(4,)))
    assert layout.systems == ((0, 1, 2), (3, 4, 5), (6, 7, 8))


def test_an_empty_page_has_no_systems() -> None:
    nothing = np.zeros((400, 300), np.uint8)
    assert laid_out(Maps(nothing, nothing)).size == 0


def test_cut_staves_are_systems_of_their_own() -> None:
    maps = drawn([3, 3])
    layout = laid_out(maps)
    apart = cut(maps, layout, (maps.staves == 2).astype(np.uint8))
    assert [len(system) for system in laid_out(apart).systems] == [1] * 6
    lines = (maps.staves == 1).sum()
    assert lines >= (apart.staves == 1).sum() > 0.98 * lines, "staff lines were touched"


def oemers(*lines: str) -> bytes:
    """A document as oemer writes it: a line of music per word, ``|`` between bars of 4/4."""
    bars = [bar for line in lines for bar in line.split("|") if bar]
    measures = "".join(
        "<measure>" + "".join(
            f"<note><pitch><step>{step}</step><octave>4</octave></pitch><duration>16</duration>"
            "<staff>1</staff></note>" for step in bar
        ) + "</measure>" for bar in bars
    )  # fmt: skip
    return f"<score-partwise><part-list/><part id='P1'>{measures}</part></score-partwise>".encode()


def test_bars_are_matched_by_their_place_not_their_number() -> None:
    """The second staff has no second bar, the third staff one bar in the last place."""
    maps = drawn([3])
    first, second, third, fourth = ((140.0,), (340.0,), (540.0,), (700.0,))
    lines = Lines({
        0: [Bar(first), Bar(second), Bar(third), Bar(fourth)],
        1: [Bar(first), Bar(third), Bar(fourth)],
        2: [Bar(fourth)],
    })  # fmt: skip
    joined = join(oemers("C|D|E|F", "G|A|B", "C"), lines, laid_out(maps), maps)
    assert sung(joined.musicxml) == [
        ["C4:1", "D4:1", "E4:1", "F4:1"],
        ["G4:1", "r:1", "A4:1", "B4:1"],
        ["r:1", "r:1", "r:1", "C4:1"],
    ]


def test_lost_bars_with_notes_are_told() -> None:
    maps = drawn([3])
    maps.symbols[60:72, 320:336] = 2  # a notehead in the first staff's second bar
    lines = Lines({0: [Bar((140.0,))], 1: [Bar((140.0,))], 2: [Bar((140.0,))]})
    joined = join(oemers("C", "D", "E"), lines, laid_out(maps), maps)
    told = {d.code: d.message for d in joined.diagnostics}
    assert told["oemer-bars-lost"].startswith("1 bars")


def test_staves_of_a_smaller_system_are_the_lowest() -> None:
    maps = drawn([3, 2])
    lines = Lines({k: [Bar((140.0,))] for k in range(5)})
    joined = join(oemers("C", "D", "E", "F", "G"), lines, laid_out(maps), maps)
    bars = len(sung(joined.musicxml)[0]) // 2
    assert [part[bars] for part in sung(joined.musicxml)] == ["r:1", "F4:1", "G4:1"]
    assert "oemer-system-sizes" in {d.code for d in joined.diagnostics}


def test_a_c_clef_is_written() -> None:
    maps = drawn([3])
    lines = Lines({k: [Bar((140.0,))] for k in range(3)}, {1: CClef(4, 90)})
    joined = join(oemers("C", "D", "E"), lines, laid_out(maps), maps)
    root = etree.fromstring(joined.musicxml)
    assert root.findtext("part[2]/measure[1]/attributes/clef/sign") == "C"
    assert root.findtext("part[2]/measure[1]/attributes/clef/line") == "4"


def test_a_document_that_is_not_these_lines_is_refused() -> None:
    maps = drawn([3])
    lines = Lines({k: [Bar((140.0,)), Bar((340.0,))] for k in range(3)})
    with pytest.raises(RecognitionError, match="lost its way") as caught:
        join(oemers("C", "D", "E"), lines, laid_out(maps), maps)
    assert caught.value.code == "oemer-many-staves" and "sightread" in caught.value.hint
