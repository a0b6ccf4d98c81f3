"""Bad files through the command: one clear line, the documented exit code, nothing left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bad.make_bad import BAD, BadFile
from made_up import BARS
from small_disks import small_disk

from ensemble_core.model import ExitCode


def convert(*words: str | Path, home: Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    """Run ``ensemble convert`` with a temporary folder of its own, and see that it empties it."""
    temporary = home / "tmp"
    temporary.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "ensemble_core", "convert", *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, stdin=subprocess.DEVNULL, timeout=120,
        env={**os.environ, "TMPDIR": str(temporary), **more},
    )  # fmt: skip
    assert list(temporary.iterdir()) == [], "a workspace was left behind"
    return done


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.slow
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: ascii(bad.name)[1:-1])
def test_a_bad_file_is_one_line_and_its_exit_code(bad: BadFile, tmp_path: Path) -> None:
    if bad.impossible:
        pytest.skip(bad.impossible)
    inputs, output = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    bad.make(inputs / bad.name)
    before = listing(inputs)
    done = convert(
        inputs / bad.name, "-o", f"{output}/", "--recognizer", "mock", "--deadline", "60s",
        home=tmp_path,
    )  # fmt: skip
    text = done.stderr.decode(errors="replace")
    assert done.returncode in bad.expected_exit, text
    assert listing(inputs) == before
    if done.returncode == 0:
        return
    errors = [line for line in text.splitlines() if not line.startswith("warning: ")]
    assert len(errors) == 1, text
    assert bad.phrase.lower() in text.lower()
    assert "Traceback" not in text
    assert not output.exists() or listing(output) == []


def test_a_batch_of_bad_files_still_reads_the_good_one(tmp_path: Path) -> None:
    inputs = tmp_path / "in"
    inputs.mkdir()
    for bad in BAD[:8]:
        if not bad.impossible:
            bad.make(inputs / bad.name)
    (inputs / "good.musicxml").write_bytes(BARS)
    names = sorted(path for path in inputs.iterdir() if path.is_file())
    done = convert(
        *names, "-o", f"{tmp_path}/out/{{name}}", "--recognizer", "mock", "--json", home=tmp_path
    )
    assert done.returncode == ExitCode.PARTIAL
    status = {d["name"]: d["status"] for d in json.loads(done.stdout)["documents"]}
    assert status["good.musicxml"] == "ok"
    assert (tmp_path / "out" / "good.musicxml").exists() or (tmp_path / "out").is_dir()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KB."""
    with small_disk(tmp_path / "small", "64k") as place:
        yield place


@pytest.fixture
def large_score(tmp_path: Path) -> Path:
    path = tmp_path / "large.musicxml"
    note = BARS[BARS.index(b"<note") : BARS.index(b"</note>") + 7].replace(b' id="n1"', b"")
    path.write_bytes(BARS.replace(b"</measure>", note * 2000 + b"</measure>"))
    return path


def test_a_full_disk_is_one_line_and_leaves_nothing(
    mounted: Path, large_score: Path, tmp_path: Path
) -> None:
    done = convert(large_score, "-o", f"{mounted}/", home=tmp_path)
    assert done.returncode == ExitCode.OUTPUT
    assert b"disk is full" in done.stderr and len(done.stderr.splitlines()) == 1
    assert listing(mounted) == []


def test_a_full_disk_for_the_workspace_is_one_line(
    mounted: Path, large_score: Path, tmp_path: Path
) -> None:
    (mounted / "filler").write_bytes(b"0" * 40_000)
    command = [
        sys.executable,
        "-m",
        "ensemble_core",
        "convert",
        str(large_score),
        "-o",
        f"{tmp_path}/o/",
    ]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "TMPDIR": str(mounted)})
    assert done.returncode in (0, ExitCode.OUTPUT), done.stderr
    assert done.returncode == 0 or len(done.stderr.splitlines()) == 1
    assert listing(mounted) == ["filler"]


def test_a_read_only_output_is_refused_before_anything_is_read(
    mounted: Path, large_score: Path, tmp_path: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
    done = convert(large_score, "-o", f"{mounted}/", home=tmp_path)
    assert done.returncode == ExitCode.OUTPUT, done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_in_the_way_of_the_output_folder(large_score: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    done = convert(large_score, "-o", f"{tmp_path}/out/", home=tmp_path)
    assert done.returncode == ExitCode.OUTPUT and b"is not a folder" in done.stderr
    assert (tmp_path / "out").read_text() == "a file"


def test_a_cache_that_cannot_be_written_is_no_trouble(large_score: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    done = convert(
        large_score, "-o", f"{tmp_path}/out/", home=tmp_path,
        ENSEMBLE_RUN__CACHE_DIR=str(tmp_path / "cache"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
