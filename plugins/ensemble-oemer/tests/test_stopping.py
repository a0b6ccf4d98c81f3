"""Stopped at any moment, by the user or a deadline, oemer leaves neither processes nor files."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest
from oemer_running import command

from ensemble_core.model import ExitCode

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals"),
]

GRACE = 2.0
MARK = "ENSEMBLE_TEST_MARK"


def marked(mark: str) -> list[int]:
    """Processes that inherited the mark and still run."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


class Started:
    """A conversion with a temporary folder of its own."""

    def __init__(self, folder: Path, tune: Path, nets: Path, *more: str) -> None:
        self.mark = str(folder)
        self.temporary, self.out = folder / "tmp", folder / "out"
        self.temporary.mkdir()
        env = {**os.environ, "TMPDIR": str(self.temporary), MARK: self.mark}
        self.said = folder / "said"
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                command(tune, "-v", "-o", f"{self.out}/", *more, nets=nets), env=env,
                stdout=subprocess.DEVNULL, stderr=said,
            )  # fmt: skip

    def wait_until_begun(self) -> None:
        """Wait until the page is being worked on: its deadline counts from then."""
        end = time.monotonic() + 60
        while "page 1: image" not in self.said.read_text() and self.process.poll() is None:
            assert time.monotonic() < end, "it never began"
            time.sleep(0.01)

    def leaves_nothing(self, since: float | None = None) -> str:
        """Assert that it ends cleanly within the grace (from now on); gives what it said."""
        began = time.monotonic() if since is None else since
        self.process.wait(60)
        took = time.monotonic() - began
        assert took <= GRACE, f"it ended only after {took:.1f} s"
        assert marked(self.mark) == []
        assert list(self.temporary.iterdir()) == []
        assert not self.out.exists() or list(self.out.iterdir()) == []
        said = self.said.read_text()
        assert "Traceback" not in said
        return said


_random = random.Random(3)
MOMENTS = sorted(round(_random.uniform(0.0, 0.9), 2) for _ in range(10))
"""Shares of the time a conversion takes."""

DEADLINES = (0.1, 0.3, 0.6)
"""Likewise."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tune: Path, nets: Mapping[str, Path]) -> float:
    """Seconds of a conversion that is left alone, from the moment its page is begun."""
    started = Started(tmp_path_factory.mktemp("whole"), tune, nets["colour"])
    started.wait_until_begun()
    began = time.monotonic()
    assert started.process.wait(120) == 0
    return time.monotonic() - began


@pytest.mark.parametrize("moment", MOMENTS)
def test_cancelled_at_a_random_moment(
    moment: float, whole: float, tune: Path, nets: Mapping[str, Path], tmp_path: Path
) -> None:
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        started = Started(folder, tune, nets["colour"])
        started.wait_until_begun()
        time.sleep(moment * whole / 2**attempt)
        stopped = time.monotonic()
        started.process.send_signal(signal.SIGINT)
        if started.process.wait(60) != ExitCode.OK:
            break  # else the machine has become faster, and the moment was too late
    started.leaves_nothing(stopped)
    assert started.process.returncode == ExitCode.CANCELLED


@pytest.mark.parametrize("share", DEADLINES)
def test_a_deadline_ends_it(
    share: float, whole: float, tune: Path, nets: Mapping[str, Path], tmp_path: Path
) -> None:
    seconds = round(share * whole, 2)
    started = Started(tmp_path, tune, nets["colour"], "--deadline", f"{seconds}s")
    started.wait_until_begun()
    time.sleep(seconds)
    said = started.leaves_nothing()
    assert started.process.returncode == ExitCode.DEADLINE
    assert f"did not end within {seconds:g} s" in said
