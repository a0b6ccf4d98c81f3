"""From a picture to known notes: the real command, the real oemer, stand-in nets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ensemble_oemer.engine import load_oemer
from lxml import etree
from oemer_pages import coloured_page, little_score, print_page
from oemer_running import Ran

from ensemble_core.musicxml import find_schema, validate

UPPER = (
    "C5/4 D5/4 E5/4 F#5/4 | G5/2 E5/2 | C5/8 D5/8 E5/8 F5/8 G5/4 r/4 | C5+E5+G5/1 | A4/4 B4/4 C5/2"
)
LOWER = "C3/2 G3/2 | C3+E3/4 r/4 G3/2 | C3/1 | F3/4 E3/4 D3/4 C3/4 | C3/1"
PLAIN_UPPER = "C5/4 D5/4 E5/4 F5/4 | G5/2 E5/2 | C5/4 D5/4 E5/4 G5/4 | E5/2 D5/2 | A4/4 B4/4 C5/2"
PLAIN_LOWER = "C3/2 G3/2 | C3+E3/4 D3/4 G3/2 | C3/2 G3/2 | F3/4 E3/4 D3/4 C3/4 | C3/1"

Convert = Callable[..., Ran]
Note = tuple[int, str, float, str, str]


def notes(musicxml: bytes) -> list[Note]:
    """(bar, staff, onset in quarter notes, type, pitch), sorted; type as it is written."""
    found: list[Note] = []
    divisions = 1.0
    for number, bar in enumerate(etree.fromstring(musicxml).findall("part/measure")):
        now = onset = 0.0
        for node in bar:
            divisions = float(node.findtext("divisions") or divisions)
            length = float(node.findtext("duration") or 0) / divisions
            if node.tag in ("backup", "forward"):
                now += length if node.tag == "forward" else -length
            elif node.tag == "note":
                if node.find("chord") is None:
                    onset, now = now, now + length
                if node.find("pitch") is not None:
                    found.append((number, node.findtext("staff"), onset, *_written(node)))
    return sorted(found)


def _written(note: Any) -> tuple[str, str]:
    alter = int(note.findtext("pitch/alter") or 0)
    name = note.findtext("pitch/step") + "b♮#"[alter + 1] + note.findtext("pitch/octave")
    return note.findtext("type") + "." * len(note.findall("dot")), name


def test_every_note_of_a_coloured_page_is_read(tmp_path: Path, convert: Convert) -> None:
    page = coloured_page(little_score([UPPER, LOWER], fifths=1), tmp_path / "page.png")
    ran = convert(page.picture, "-o", tmp_path / "read.musicxml", "-O", "oemer.deskew=off")
    assert ran.code == 0, ran.err
    read = (tmp_path / "read.musicxml").read_bytes()
    assert notes(read) == notes(page.truth)
    if find_schema():
        assert validate(read) == []


@pytest.mark.slow
def test_every_note_on_black_print_is_read(tmp_path: Path, convert: Convert) -> None:
    page = print_page(little_score([PLAIN_UPPER, PLAIN_LOWER]), tmp_path / "page.png")
    ran = convert(
        page.picture, "-o", tmp_path / "read.musicxml", "-O", "oemer.deskew=off", which="print"
    )
    assert ran.code == 0, ran.err
    assert notes((tmp_path / "read.musicxml").read_bytes()) == notes(page.truth)


class _Five:
    """OpenCV with what OpenCV 5 changed: ``HoughLinesP`` gives shape (n, 4)."""

    __version__ = "5.0.0"

    def __init__(self, cv2: Any) -> None:
        self._cv2 = cv2

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cv2, name)

    def HoughLinesP(self, *arguments: Any) -> Any:
        lines = self._cv2.HoughLinesP(*arguments)
        return None if lines is None else lines.reshape(-1, 4)


def test_opencv_5_finds_the_lines_opencv_4_finds(
    nets: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np
    from oemer import bbox

    load_oemer()
    drawn = np.zeros((200, 200), np.uint8)
    drawn[20:180, 100] = drawn[50, 20:90] = 1
    wanted = bbox.find_lines(drawn)
    assert wanted
    monkeypatch.setattr(bbox, "cv2", _Five(bbox.cv2))
    with pytest.raises(IndexError):
        bbox.find_lines(drawn)
    load_oemer()
    assert bbox.find_lines(drawn) == wanted
