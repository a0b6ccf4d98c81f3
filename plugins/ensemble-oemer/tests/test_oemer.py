"""The wrapper: what is missing is said before the wait, and oemer's failures have a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from ensemble_oemer.checkpoints import NETS, problems
from ensemble_oemer.options import OemerOptions
from ensemble_oemer.recognizer import OemerRecognizer
from ensemble_oemer.repair import repair
from PIL import Image

from ensemble_core import Pipeline
from ensemble_core.model import (
    Context,
    ExitCode,
    MissingError,
    Page,
    Plan,
    RecognitionError,
)
from ensemble_core.musicxml import check_wellformed_score


@pytest.fixture
def page(tmp_path: Path) -> Page:
    path = tmp_path / "page.png"
    Image.new("L", (900, 1200), 255).save(path)
    return Page(0, path, 900, 1200)


@pytest.fixture
def blind_nets(tmp_path: Path) -> Path:
    """Stand-in model files with the tensor shapes of the real ones, that see nothing."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    folder = tmp_path / "nets"
    folder.mkdir()
    for net in NETS:
        side, classes = net.window, net.classes
        given = helper.make_tensor_value_info("input", TensorProto.UINT8, ["n", side, side, 3])
        found = helper.make_tensor_value_info(
            net.output, TensorProto.FLOAT, ["n", side, side, classes]
        )
        weights = [float(row == column == 0) for row in range(3) for column in range(classes)]
        graph = helper.make_graph(
            [
                helper.make_node("Cast", ["input"], ["x"], to=TensorProto.FLOAT),
                helper.make_node("MatMul", ["x", "w"], [net.output]),
            ],
            net.folder, [given], [found],
            [helper.make_tensor("w", TensorProto.FLOAT, [3, classes], weights)],
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.save(model, folder / net.release)
    return folder


def test_missing_model_files_are_said_before_anything_runs(page: Page, tmp_path: Path) -> None:
    pipeline = Pipeline(
        recognizer="oemer", options={"oemer": {"checkpoints": str(tmp_path / "none")}}
    )
    with pytest.raises(MissingError) as caught:
        pipeline.run([page.image])
    assert caught.value.exit_code == ExitCode.MISSING
    assert "oemer" in str(caught.value) and "\n" not in str(caught.value)


def test_half_a_download_is_noticed(tmp_path: Path) -> None:
    for net in NETS:
        (tmp_path / net.release).write_bytes(b"x" * 100)
    assert [text.split("has")[1] for text in problems(tmp_path)] == [
        " 100 bytes instead of 70,767,752",
        " 100 bytes instead of 38,448,467",
    ]


def test_a_damaged_model_file_is_a_typed_error(page: Page, tmp_path: Path) -> None:
    pytest.importorskip("oemer")
    for net in NETS:
        (tmp_path / net.release).write_bytes(b"x" * 100)
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(MissingError, match="cannot be loaded"):
        OemerRecognizer(OemerOptions(checkpoints=tmp_path)).recognize(page, Context(work))


def test_a_blank_page_is_a_recognition_error_from_the_real_oemer(
    page: Page, blind_nets: Path, tmp_path: Path
) -> None:
    pytest.importorskip("oemer")
    said = []
    work = tmp_path / "work"
    work.mkdir()
    ctx = Context(work, send=said.append)
    with pytest.raises(RecognitionError, match="oemer gave up on this page"):
        OemerRecognizer(OemerOptions(checkpoints=blind_nets, batch=64)).recognize(page, ctx)
    done = [message["done"] for message in said if message["type"] == "progress"]
    assert done == sorted(done) and done[-1] > 0.8


WRONG = b"""<score-partwise version="3.1"><part-list><score-part id="P1"><part-name>Piano</part-name>
</score-part></part-list><part id="P1"><sound tempo="90"/><measure number="1"><attributes>
<divisions>16</divisions></attributes><note><pitch><step>C</step><octave>4</octave></pitch>
<duration>16</duration><type>quarter</type><stem>up</stem><staff>1</staff><voice>1</voice></note>
</measure></part></score-partwise>"""


def test_what_stands_in_the_wrong_place_is_moved() -> None:
    from ensemble_core.musicxml import find_schema, validate

    data = repair(WRONG)
    assert check_wellformed_score(data) == 1
    assert data.index(b"<voice>") < data.index(b"<type>") < data.index(b"<staff>")
    assert data.index(b"<measure") < data.index(b"<sound")
    if find_schema():
        assert validate(data) == []


def test_other_recognizers_plans_are_none_of_its_business(page: Page) -> None:
    plan: Plan = Pipeline(recognizer="mock").plan([page.image])
    from ensemble_oemer.plugin import ensemble_check

    assert list(ensemble_check(plan)) == []
