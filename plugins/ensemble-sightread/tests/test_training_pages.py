"""What the net is taught: kinds, boxes and masks taken from engraved pages."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

TRAINING = Path(__file__).parents[1] / "training"
for needed in ("verovio", "resvg_py", "fontTools"):
    pytest.importorskip(needed)

NOTE = "<note><pitch><step>{}</step><octave>{}</octave></pitch><duration>{}</duration>{}</note>"
SCORE = (
    '<score-partwise version="4.0"><part-list><score-part id="P"><part-name/></score-part>'
    '</part-list><part id="P"><measure number="1"><attributes><divisions>2</divisions>'
    "<time><beats>4</beats><beat-type>4</beat-type></time><clef><sign>G</sign><line>2</line>"
    "</clef></attributes><direction><direction-type><dynamics><mf/></dynamics></direction-type>"
    "</direction><direction><direction-type><words>dolce</words></direction-type></direction>"
    '<direction placement="below"><direction-type><wedge type="crescendo"/>'
    "</direction-type></direction>"
    + NOTE.format("G", 4, 1, '<type>eighth</type><beam number="1">begin</beam>'
                  '<notations><slur type="start"/></notations>')
    + NOTE.format("A", 4, 1, '<type>eighth</type><beam number="1">end</beam>')
    + NOTE.format("C", 4, 2, "<type>quarter</type><notations><ornaments><mordent/></ornaments>"
                  '<slur type="stop"/></notations>')
    + '<direction><direction-type><wedge type="stop"/></direction-type></direction>'
    + NOTE.format("B", 4, 4, "<type>half</type>")
    + "</measure></part></score-partwise>"
)  # fmt: skip


@pytest.fixture(scope="module")
def page() -> tuple[str, object]:
    import verovio

    sys.path.insert(0, str(TRAINING))
    try:
        import boxes

        toolkit = verovio.toolkit()
        toolkit.setOptions({"svgViewBox": True, "font": "Bravura", "footer": "none"})
        toolkit.loadData(SCORE)
        svg = toolkit.renderToSVG(1)
        return svg, boxes.verovio(svg, "Bravura")
    finally:
        sys.path.remove(str(TRAINING))


def test_every_sign_has_its_box_and_a_dynamic_one_for_each_letter(page) -> None:
    found = page[1]
    counts = Counter(box.kind for box in found.boxes)
    assert counts == {
        "clef-g": 1, "time-4": 2, "head-black": 3, "head-half": 1, "dynamic-m": 1,
        "dynamic-f": 1, "mordent": 1,
    }  # fmt: skip
    by_kind = {box.kind: box for box in found.boxes}
    assert by_kind["dynamic-m"].left < by_kind["dynamic-f"].left
    assert 1.0 < (by_kind["head-half"].right - by_kind["head-half"].left) / found.space < 1.5


def test_masks_show_each_class_alone(page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TRAINING))
    import boxes
    import cv2
    from ensemble_sightread.symbols import MASKS
    from masks import masks

    svg, found = page
    width = boxes.numbers(boxes.parsed(svg).get("viewBox"))[2]
    scale = 8 / found.space
    drawn = masks(svg, "verovio", found.space, round(width * scale), "no such typeface")
    there = {name: (drawn >> bit & 1).astype(np.uint8) for bit, name in enumerate(MASKS)}
    parts = {name: cv2.connectedComponents(mask)[0] - 1 for name, mask in there.items()}
    assert parts == {"staff": 5, "stem": 4, "beam": 1, "barline": 1, "curve": 1, "text": 0,
                     "hairpin": 1, "line": 0}  # fmt: skip
    stem = cv2.boundingRect(there["stem"])
    heads = [b for b in found.boxes if b.kind.startswith("head")]
    assert stem[0] == pytest.approx(min(b.right for b in heads) * scale, abs=3)


def test_words_are_masked_in_the_typeface_they_are_drawn_in(page, monkeypatch) -> None:
    fonts = subprocess.run(["fc-list", ":", "family"], capture_output=True, text=True).stdout
    if "DejaVu Serif" not in fonts:
        pytest.skip("needs the typeface DejaVu Serif")
    monkeypatch.syspath_prepend(str(TRAINING))
    import boxes
    import cv2
    from ensemble_sightread.symbols import MASKS
    from masks import masks

    svg, found = page
    scale = 8 / found.space
    width = round(boxes.numbers(boxes.parsed(svg).get("viewBox"))[2] * scale)
    mask = masks(svg, "verovio", found.space, width, "DejaVu Serif") >> MASKS.index("text") & 1
    *_, wide, high = cv2.boundingRect(mask)
    assert wide > 3 * high  # the letters of "dolce" have grown together
