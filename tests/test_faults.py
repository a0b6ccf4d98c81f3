"""A recognizer that hangs, crashes, eats memory or talks garbage costs its page, nothing more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from PIL import Image

from ensemble_core.model import ExitCode

DEADLINE = 3.0

FAULTS = [
    ("hang", ExitCode.DEADLINE),
    ("crash", ExitCode.RECOGNITION),
    ("memory", ExitCode.LIMIT),
    ("garbage", ExitCode.CONTRACT),
    ("raise", ExitCode.RECOGNITION),
]


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    path = tmp_path / "three.tiff"
    frames = [Image.new("L", (60, 60), shade) for shade in (10, 20, 30)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    return path


@pytest.mark.parametrize(("fault", "code"), FAULTS)
def test_a_fault_costs_its_page_only(pages: Path, tmp_path: Path, fault: str, code: int) -> None:
    marker = f"ensemble-test-{os.getpid()}-{fault}"
    before = time.monotonic()
    done = subprocess.run(
        [
            sys.executable, "-m", "ensemble_core", "convert", str(pages), "-o", f"{tmp_path}/o/",
            "--recognizer", "mock", "-O", f"mock.fault={fault}", "-O", "mock.fault-pages=[1]",
            "--deadline", "60s" if fault == "memory" else f"{DEADLINE}s", "--json", "--jobs", "2",
            "-O", "limits.max-memory=400MiB",
        ],
        capture_output=True, env={**os.environ, "ENSEMBLE_MARK": marker},
    )  # fmt: skip
    took = time.monotonic() - before
    report = json.loads(done.stdout)
    (document,) = report["documents"]
    assert done.returncode == ExitCode.PARTIAL, done.stderr.decode()
    assert [page["status"] for page in document["pages"]] == ["ok", "failed", "ok"]
    from ensemble_core.model import EnsembleError

    error = EnsembleError.from_payload(document["pages"][1]["error"])
    assert error.exit_code == code, error
    assert "page 2" in document["missing"][0]
    assert (tmp_path / "o" / "three.musicxml").exists()
    if fault == "hang":
        assert took < DEADLINE + 2 + 10, "ten seconds are for starting processes on a busy machine"
    assert marked(marker) == []


def marked(marker: str) -> list[psutil.Process]:
    """Processes that inherited our mark from the command and are still there."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("ENSEMBLE_MARK") == marker:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def test_garbage_on_stdout_reaches_nobody(pages: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "ensemble_core", "convert", str(pages), "-o", "-",
            "--recognizer", "mock", "-O", "mock.fault=stdout",
        ],
        capture_output=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"<?xml") and done.stdout.rstrip().endswith(b"</score-partwise>")


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_ends_with_130_and_leaves_nothing(pages: Path, tmp_path: Path) -> None:
    import signal

    marker = f"ensemble-test-{os.getpid()}-ctrl-c"
    running = subprocess.Popen(
        [
            sys.executable, "-m", "ensemble_core", "convert", str(pages), "-o", f"{tmp_path}/o/",
            "--recognizer", "mock", "-O", "mock.fault=hang", "-v",
        ],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "ENSEMBLE_MARK": marker},
    )  # fmt: skip
    assert running.stderr is not None
    for line in running.stderr:
        if line.rstrip().endswith(": mock"):
            break
    running.send_signal(signal.SIGINT)
    before = time.monotonic()
    rest = running.stderr.read()
    assert running.wait() == 130, rest
    assert time.monotonic() - before < 2 + 8
    assert not (tmp_path / "o").exists()
    assert marked(marker) == []
