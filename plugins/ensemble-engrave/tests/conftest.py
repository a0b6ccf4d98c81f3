"""Scores to engrave: a real page, and a line of music that holds what is easily got wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ensemble_core.model import Box, Context, Diagnostic, Element, PageOfScore, Score
from ensemble_core.musicxml import parse, serialize

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def write_note(
    step: str, octave: int, length: int, name: str = "", more: str = "", end: str = ""
) -> str:
    kind = {1: "eighth", 2: "quarter", 4: "half", 8: "whole"}[length]
    named = f' id="{name}"' if name else ""
    return (
        f"<note{named}><pitch><step>{step}</step><octave>{octave}</octave></pitch>"
        f"<duration>{length}</duration>{more}<voice>1</voice><type>{kind}</type>{end}</note>"
    )


TIED = ("<tie type='{0}'/>", "<notations><tied type='{0}'/></notations>")
START = {"more": TIED[0].format("start"), "end": TIED[1].format("start")}
STOP = {"more": TIED[0].format("stop"), "end": TIED[1].format("stop")}


def write_line(*bars: str, title: str = "A line", attributes: str = "") -> Score:
    """One clarinet, in B flat; 4/4, two divisions a quarter, 60 quarters a minute."""
    measures = "".join(
        f'<measure number="{number}">{bar}</measure>' for number, bar in enumerate(bars, 2)
    )
    text = (
        '<score-partwise version="4.0"><part-list><score-part id="P1">'
        "<part-name>Clarinet</part-name></score-part></part-list><part id='P1'>"
        '<measure number="1"><attributes><divisions>2</divisions><key><fifths>0</fifths></key>'
        "<time><beats>4</beats><beat-type>4</beat-type></time><clef><sign>G</sign>"
        "<line>2</line></clef><transpose><diatonic>-1</diatonic><chromatic>-2</chromatic>"
        f"</transpose></attributes>{attributes}<sound tempo='60'/>"
        f"{write_note('C', 5, 4, 'c')}{write_note('E', 5, 4, 'e1', **START)}</measure>{measures}"
        "</part></score-partwise>"
    )
    return Score(musicxml=text.encode(), title=title)


@pytest.fixture
def note() -> Callable[..., str]:
    """Writes one note; lengths in eighths."""
    return write_note


@pytest.fixture
def line() -> Callable[..., Score]:
    """Writes a score of the bars given, after a first one."""
    return write_line


@pytest.fixture
def said() -> list[dict[str, Any]]:
    """What an exporter said while it worked."""
    return []


@pytest.fixture
def ctx(tmp_path: Path, said: list[dict[str, Any]]) -> Context:
    """A context with a workspace of its own."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return Context(workspace=workspace, send=said.append)


@pytest.fixture
def tied() -> Score:
    """C and E tied over the bar line, then a rest."""
    rest = '<note id="r"><rest/><duration>4</duration><voice>1</voice><type>half</type></note>'
    return write_line(write_note("E", 5, 4, "e2", **STOP) + rest)


@pytest.fixture(scope="session")
def brahms() -> Score:
    """The example page as it should be read, with boxes for some of its notes."""
    truth, picture = (EXAMPLES / f"brahms-volkslied.{kind}" for kind in ("musicxml", "png"))
    if not truth.exists():
        pytest.skip("examples/ is not there")
    root = parse(truth.read_bytes())
    numbers = {kind: count() for kind in ("note", "rest", "measure")}
    for element in root.iter("note", "measure"):
        kind = "rest" if element.find("rest") is not None else element.tag
        element.set("id", f"{kind}{next(numbers[kind])}")
    elements = [
        Element(f"note{n}", "note", 0, Box(320 + 36 * n, 690, 352 + 36 * n, 720), sure)
        for n, sure in enumerate((0.99, 0.95, 0.41, 0.9, 0.97, 0.88))
    ]
    elements.append(Element("measure0", "measure", 0, Box(160, 470, 630, 780)))
    page = PageOfScore(0, 0, 33, 2480, 3508, picture)
    remark = Diagnostic(
        "warning", "bar-does-not-add-up", "bar 13: the notes fill 2 quarters", page=0
    )
    return Score(serialize(root), "Volkslied", (page,), tuple(elements), (remark,))


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where a Chromium is."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium is installed")
