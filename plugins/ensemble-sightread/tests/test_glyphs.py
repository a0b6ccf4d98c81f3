"""Finding symbols: real engravings of works the net was not trained on, cut from a page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from ensemble_sightread import glyphs
from ensemble_sightread.glyphs import MODEL, detect, look
from ensemble_sightread.symbols import KINDS, MASKS, Symbol

PIECES = Path(__file__).with_name("glyphs")


def piece(name: str) -> tuple[np.ndarray, list[Symbol]]:
    """A piece of a page (CC0 score, staff space 10 px) and the symbols engraved on it."""
    image = cv2.imread(str(PIECES / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    rows = json.loads((PIECES / f"{name}.json").read_text())
    return image, [Symbol(*row) for row in rows]


def agreement(found: tuple[Symbol, ...], wanted: list[Symbol], reach: float = 4.0) -> float:
    """F1 of symbols of the same kind whose centres lie within ``reach`` pixels."""
    left = list(wanted)
    right = 0
    for symbol in found:
        near = [
            other
            for other in left
            if other.kind == symbol.kind
            and abs(other.x - symbol.x) < reach + 0.1 * (other.right - other.left)
            and abs(other.y - symbol.y) < reach + 0.1 * (other.bottom - other.top)
        ]
        if near:
            left.remove(near[0])
            right += 1
    return 2 * right / (len(found) + len(wanted))


@pytest.mark.parametrize("engraver", ["verovio", "musescore"])
def test_symbols_of_unseen_music_are_found(engraver: str) -> None:
    image, wanted = piece(engraver)
    found = detect(image)
    assert agreement(found, wanted) > 0.95, Counter(s.kind for s in found)


def test_boxes_fit_what_is_printed() -> None:
    image, wanted = piece("verovio")
    heads = [s for s in detect(image) if s.kind == "head-black"]
    off = [
        min(
            max(abs(s.left - w.left), abs(s.top - w.top), abs(s.right - w.right),
                abs(s.bottom - w.bottom))
            for w in wanted
        )
        for s in heads
    ]  # fmt: skip
    assert float(np.median(off)) < 1.0


def test_a_blank_page_holds_nothing() -> None:
    assert detect(np.full((700, 500), 255, np.uint8)) == ()
    assert detect(np.zeros((0, 0), np.uint8)) == ()


def test_the_place_on_the_page_and_its_size_do_not_matter() -> None:
    image, _ = piece("musescore")
    padded = cv2.copyMakeBorder(image, 37, 5, 53, 22, cv2.BORDER_CONSTANT, value=255)
    moved = [
        Symbol(s.kind, s.left - 53, s.top - 37, s.right - 53, s.bottom - 37) for s in detect(padded)
    ]
    assert agreement(detect(image), moved) > 0.98


def test_a_huge_page_is_read_in_tiles() -> None:
    image, wanted = piece("verovio")
    many = -(-4400 // image.shape[0])
    tall = np.vstack([image] * many)
    found = detect(tall)
    assert len(found) == pytest.approx(many * len(detect(image)), rel=0.02)
    copies = [
        Symbol(w.kind, w.left, w.top + n * image.shape[0], w.right, w.bottom + n * image.shape[0])
        for w in wanted
        for n in range(many)
    ]
    assert agreement(found, copies) > 0.95


def test_the_same_page_gives_the_same_symbols() -> None:
    image, _ = piece("musescore")
    assert detect(image) == detect(image.copy())


def test_gray_paper_is_read_too() -> None:
    image, wanted = piece("verovio")
    dull = (70 + image.astype(float) * 0.55).astype(np.uint8)
    assert agreement(detect(dull), wanted) > 0.9


@pytest.mark.parametrize("wrong", [np.zeros((50, 50, 3), np.uint8), np.zeros((50, 50), np.float32)])
def test_what_is_no_gray_page_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="gray uint8 page"):
        detect(wrong)


def test_symbols_are_of_known_kinds_and_the_model_is_small() -> None:
    image, _ = piece("verovio")
    found = detect(image)
    assert {s.kind for s in found} <= set(KINDS)
    assert all(0 < s.confidence <= 1 and s.right > s.left and s.bottom > s.top for s in found)
    nets = MODEL.parent.glob("*.onnx")
    assert sum(net.stat().st_size for net in nets) < 12 * 10**6  # of a wheel


def test_the_net_of_whole_numbers_sees_what_the_trained_one_sees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained = Path(__file__).resolve().parents[1] / "training" / "symbols.onnx"
    image, _ = piece("verovio")
    shipped = look(image)
    monkeypatch.setattr(glyphs, "MODEL", trained)
    glyphs.load.cache_clear()
    floating = look(image)
    same = [
        any(
            s.kind == f.kind and abs(s.x - f.x) < 1 and abs(s.y - f.y) < 1 for f in floating.symbols
        )
        for s in shipped.symbols
    ]
    assert len(floating.symbols) == pytest.approx(len(shipped.symbols), rel=0.01)
    assert np.mean(same) > 0.98
    for name, mask in shipped.masks.items():
        assert np.mean((mask > 127) != (floating.masks[name] > 127)) < 0.001


def test_whole_and_half_rests_differ_by_the_line_they_touch() -> None:
    image, _ = piece("verovio")
    whole = next(s for s in detect(image) if s.kind == "rest-whole")
    x, top, foot = round(whole.x), round(whole.top), round(whole.bottom)
    half = image.copy()
    half[top - 2 : foot + 2, x - 30 : x + 30] = 255  # take the bar and its line away ...
    half[top - 1 : top + 1, x - 60 : x + 60] = 0
    half[foot - 10 : top - 1, x - 5 : x + 6] = 0  # ... and set one on the line
    found = [s for s in detect(half) if abs(s.x - x) < 6 and abs(s.y - whole.y) < 12]
    assert [s.kind for s in found] == ["rest-half"]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A net that knows dots alone (black 4 x 4 squares) and makes masks of 2 x 2 means."""
    onnx = pytest.importorskip("onnx")
    node, tensor, kind = onnx.helper.make_node, onnx.helper.make_tensor, onnx.TensorProto
    nodes = [
        node("Cast", ["image"], ["light"], to=kind.FLOAT),
        node("AveragePool", ["light"], ["cells"], kernel_shape=[4, 4], strides=[4, 4]),
        node("Mul", ["cells", "slope"], ["steep"]),
        node("Add", ["steep", "level"], ["hot"]),
        node("Transpose", ["hot"], ["heat"], perm=[0, 2, 3, 1]),
        node("Transpose", ["cells"], ["features"], perm=[0, 2, 3, 1]),
        node("AveragePool", ["light"], ["halves"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Cast", ["halves"], ["byte"], to=kind.UINT8),
        node("Concat", ["byte"] * 2, ["bytes"], axis=1),
        node("Transpose", ["bytes"], ["masks"], perm=[0, 2, 3, 1]),
    ]
    graph = onnx.helper.make_graph(
        nodes, "stand-in",
        [onnx.helper.make_tensor_value_info("image", kind.UINT8, [1, 1, "h", "w"])],
        [
            onnx.helper.make_tensor_value_info("heat", kind.FLOAT, [1, "a", "b", 1]),
            onnx.helper.make_tensor_value_info("features", kind.FLOAT, [1, "a", "b", 1]),
            onnx.helper.make_tensor_value_info("masks", kind.UINT8, [1, "c", "d", 2]),
        ],
        [tensor("slope", kind.FLOAT, [1], [-0.1]), tensor("level", kind.FLOAT, [1], [2.0])],
    )  # fmt: skip
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )
    about = {
        "kinds": '["dot"]', "thresholds": "[0.5]", "masks": json.dumps(MASKS[:2]),
        "step": "32", "boxes": "[[0, 0], [0, 0], [0, 0.5], [0, 0]]",
        "scales": '{"masks": [0.05, 100]}',
    }  # fmt: skip
    onnx.helper.set_model_props(model, about)
    onnx.save(model, str(tmp_path / "net.onnx"))
    monkeypatch.setattr(glyphs, "MODEL", tmp_path / "net.onnx")
    glyphs.load.cache_clear()


@pytest.fixture(autouse=True)
def _own_net_again() -> Iterator[None]:
    yield
    glyphs.load.cache_clear()


@pytest.mark.usefixtures("stand_in")
def test_another_net_says_what_it_knows_and_gives_masks() -> None:
    page = np.full((2600, 333), 255, np.uint8)
    page[41:44, 31:300] = 0
    page[2000:2004, 100:104] = 0
    page[2500:2520, 7] = 90
    seen = look(page)
    assert tuple(seen.masks) == MASKS[:2]
    means = np.floor(page[:, :332].reshape(1300, 2, 166, 2).mean((1, 3)))
    wanted = 255 / (1 + np.exp(-0.05 * (means - 100)))
    mask = seen.masks["stem"][:, :166]
    inked = means < 255
    assert seen.masks["stem"].shape == (1300, 167)
    assert np.abs(mask[inked] - wanted[inked]).max() <= 0.51
    dot = next(s for s in seen.symbols if s.y > 1900)
    assert (dot.kind, dot.x, dot.y) == ("dot", 102, 2002)
    assert dot.right - dot.left == pytest.approx(10 * np.exp(0.5))
    assert dot.confidence == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-4)


def test_the_net_of_the_package_gives_the_masks_it_says() -> None:
    image, _ = piece("verovio")
    seen = look(image)
    assert tuple(seen.masks) == glyphs.load(1).masks
    assert all(m.shape == (-(-image.shape[0] // 2), -(-image.shape[1] // 2))
               for m in seen.masks.values())  # fmt: skip
