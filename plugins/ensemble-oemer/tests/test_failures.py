"""Pages and surroundings oemer is known to fail on: read after all, or a typed error with advice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from oemer_running import Ran, command, run

from ensemble_core.model import ExitCode

pytestmark = pytest.mark.long

Convert = Callable[..., Ran]

FAILS = {
    "blank": "no-staves",
    "scrap": "no-staves",
    "sideways": "no-staves",
    "lines": "no-noteheads",
    "crop": "no-signs",
    "seven-sharps": "key-unsupported",
}
READ = ("one-staff", "one-note", "edge", "three-staves")
"""Crashes of the stock oemer that the wrapper reads."""


@pytest.fixture(scope="session")
def hard_pages(
    tmp_path_factory: pytest.TempPathFactory, tune: Path, nets: Mapping[str, Path]
) -> Mapping[str, Any]:
    """What became of each hard page, all but one read by one command in one worker."""
    import numpy as np
    from oemer_pages import coloured_page, little_score
    from oemer_running import TUNE
    from PIL import Image

    folder = tmp_path_factory.mktemp("hard")
    scores = {
        "one-staff": little_score(TUNE[:1]),
        "three-staves": little_score([TUNE[0], *TUNE]),
        "seven-sharps": little_score(TUNE, fifths=7),
        "one-note": little_score(["C5/4 r/4 r/2", "r/1"]),
    }
    for name, score in scores.items():
        coloured_page(score, folder / f"{name}.png")
    page = Image.open(tune).convert("RGB")
    pixels = np.asarray(page)
    ys, xs = np.nonzero((pixels != 255).any(axis=-1))
    left, top, right, bottom = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
    page.crop((left, top, right, bottom)).save(folder / "edge.png")
    page.crop((left + 100, top, left + 400, bottom)).save(folder / "crop.png")
    page.crop((left + 100, top + 10, left + 200, top + 60)).save(folder / "scrap.png")
    page.rotate(90, expand=True).save(folder / "sideways.png")
    red = (pixels == (255, 0, 0)).all(axis=-1, keepdims=True)
    Image.fromarray(np.where(red, pixels, 255).astype(np.uint8)).save(folder / "lines.png")
    Image.new("RGB", page.size, "white").save(folder / "blank.png")
    (folder / "unreadable.png").write_bytes(tune.read_bytes()[:5000])
    bent = folder / "sideways.png"
    flat = sorted(set(folder.glob("*.png")) - {bent})
    documents = []
    for inputs, deskew, code in ((flat, "off", 7), ([bent], "auto", 5)):
        arguments = command(
            *inputs, "-o", f"{folder}/out/", "--json", "-j", "1", "-O", f"oemer.deskew={deskew}",
            nets=nets["colour"],
        )  # fmt: skip
        ran = run(arguments, folder)
        assert "Traceback" not in ran.err and ran.code == code, ran.err
        documents += json.loads(ran.out)["documents"]
    return {Path(document["name"]).stem: document for document in documents}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAILS)
def test_a_page_oemer_cannot_read_is_a_typed_error(
    name: str, hard_pages: Mapping[str, Any]
) -> None:
    document = hard_pages[name]
    error = document["pages"][0]["error"]
    assert (error["code"], document["exit_code"]) == (FAILS[name], ExitCode.RECOGNITION)
    assert error["type"] == "RecognitionError" and error["component"] == "oemer"
    assert error["hint"] and "\n" not in error["message"] and not document["outputs"]


@pytest.mark.slow
@pytest.mark.parametrize("name", READ)
def test_a_page_stock_oemer_crashes_on_is_read(name: str, hard_pages: Mapping[str, Any]) -> None:
    from lxml import etree

    document = hard_pages[name]
    assert document["status"] == "ok", document
    notes = etree.parse(document["outputs"][0]).findall(".//note[pitch]")
    assert len(notes) >= {"one-note": 1, "three-staves": 25, "one-staff": 8}.get(name, 17)


@pytest.mark.slow
def test_where_dewarping_crashed_a_warning_says_so(hard_pages: Mapping[str, Any]) -> None:
    codes = {found["code"] for found in hard_pages["sideways"]["diagnostics"]}
    assert "oemer-not-straightened" in codes


@pytest.mark.slow
def test_an_unreadable_picture_is_an_input_error(hard_pages: Mapping[str, Any]) -> None:
    document = hard_pages["unreadable"]
    assert document["exit_code"] == ExitCode.INPUT and document["status"] == "failed"


def failed(ran: Ran, code: ExitCode) -> str:
    """The one line a failed command said."""
    assert ran.code == code, ran.err
    assert "Traceback" not in ran.err
    (line,) = (line for line in ran.err.splitlines() if line.startswith(("failed", "ensemble:")))
    return line


def test_missing_model_files_are_said_before_anything_runs(
    convert: Convert, tune: Path, tmp_path: Path
) -> None:
    ran = convert(tune, "-O", f"oemer.checkpoints={tmp_path}", "-o", "out/")
    line = failed(ran, ExitCode.MISSING)
    assert "1st_model.onnx" in line and "ensemble models fetch oemer" in line
    assert not (tmp_path / "out").exists()


def test_a_truncated_model_file_is_said(
    convert: Convert, nets: Mapping[str, Path], tune: Path, tmp_path: Path
) -> None:
    for net in ("unet_big", "seg_net"):
        path = tmp_path / net / "model.onnx"
        path.parent.mkdir()
        path.write_bytes((nets["colour"] / net / "model.onnx").read_bytes()[:300])
    ran = convert(tune, "-O", f"oemer.checkpoints={tmp_path}", "-o", "out/")
    assert "cannot be used" in failed(ran, ExitCode.MISSING)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_no_room_on_the_disk_is_said(tune: Path, nets: Mapping[str, Path], tmp_path: Path) -> None:
    arguments = command(tune, "-o", f"{tmp_path}/out/", nets=nets["colour"])
    # coverage would write its own file, fail at it, and say so
    limited = 'ulimit -f 50; unset COVERAGE_PROCESS_CONFIG COVERAGE_PROCESS_START; exec "$@"'
    ran = run(["sh", "-c", limited, "sh", *arguments], tmp_path)
    assert "TMPDIR" in failed(ran, ExitCode.OUTPUT)
    assert not list(tmp_path.rglob("*.musicxml"))


def test_the_memory_limit_is_kept(convert: Convert, tune: Path) -> None:
    ran = convert(tune, "-O", "limits.max-memory=200MiB", "-o", "out/")
    assert "limits.max-memory" in failed(ran, ExitCode.LIMIT)


def test_a_provider_that_is_not_there_is_said(convert: Convert, tune: Path) -> None:
    wanted = "coreml" if sys.platform != "darwin" else "cuda"
    ran = convert(tune, "-O", f"oemer.provider={wanted}", "-o", "out/")
    assert "provider=auto" in failed(ran, ExitCode.MISSING)


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_worker_that_is_killed_twice_is_said(
    tune: Path, nets: Mapping[str, Path], tmp_path: Path
) -> None:
    import psutil

    arguments = command(tune, "-o", f"{tmp_path}/out/", nets=nets["colour"])
    process = subprocess.Popen(
        arguments, stderr=subprocess.PIPE, text=True, env=dict(os.environ), cwd=tmp_path
    )
    killed: set[int] = set()
    while process.poll() is None and len(killed) < 2:
        for child in psutil.Process(process.pid).children():
            if child.pid not in killed and any("onnx" in m.path for m in child.memory_maps()):
                killed.add(child.pid)
                child.kill()
        time.sleep(0.05)
    _, said = process.communicate(timeout=60)
    line = failed(Ran(process.returncode, "", said), ExitCode.RECOGNITION)
    assert "worker process was killed by SIGKILL" in line
