"""A batch that was killed goes on where it stopped, and comes out the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from PIL import Image

PAGES = 200


def command(folder: Path, output: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "ensemble_core", "convert", str(folder), "-o", f"{output}/",
        "--recognizer", "mock", "-O", "mock.measures=2", *more,
    ]  # fmt: skip


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(PAGES):
        Image.new("L", (8, 8), number).save(folder / f"page-{number}.png")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_kill_9_and_resume(scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENSEMBLE_RUN__CACHE_DIR", str(tmp_path / "cache-a"))
    whole = subprocess.run(command(scans, tmp_path / "whole"), capture_output=True)
    assert whole.returncode == 0, whole.stderr

    monkeypatch.setenv("ENSEMBLE_RUN__CACHE_DIR", str(tmp_path / "cache-b"))
    output = tmp_path / "output"
    running = subprocess.Popen(command(scans, output), stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (output.is_dir() and len(list(output.glob("*.musicxml"))) >= PAGES // 4):
        assert time.monotonic() < until and running.poll() is None
        time.sleep(0.01)  # watching a folder fill, not hoping
    workers = psutil.Process(running.pid).children(recursive=True)
    running.send_signal(signal.SIGKILL)
    running.wait()
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert not alive, "workers end when their parent is gone"
    finished = len(list((tmp_path / "cache-b" / "pages").glob("*/*.json")))
    assert PAGES // 4 <= finished < PAGES

    resumed = subprocess.run(
        [*command(scans, output, "--resume"), "-v"], capture_output=True, text=True
    )
    assert resumed.returncode == 0, resumed.stderr
    read_again = resumed.stderr.count(": mock\n")
    assert read_again == PAGES - finished
    assert contents(output) == contents(tmp_path / "whole")
    assert not list(Path(os.environ.get("TMPDIR", "/tmp")).glob(f"ensemble-{running.pid}-*"))

    again = subprocess.run(
        [*command(scans, output, "--resume"), "-v"], capture_output=True, text=True
    )
    assert again.returncode == 0 and again.stderr.count(": mock\n") == 0
