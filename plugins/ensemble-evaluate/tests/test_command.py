from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def evaluate(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ensemble_core", "evaluate", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def report(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return data


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_a_set_from_pages_to_report(known_set: Path, out: Path, tmp_path: Path) -> None:
    done = evaluate(known_set, "-r", "mock", "-o", out, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    right, wrong = report(out)["documents"]
    assert (right["notes"]["note_f1"], right["distance"]["ned"]) == (1, 0)
    assert wrong["notes"]["note_f1"] < 1
    assert wrong["distance"]["ned"] > 0
    for document in (right, wrong):
        assert document["seconds"][0] > 0
        assert document["cpu_seconds"] > document["seconds"][0] / 10
        assert 20 < document["peak_mb"] < 1000
    assert "What the OMR-NED of mock is made of" in done.stdout
    page = (out / "report.html").read_text()
    assert page.count('class="bar"') >= 1
    assert "data:image/jpeg;base64" in page
    assert "http" not in page.replace("http://www.w3.org", "")

    kept = {path: path.stat().st_mtime_ns for path in (out / "readings").rglob("*.json")}
    (known_set.parent / "wrong.musicxml").write_bytes(
        (known_set.parent / "right.musicxml").read_bytes()
    )
    again = evaluate(known_set, "-r", "mock", "-o", out, "--resume", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert [d["notes"]["note_f1"] for d in report(out)["documents"]] == [1, 1]


def test_a_page_that_fails_counts_as_completely_wrong(
    known_set: Path, out: Path, tmp_path: Path
) -> None:
    done = evaluate(
        known_set, "-r", "mock", "-O", "mock.fault=crash", "--only", "name=right", "-o", out,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (document,) = report(out)["documents"]
    assert (document["status"], document["code"]) == ("failed", "worker-crashed")
    assert (document["notes"]["note_f1"], document["distance"]["ned"]) == (0, 1)
    (row,) = [r for r in report(out)["groups"] if r["group"] == "all"]
    assert row["figures"]["failed"] == 1
    assert row["figures"]["omr_ned"]["total"] == 1


def test_a_page_past_its_deadline_fails_alone(known_set: Path, out: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    done = evaluate(
        known_set, "-r", "mock", "-o", out, "--deadline", "10s", "-O", "mock.fault=hang",
        "-O", f"mock.fault-marker={marker}", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    codes = [document["code"] for document in report(out)["documents"]]
    assert codes == ["deadline-exceeded", ""]


def test_several_recognizers_read_the_same_pages(
    known_set: Path, out: Path, tmp_path: Path
) -> None:
    done = evaluate(
        known_set, "-r", "mock", "-r", "ensemble-mock:mock", "--only", "name=right", "-o", out,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    names = [row["recognizer"] for row in report(out)["groups"] if row["group"] == "all"]
    assert names == ["mock", "ensemble-mock:mock"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere.json", "-r", "mock"], "nowhere.json: cannot be read"),
        (["SET", "-r", "mock", "--only", "mood=merry"], "a field is one of"),
        (["SET", "-r", "mock", "--only", "kind=opera"], "no page is left"),
        (["SET", "-r", "mock", "--deadline", "soon"], "--deadline"),
        (["SET", "-r", "nobody"], "nobody"),
        (["SET", "-r", "mock", "-O", "mock.tempo=3"], "'tempo'"),
    ],
)
def test_a_wrong_command_is_one_line(
    known_set: Path, tmp_path: Path, words: list[str], told: str
) -> None:
    given = [str(known_set) if word == "SET" else word for word in words]
    done = evaluate(*given, cwd=tmp_path)
    assert done.returncode not in (0, 1), done.stdout
    assert len(done.stderr.strip().splitlines()) == 1
    assert told in done.stderr


def test_several_pictures_are_one_score(
    page: Path, page_truth: bytes, out: Path, tmp_path: Path
) -> None:
    truth, pages = tmp_path / "truth", tmp_path / "pages"
    truth.mkdir()
    pages.mkdir()
    for number in (1, 2):
        shutil.copy(page, pages / f"a-{number}.png")
    (truth / "a.musicxml").write_bytes(page_truth)
    done = evaluate(truth, pages, "-r", "mock", "-o", out, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (document,) = report(out)["documents"]
    assert len(document["seconds"]) == 2
    assert document["notes"]["found"] == 2 * document["notes"]["truth"]
