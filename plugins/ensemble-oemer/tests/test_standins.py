"""The stand-ins have the tensors of oemer's nets, and see what is drawn for them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import oemer_standins
import pytest
from lxml import etree
from oemer_pages import FONTS, SIZE, coloured_page, little_score, print_page
from oemer_standins import (
    CLEF_KEY_ACCIDENTAL,
    MEANING,
    NOTEHEAD,
    STAFF,
    STAFF_NET,
    STEM_REST_BAR,
    SYMBOL,
    SYMBOL_NET,
    NetShape,
)
from PIL import Image

Nets = Mapping[str, Path]
SPACE = 14
"""A staff space in pixels, as on a page oemer has scaled."""


def seen(folder: Path, net: NetShape, bgr: Any) -> Any:
    """Classes of one window, shape (side, side)."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / net.folder / "model.onnx"))
    (found,) = session.run([net.output], {"input": bgr[None]})
    assert found.shape == (1, net.window, net.window, net.classes) and found.dtype == np.float32
    return found[0].argmax(axis=-1)


@pytest.mark.parametrize("net", [STAFF_NET, SYMBOL_NET], ids=lambda net: str(net.folder))
@pytest.mark.parametrize("kind", ["colour", "print", "blind"])
def test_a_stand_in_has_the_tensors_oemer_asks_for(nets: Nets, kind: str, net: NetShape) -> None:
    import oemer
    import onnxruntime

    session = onnxruntime.InferenceSession(str(nets[kind] / net.folder / "model.onnx"))
    told = Path(oemer.__file__).parent / "checkpoints" / net.folder / "metadata.pkl"
    wanted = pickle.loads(told.read_bytes())  # oemer's own file
    (given,), (found,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type) == ("input", "tensor(uint8)")
    assert tuple(given.shape[1:]) == tuple(wanted["input_shape"][1:])
    assert [found.name] == list(wanted["output_names"]) and found.type == "tensor(float)"
    assert tuple(found.shape[1:]) == tuple(wanted["output_shape"][1:])


def test_each_class_colour_is_seen_as_its_class(nets: Nets) -> None:
    for number, net in enumerate((STAFF_NET, SYMBOL_NET)):
        window = np.zeros((net.window, net.window, 3), np.uint8)
        for column, corner in enumerate(MEANING):
            window[:, 10 * column : 10 * column + 10] = np.array(corner[::-1]) * 255
        found = seen(nets["colour"], net, window)
        for column, classes in enumerate(MEANING.values()):
            assert (found[:, 10 * column : 10 * column + 10] == classes[number]).all()


def test_black_print_is_told_apart_by_its_shape(nets: Nets) -> None:
    def draw(side: int) -> Any:
        window = np.full((side, side, 3), 255, np.uint8)
        for line in range(5):
            window[100 + SPACE * line : 102 + SPACE * line] = 0
        ys, xs = np.mgrid[:side, :side]
        window[((xs - 120) / 8) ** 2 + ((ys - 122) / 6.5) ** 2 < 1] = 0
        window[122:172, 112:114] = 0
        return window

    staves = seen(nets["print"], STAFF_NET, draw(STAFF_NET.window))
    assert (staves[100:102, 200] == STAFF).all() and (staves[156, 40:90] == STAFF).all()
    assert staves[122, 120] == SYMBOL and not staves[60].any() and not staves[108, 200]
    symbols = seen(nets["print"], SYMBOL_NET, draw(SYMBOL_NET.window))
    assert (symbols[118:126, 116:124] == NOTEHEAD).all()
    assert (symbols[135:165, 112] == STEM_REST_BAR).all()
    assert not symbols[100:160, 200:240].any()


def test_blind_nets_see_an_empty_page(nets: Nets) -> None:
    for net in (STAFF_NET, SYMBOL_NET):
        noise = np.random.default_rng(1).integers(0, 256, (net.window, net.window, 3), np.uint8)
        assert not seen(nets["blind"], net, noise).any()


def test_stock_gets_a_package_of_its_own(nets: Nets, tmp_path: Path) -> None:
    folder = oemer_standins.stock_oemer(tmp_path / "stock", nets["colour"])
    model = folder / "oemer" / "checkpoints" / "seg_net" / "model.onnx"
    assert model.read_bytes() == (nets["colour"] / "seg_net" / "model.onnx").read_bytes()
    assert (folder / "oemer" / "ete.py").is_file()


@pytest.mark.parametrize("font", FONTS)
def test_a_coloured_page_shows_every_class_in_clean_colours(font: str, tmp_path: Path) -> None:
    page = coloured_page(little_score(["C#5/2 r/2", "C3/4 D3/4 E3/2"], 1), tmp_path / "p.png", font)
    with Image.open(page.picture) as image:
        assert image.size == SIZE
        counts = {colour: n for n, colour in image.getcolors(1 << 16)}
    corners = {tuple(255 * part for part in corner) for corner in MEANING}
    assert set(counts) <= corners
    drawn = [(255, 0, 0), (0, 0, 255), (0, 255, 255), (0, 255, 0), (255, 255, 0), (0, 0, 0)]
    assert all(counts.get(colour, 0) > 20 for colour in drawn)


def test_the_truth_is_the_bars_on_the_page(tmp_path: Path) -> None:
    bar = "C5/8 D5/8 E5/8 F5/8 G5/8 A5/8 B5/8 C6/8"
    score = little_score(["|".join([bar] * 150), "|".join(["C3/1"] * 150)])
    page = print_page(score, tmp_path / "p.png")
    assert page.pages > 1 and 0 < page.bars < 150
    assert len(etree.fromstring(page.truth).findall("part/measure")) == page.bars


def test_a_little_score_says_what_is_written() -> None:
    root = etree.fromstring(little_score(["F5/4. F#5/8 C4+Eb4/2", "r/1"], fifths=1))
    notes = root.findall("part/measure/note")
    assert [note.findtext("pitch/step") for note in notes] == ["F", "F", "C", "E", None]
    assert [note.findtext("accidental") for note in notes] == [
        "natural", None, None, "flat", None,
    ]  # fmt: skip
    assert [note.findtext("duration") for note in notes] == ["12", "4", "16", "16", "32"]
    assert [note.find("chord") is not None for note in notes] == [False, False, False, True, False]
    assert root.find("part/measure/backup") is not None
    with pytest.raises(ValueError, match="not a note"):
        little_score(["C5"])


def test_a_clef_is_a_sign_on_black_print(nets: Nets, tmp_path: Path) -> None:
    page = print_page(little_score(["C5/1", "C3/1"]), tmp_path / "p.png")
    with Image.open(page.picture) as image:
        pixels = np.asarray(image)[:, :, ::-1]
    side = SYMBOL_NET.window
    symbols = seen(nets["print"], SYMBOL_NET, np.ascontiguousarray(pixels[20 : 20 + side, :side]))
    assert (symbols == CLEF_KEY_ACCIDENTAL).sum() > 500
